"""Usage in an answer that is an error: some providers tell what they bill for work that failed.

It stands where the dialect has it in a good answer, or inside the error object.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import structs

from bascule.dialects.anthropic_messages.usage import read_usage as read_messages_usage
from bascule.dialects.bedrock_converse.usage import read_usage as read_converse_usage
from bascule.dialects.cohere.usage import read_usage as read_cohere_usage
from bascule.dialects.fields import as_utf8
from bascule.dialects.gemini.usage import read_usage as read_gemini_usage
from bascule.dialects.openai_chat.usage import read_usage as read_chat_usage
from bascule.dialects.openai_responses.usage import read_usage as read_responses_usage
from bascule.dialects.out_of_range import decode_answer
from bascule.model.usage import NO_USAGE, Usage

_encode = msgspec.json.encode


def _without_output(usage: Usage) -> Usage:
    """Embeddings have no output tokens to report."""
    told = usage.source == "reported" and usage.tokens_out is None
    return structs.replace(usage, tokens_out=0) if told else usage


_READERS: dict[str, tuple[str, Callable[[Any], Usage]]] = {
    "openai_chat": ("usage", lambda wire: read_chat_usage(_encode(wire))),
    "openai_embeddings": ("usage", lambda wire: _without_output(read_chat_usage(_encode(wire)))),
    "openai_responses": ("usage", lambda wire: read_responses_usage(_encode(wire))),
    "anthropic_messages": ("usage", read_messages_usage),
    "bedrock_converse": ("usage", read_converse_usage),
    "cohere": ("usage", read_cohere_usage),
    "cohere_embed": ("meta", lambda wire: _without_output(read_cohere_usage(wire))),
    "gemini": ("usageMetadata", lambda wire: read_gemini_usage(_encode(wire))),
    "gemini_embeddings": ("usageMetadata", lambda wire: _without_output(read_gemini_usage(_encode(wire)))),
}
"""Where each provider dialect has it, and who reads it. Counting tokens costs nothing."""


def usage_told(provider_dialect: str, raw: bytes) -> Usage:
    """The usage that an error's body reports; NO_USAGE where it reports none or is no JSON."""
    name, read = _READERS.get(provider_dialect, ("", read_messages_usage))
    if not name or name.encode() not in raw:
        return NO_USAGE
    try:
        body = decode_answer(as_utf8(raw))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return NO_USAGE
    if type(body) is list and body:
        body = body[0]  # Google's way of sending an error to a stream
    for holder in (body, body.get("error") if type(body) is dict else None):
        if type(holder) is dict and type(wire := holder.get(name)) is dict:
            return read(wire)
    return NO_USAGE
