"""The lines of Claude Code's session logs, as far as anything is read of them.

`~/.claude/projects/<directory>/<session>.jsonl`; sub-agents' in `<session>/subagents/agent-<id>.jsonl`, in older
versions as `agent-<id>.jsonl` beside the session or as `isSidechain` lines in it. One line per content block of an
answer, each with the answer's usage as it was known then.
"""

from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from bascule.offline.imports.judge import Content

ASSISTANT = b'"assistant"'
_MARKS = (b'"summary"', b'"ai-title"', b'"custom-title"', b'"pr-link"')
_MARK_BYTES = 300
"""Of lines that are about the session: their type stands first, and they are short."""

CALLS = ("assistant",)
ABOUT = ("summary", "ai-title", "custom-title", "pr-link")
SYNTHETIC = "<synthetic>"
"""The model of lines that Claude Code wrote itself: errors, limits, interruptions. Nobody bills them."""


class Block(Struct, gc=False):
    """One content block; which fields are there depends on its type."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    name: str | None = None
    input: Raw = Raw()


class Message(Struct, gc=False):
    model: str
    usage: Raw = Raw()
    id: str | None = None
    content: list[Block] | str = []
    stop_reason: str | None = None


class AssistantLine(Struct, rename="camel", gc=False):
    type: str
    timestamp: datetime
    message: Message | None = None
    uuid: str | None = None
    request_id: str | None = None
    session_id: str | None = None
    agent_id: str | None = None
    attribution_agent: str | None = None
    is_sidechain: bool = False
    is_api_error_message: bool = False
    cwd: str | None = None
    git_branch: str | None = None
    version: str | None = None
    entrypoint: str | None = None


class _Kind(Struct):
    type: str | None = None


class _Own(Struct, rename="camel"):
    type: str
    session_id: str | None = None
    uuid: str | None = None
    leaf_uuid: str | None = None
    message_id: str | None = None


class SessionLine(Struct, rename="camel", gc=False):
    """`summary`, `ai-title`, `custom-title`, `pr-link`: about the session, not a call."""

    type: str
    session_id: str | None = None
    summary: str | None = None
    leaf_uuid: str | None = None
    ai_title: str | None = None
    custom_title: str | None = None
    pr_number: int | None = None
    pr_url: str | None = None
    pr_repository: str | None = None
    timestamp: str | None = None


decode_assistant = msgspec.json.Decoder(AssistantLine).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_own = msgspec.json.Decoder(_Own).decode
decode_session = msgspec.json.Decoder(SessionLine).decode


def is_of(line: bytes, kinds: tuple[str, ...]) -> bool:
    """Whether a line that is not as it should be is of these types at all: others hold their names too."""
    try:
        return _decode_kind(line).type in kinds
    except (msgspec.DecodeError, UnicodeDecodeError):
        return True  # cannot be told, so it is named


def is_own(line: bytes) -> bool:
    """Whether a line is Claude Code's, whatever its type."""
    try:
        found = _decode_own(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return any((found.session_id, found.uuid, found.leaf_uuid, found.message_id))


def is_session_line(line: bytes) -> bool:
    """Whether a line may be one of `SessionLine`'s."""
    head = line[:_MARK_BYTES]
    return any(mark in head for mark in _MARKS)


def measure(blocks: list[Block] | str, content: Content) -> None:
    """Add what these blocks show to `content`. Search results and other parts that no model wrote are left out."""
    if isinstance(blocks, str):
        content.shown_bytes += utf8_bytes(blocks)
        return
    for block in blocks:
        kind = block.type
        if kind == "text":
            content.shown_bytes += utf8_bytes(block.text)
        elif kind == "thinking":
            if block.thinking:
                content.shown_bytes += utf8_bytes(block.thinking)
            elif block.signature:
                content.hidden_bytes += len(block.signature) * 3 // 4
        elif kind == "redacted_thinking":
            content.hidden_bytes += len(block.data or "") * 3 // 4
        elif kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
            content.tool_calls += 1
            content.shown_bytes += utf8_bytes(block.name) + len(bytes(block.input))


def utf8_bytes(text: str | None) -> int:
    if not text:
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
