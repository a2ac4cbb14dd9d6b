"""Cohere's v2 Chat format with its embeddings, as providers speak it: nothing here is a client's dialect."""

from bascule.dialects.cohere.dialect import COHERE, Cohere

__all__ = ["COHERE", "Cohere"]
