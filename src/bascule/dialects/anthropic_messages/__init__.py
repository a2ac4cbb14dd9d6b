"""Anthropic's Messages format, with its token counting."""

from bascule.dialects.anthropic_messages.dialect import (
    ANTHROPIC_COUNT_TOKENS,
    ANTHROPIC_MESSAGES,
    AnthropicCountTokens,
    AnthropicMessages,
)
from bascule.dialects.anthropic_messages.relay import CountTokensCodec, RelayCodec

__all__ = [
    "ANTHROPIC_COUNT_TOKENS",
    "ANTHROPIC_MESSAGES",
    "AnthropicCountTokens",
    "AnthropicMessages",
    "CountTokensCodec",
    "RelayCodec",
]
