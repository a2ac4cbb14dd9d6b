"""Reading a whole Chat Completions answer: enough for settling and caching, without translating it."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.base import ReplyFacts
from bascule.dialects.classify import (
    fault_inside_200,
    not_the_dialect,
    protocol_fault,
    read_error_value,
    unreadable,
)
from bascule.dialects.fields import NULL, text_bytes, text_or_none
from bascule.dialects.openai_chat.usage import read_usage
from bascule.model.outcome import Fault

FINISH_REASONS: dict[str, str] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
}
"""The wire's `finish_reason` in canonical words."""

BROKEN_FINISHES = frozenset({"error", "insufficient_system_resource", "network_error"})
"""Finish reasons that mean that the provider gave up: OpenRouter and Mistral, DeepSeek, Z.ai."""


def gave_up(finish: Any) -> bool:
    """Whether a finish reason, of whatever type it came, is one of those."""
    return type(finish) is str and finish in BROKEN_FINISHES


class _Message(Struct, gc=False):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None


class _Choice(Struct, gc=False):
    message: _Message | None = None
    finish_reason: Any = None
    error: Any = None


class _Reply(Struct):
    choices: list[_Choice] | None = None
    id: Any = None
    model: Any = None
    usage: Raw = NULL
    error: Any = None
    service_tier: Any = None


_DECODER = msgspec.json.Decoder(_Reply)


def read_reply(raw: bytes) -> ReplyFacts | Fault:
    """A 200 body of `/chat/completions` as facts, or what is wrong with it."""
    try:
        reply = _DECODER.decode(raw)
    except msgspec.ValidationError:
        return not_the_dialect(raw, "a chat completion", after_content=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return unreadable(raw, problem)
    if reply.error:
        return fault_inside_200(read_error_value({"error": reply.error}), after_content=bool(reply.choices))
    if not reply.choices:
        return not_the_dialect(raw, "a chat completion", after_content=False)
    output_bytes = 0
    has_tool_calls = False
    for choice in reply.choices:
        if choice.error or gave_up(choice.finish_reason):
            words = read_error_value({"error": choice.error or f"finish_reason is {choice.finish_reason}"})
            return fault_inside_200(words, after_content=True)
        if (message := choice.message) is None:
            return protocol_fault("a choice of the answer has no message")
        output_bytes += message_bytes(message)
        if message.tool_calls or message.function_call:
            has_tool_calls = True
    finish = reply.choices[0].finish_reason
    return ReplyFacts(
        usage=read_usage(bytes(reply.usage), reply.service_tier),
        response_id=text_or_none(reply.id),
        model=text_or_none(reply.model),
        finish_reason=FINISH_REASONS.get(finish, finish) if type(finish) is str else None,
        has_tool_calls=has_tool_calls,
        output_bytes=output_bytes,
    )


def message_bytes(message: Any) -> int:
    """UTF-8 bytes of text, reasoning, refusal and tool calls of a message or delta."""
    total = 0
    content = message.content
    if type(content) is str:
        total += text_bytes(content)
    elif content:
        total += len(msgspec.json.encode(content))
    for text in (message.reasoning_content or message.reasoning, message.refusal):
        if text and type(text) is str:
            total += text_bytes(text)
    if message.tool_calls:
        total += call_bytes(message.tool_calls)
    if message.function_call:
        total += call_bytes([{"function": message.function_call}])
    return total


def call_bytes(calls: Any) -> int:
    """UTF-8 bytes of the names and arguments of tool calls."""
    total = 0
    for call in calls if type(calls) is list else ():
        function = (call.get("function") or call.get("custom")) if type(call) is dict else None
        if type(function) is not dict:
            continue
        for part in (function.get("name"), function.get("arguments"), function.get("input")):
            if part:
                total += len(part.encode()) if type(part) is str else len(msgspec.json.encode(part))
    return total
