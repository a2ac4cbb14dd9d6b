"""Reading a whole Cohere answer: enough for settling and caching, without translating it."""

from typing import Any

import msgspec
from msgspec import Struct

from bascule.dialects.base import ReplyFacts
from bascule.dialects.classify import fault_inside_200, not_the_dialect, read_error_value, unreadable
from bascule.dialects.cohere.usage import read_usage
from bascule.dialects.fields import text_bytes, text_or_none
from bascule.model.outcome import Fault

FINISH_REASONS: dict[str, str] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_use",
    "ERROR_TOXIC": "content_filter",
}
"""The wire's `finish_reason` in canonical words."""

BROKEN_FINISHES = frozenset({"ERROR", "TIMEOUT"})
"""Finish reasons that mean that the provider gave up."""


class _Message(Struct):
    content: Any = None
    tool_plan: Any = None
    tool_calls: Any = None


class _Reply(Struct):
    message: _Message
    id: Any = None
    finish_reason: Any = None
    usage: Any = None


_DECODER = msgspec.json.Decoder(_Reply)


def read_reply(raw: bytes) -> ReplyFacts | Fault:
    """A 200 body of `/v2/chat` as facts, or what is wrong with it."""
    try:
        reply = _DECODER.decode(raw)
    except msgspec.ValidationError:
        return not_the_dialect(raw, "a Cohere answer", after_content=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return unreadable(raw, problem)
    finish = reply.finish_reason
    if type(finish) is str and finish in BROKEN_FINISHES:
        return gave_up(finish, None)
    message = reply.message
    texts = [*content_texts(message.content, "text"), *content_texts(message.content, "thinking")]
    calls = tool_calls(message.tool_calls)
    output_bytes = sum(text_bytes(text) for text in [*texts, text_or_none(message.tool_plan) or ""])
    output_bytes += sum(text_bytes(name) + text_bytes(arguments) for _, name, arguments in calls)
    return ReplyFacts(
        usage=read_usage(reply.usage),
        response_id=text_or_none(reply.id),
        finish_reason=FINISH_REASONS.get(finish, finish) if type(finish) is str else None,
        has_tool_calls=bool(calls),
        output_bytes=output_bytes,
    )


def gave_up(finish: str, told: Any) -> Fault:
    """An answer that ends in an error: the model has been at work."""
    words = text_or_none(told) or f"finish_reason is {finish}"
    return fault_inside_200(read_error_value({"error": words}), after_content=True)


def content_texts(content: Any, kind: str) -> list[str]:
    """The texts of the parts of this kind, `text` or `thinking`; a lone text is one of `text`."""
    if type(content) is str:
        return [content] if kind == "text" else []
    parts = [part for part in content if type(part) is dict] if type(content) is list else []
    return [part[kind] for part in parts if type(part.get(kind)) is str and part.get("type", kind) == kind]


def tool_calls(wire: Any) -> list[tuple[str, str, str]]:
    """(id, name, arguments) of the calls that have a name."""
    found: list[tuple[str, str, str]] = []
    for call in wire if type(wire) is list else ():
        function = call.get("function") if type(call) is dict else None
        if type(function) is dict and (name := text_or_none(function.get("name"))):
            found.append((text_or_none(call.get("id")) or "", name, arguments_text(function.get("arguments"))))
    return found


def arguments_text(value: Any) -> str:
    """Arguments as JSON text, whatever they came as."""
    if value is None or type(value) is str:
        return value or ""
    return msgspec.json.encode(value).decode()
