"""Gemini's own API: `generateContent`, with its token counting."""

from bascule.dialects.gemini.dialect import GEMINI, Gemini
from bascule.dialects.gemini.relay import RelayCodec

__all__ = ["GEMINI", "Gemini", "RelayCodec"]
