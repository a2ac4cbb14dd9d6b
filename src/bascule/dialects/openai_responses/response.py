"""Reading a Responses answer, whole or as its last event holds it: enough for settling and caching."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.base import ReplyFacts
from bascule.dialects.classify import fault_inside_200, not_the_dialect, read_error_value, unreadable
from bascule.dialects.fields import NULL, text_bytes, text_or_none
from bascule.dialects.openai_responses.usage import read_usage
from bascule.model.outcome import Fault
from bascule.model.usage import Usage

CALLS = ("function_call", "custom_tool_call")
_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}
_FAILED = ("failed", "cancelled")


class WireResponse(Struct):
    """The `response` object."""

    id: Any = None
    object: Any = None
    model: Any = None
    status: Any = None
    output: Any = None
    usage: Raw = NULL
    error: Any = None
    incomplete_details: Any = None
    service_tier: Any = None

    def read_usage(self) -> Usage:
        return read_usage(bytes(self.usage), self.output, self.service_tier)


decode_response = msgspec.json.Decoder(WireResponse).decode
"""Raises msgspec.ValidationError where the JSON is no object, msgspec.DecodeError where it is no JSON."""


def read_reply(raw: bytes) -> ReplyFacts | Fault:
    """A 200 body of `/responses` as facts, or what is wrong with it."""
    try:
        response = decode_response(raw)
    except msgspec.ValidationError:
        return not_the_dialect(raw, "a response", after_content=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return unreadable(raw, problem)
    if response.error or response.status in _FAILED:
        return failure(response, after_content=bool(response.output))
    if type(response.output) is not list:
        return not_the_dialect(raw, "a response", after_content=False)
    called = has_calls(response.output)
    return ReplyFacts(
        usage=response.read_usage(),
        response_id=text_or_none(response.id),
        model=text_or_none(response.model),
        finish_reason=finish_reason(response, called),
        has_tool_calls=called,
        output_bytes=sum(map(item_bytes, response.output)),
    )


def reply_usage(raw: bytes) -> Usage:
    """The usage of a whole answer that has passed `read_reply`."""
    return decode_response(raw).read_usage()


def failure(response: WireResponse, *, after_content: bool) -> Fault:
    """A response that failed, by what its `error` says."""
    words = read_error_value({"error": response.error or f"the response is {response.status}"})
    return fault_inside_200(words, after_content)


def finish_reason(response: WireResponse, called: bool) -> str | None:
    """Why the answer ended, in canonical words; None where it has not."""
    if response.status in ("queued", "in_progress"):
        return None
    if response.status == "incomplete":
        details = response.incomplete_details
        reason = details.get("reason") if type(details) is dict else None
        return _INCOMPLETE.get(reason, reason) if type(reason) is str else "length"
    return "tool_use" if called else "stop"


def has_calls(output: Any) -> bool:
    """Whether the client is to run a tool."""
    items = output if type(output) is list else ()
    return any(type(item) is dict and item.get("type") in CALLS for item in items)


def item_bytes(item: Any) -> int:
    """UTF-8 bytes of generated text, reasoning, refusals, names and arguments of one item."""
    if type(item) is not dict:
        return 0
    found = [item.get(name) for name in ("name", "arguments", "input")] if item.get("type") in CALLS else []
    for name in ("content", "summary"):
        parts = item.get(name)
        for part in parts if type(parts) is list else ():
            if type(part) is dict:
                found += (part.get("text"), part.get("refusal"))
    return sum([text_bytes(text) for text in found if type(text) is str])
