"""Reading a whole Messages answer: enough for settling and caching, without translating it."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.anthropic_messages.usage import read_usage
from bascule.dialects.base import ReplyFacts
from bascule.dialects.classify import not_the_dialect, unreadable
from bascule.dialects.fields import text_bytes, text_or_none
from bascule.model.outcome import Fault

STOP_REASONS: dict[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_use",
    "pause_turn": "pause",
    "refusal": "refusal",
}
"""The wire's `stop_reason` in canonical words."""


class _Block(Struct, gc=False):
    type: Any = None
    text: Any = None
    thinking: Any = None
    name: Any = None
    input: Raw = Raw(b"")


class _Reply(Struct):
    type: Any = None
    id: Any = None
    model: Any = None
    content: list[_Block] | None = None
    stop_reason: Any = None
    usage: Any = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Reply)


def read_reply(raw: bytes) -> ReplyFacts | Fault:
    """A 200 body of `/v1/messages` as facts, or what is wrong with it."""
    try:
        reply = _DECODER.decode(raw)
    except msgspec.ValidationError:
        return not_the_dialect(raw, "a message", after_content=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return unreadable(raw, problem)
    if reply.error or reply.content is None:
        return not_the_dialect(raw, "a message", after_content=bool(reply.content))
    output_bytes = 0
    has_tool_calls = False
    for block in reply.content:
        for text in (block.text, block.thinking, block.name):
            if type(text) is str:
                output_bytes += text_bytes(text)
        if block.type == "tool_use":
            has_tool_calls = True
            output_bytes += len(memoryview(block.input))
    stop = reply.stop_reason
    return ReplyFacts(
        usage=read_usage(reply.usage),
        response_id=text_or_none(reply.id),
        model=text_or_none(reply.model),
        finish_reason=STOP_REASONS.get(stop, stop) if type(stop) is str else None,
        has_tool_calls=has_tool_calls,
        output_bytes=output_bytes,
    )
