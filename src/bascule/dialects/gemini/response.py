"""Reading a whole `GenerateContentResponse`: enough for settling and caching, without translating it."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.base import ReplyFacts
from bascule.dialects.classify import fault_inside_200, not_the_dialect, read_error_value, unreadable
from bascule.dialects.fields import NULL, text_bytes, text_or_none
from bascule.dialects.gemini.usage import read_usage
from bascule.model.outcome import Fault

FINISH_REASONS: dict[str, str] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"), "content_filter"
    ),
    **dict.fromkeys(("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"), "content_filter"),
}
"""The wire's `finishReason` in canonical words."""
BROKEN_FINISHES = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE"}
    | {"MISSING_THOUGHT_SIGNATURE"}
)
"""The model failed. Where it said nothing besides, that is no answer: another attempt may give one."""


class Content(Struct, gc=False):
    parts: Any = None


class Candidate(Struct, gc=False):
    content: Content | None = None
    finishReason: Any = None  # noqa: N815  the wire's own name
    finishMessage: Any = None  # noqa: N815
    index: Any = None


class Feedback(Struct, gc=False):
    blockReason: Any = None  # noqa: N815


class Reply(Struct):
    candidates: list[Candidate] | None = None
    promptFeedback: Feedback | None = None  # noqa: N815
    usageMetadata: Raw = NULL  # noqa: N815
    responseId: Any = None  # noqa: N815
    modelVersion: Any = None  # noqa: N815
    error: Any = None


decode_reply = msgspec.json.Decoder(Reply).decode


def read_reply(raw: bytes) -> ReplyFacts | Fault:
    """A 200 body of `generateContent` as facts, or what is wrong with it.

    A blocked prompt is an answer of no candidates, with the reason `content_filter`: it is billed.
    """
    try:
        reply = decode_reply(raw)
    except msgspec.ValidationError:
        return not_the_dialect(raw, "a GenerateContentResponse", after_content=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return unreadable(raw, problem)
    blocked = reply.promptFeedback is not None and type(reply.promptFeedback.blockReason) is str
    if reply.error or not (reply.candidates or blocked):
        return not_the_dialect(raw, "a GenerateContentResponse with a candidate", after_content=bool(reply.candidates))
    output_bytes = 0
    has_tool_calls = False
    finish: str | None = "content_filter" if blocked else None
    for at, candidate in enumerate(reply.candidates or ()):
        size, calls = content_bytes(candidate)
        output_bytes += size
        has_tool_calls = has_tool_calls or calls
        if at == 0:
            finish = finish_reason(candidate.finishReason, has_tool_calls)
    if (broken := broken_finish(reply.candidates, output_bytes)) is not None:
        return broken
    return ReplyFacts(
        usage=read_usage(bytes(reply.usageMetadata)),
        response_id=text_or_none(reply.responseId),
        model=text_or_none(reply.modelVersion),
        finish_reason=finish,
        has_tool_calls=has_tool_calls,
        output_bytes=output_bytes,
    )


def broken_finish(candidates: list[Candidate] | None, output_bytes: int) -> Fault | None:
    """The fault that a model's failure is, where the answer holds nothing else."""
    for candidate in candidates or ():
        if type(candidate.finishReason) is str and candidate.finishReason in BROKEN_FINISHES and not output_bytes:
            said = candidate.finishMessage if type(candidate.finishMessage) is str else ""
            message = f"finishReason is {candidate.finishReason}" + (f": {said}" if said else "")
            return fault_inside_200(read_error_value({"error": message}), after_content=True)
    return None


def finish_reason(wire: Any, has_calls: bool) -> str | None:
    """A candidate's reason in canonical words. Google says `STOP` of calls too."""
    if type(wire) is not str or wire == "FINISH_REASON_UNSPECIFIED":
        return None
    reason = FINISH_REASONS.get(wire, wire.lower())
    return "tool_use" if reason == "stop" and has_calls else reason


def parts_of(candidate: Candidate) -> list[dict[str, Any]]:
    """A candidate's parts, without what is none."""
    parts = candidate.content.parts if candidate.content is not None else None
    return [part for part in parts if type(part) is dict] if type(parts) is list else []


def content_bytes(candidate: Candidate) -> tuple[int, bool]:
    """(UTF-8 bytes of what was generated, whether functions are called). Images and sounds do not count."""
    size = 0
    has_calls = False
    for part in parts_of(candidate):
        if type(text := part.get("text")) is str:
            size += text_bytes(text)
        if type(call := part.get("functionCall")) is dict:
            has_calls = True
            size += len(msgspec.json.encode([call.get("name"), call.get("args")]))
        for name in ("executableCode", "codeExecutionResult"):
            if type(inner := part.get(name)) is dict:
                size += len(msgspec.json.encode(inner))
    return size, has_calls
