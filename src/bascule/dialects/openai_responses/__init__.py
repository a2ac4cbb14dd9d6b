"""OpenAI's Responses format, as OpenAI speaks it and Codex wants it."""

from bascule.dialects.openai_responses.dialect import OPENAI_RESPONSES, OpenAIResponses
from bascule.dialects.openai_responses.relay import RelayCodec

__all__ = ["OPENAI_RESPONSES", "OpenAIResponses", "RelayCodec"]
