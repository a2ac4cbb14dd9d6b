"""The OpenAI Chat Completions format, as OpenAI and the many compatible providers speak it."""

from bascule.dialects.openai_chat.dialect import OPENAI_CHAT, OpenAIChat
from bascule.dialects.openai_chat.relay import RelayCodec

__all__ = ["OPENAI_CHAT", "OpenAIChat", "RelayCodec"]
