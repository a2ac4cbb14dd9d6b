"""Reading a whole Converse answer: enough for settling and caching, without translating it."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.base import ReplyFacts
from bascule.dialects.bedrock_converse.usage import read_usage
from bascule.dialects.classify import not_the_dialect, unreadable
from bascule.dialects.fields import text_bytes
from bascule.model.outcome import Fault

STOP_REASONS: dict[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_use",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "refusal",
}
"""The wire's `stopReason` in canonical words."""


class ToolUse(Struct, gc=False):
    toolUseId: Any = None  # noqa: N815 - the wire's own name
    name: Any = None
    input: Raw = Raw(b"")


class Block(Struct, gc=False):
    text: Any = None
    toolUse: ToolUse | None = None  # noqa: N815
    reasoningContent: Any = None  # noqa: N815
    citationsContent: Any = None  # noqa: N815


class _Message(Struct):
    content: list[Block]


class _Output(Struct):
    message: _Message


class _Reply(Struct):
    output: _Output
    stopReason: Any = None  # noqa: N815
    usage: Any = None
    serviceTier: Any = None  # noqa: N815


_DECODER = msgspec.json.Decoder(_Reply)


def read_reply(raw: bytes) -> ReplyFacts | Fault:
    """A 200 body of `/converse` as facts, or what is wrong with it."""
    try:
        reply = _DECODER.decode(raw)
    except msgspec.ValidationError:
        return not_the_dialect(raw, "a Converse answer", after_content=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return unreadable(raw, problem)
    blocks = reply.output.message.content
    stop = reply.stopReason
    return ReplyFacts(
        usage=read_usage(reply.usage, reply.serviceTier),
        finish_reason=STOP_REASONS.get(stop, stop) if type(stop) is str else None,
        has_tool_calls=any(block.toolUse is not None for block in blocks),
        output_bytes=sum(_block_bytes(block) for block in blocks),
    )


def _block_bytes(block: Block) -> int:
    total = sum(text_bytes(text) for text in (block.text, *cited_texts(block.citationsContent)) if type(text) is str)
    if (call := block.toolUse) is not None:
        total += len(memoryview(call.input)) + (text_bytes(call.name) if type(call.name) is str else 0)
    thought, _, _ = reasoning(block.reasoningContent)
    return total + text_bytes(thought or "")


def cited_texts(wire: Any) -> list[str]:
    """The texts of a `citationsContent` block; what they cite has no word elsewhere."""
    content = wire.get("content") if type(wire) is dict else None
    parts = [part.get("text") for part in content if type(part) is dict] if type(content) is list else []
    return [text for text in parts if type(text) is str]


def reasoning(wire: Any) -> tuple[str | None, str | None, str | None]:
    """(text, signature, redacted content in base64) of a whole `reasoningContent`."""
    if type(wire) is not dict:
        return None, None, None
    told = wire.get("reasoningText")
    inner = told if type(told) is dict else {}
    found = (inner.get("text"), inner.get("signature"), wire.get("redactedContent"))
    text, signature, redacted = [value if type(value) is str else None for value in found]
    return text, signature, redacted
