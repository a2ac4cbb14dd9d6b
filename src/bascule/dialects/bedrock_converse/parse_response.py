"""A whole Converse answer to canonical form."""

from typing import Any

import msgspec

from bascule.dialects.bedrock_converse.response import STOP_REASONS, cited_texts, reasoning
from bascule.dialects.fields import text_or_none
from bascule.dialects.names import made_call_id
from bascule.dialects.out_of_range import decode_answer
from bascule.model.request import Block, RedactedThinking, Signature, Text, Thinking, ToolUse
from bascule.model.response import Choice, Response

ISSUER = "anthropic_messages"
"""Of signatures: only Claude signs, and takes what it signed at Anthropic's own API as well
(platform.claude.com/docs/en/build-with-claude/extended-thinking, "Thinking encryption")."""


def parse_response(raw: bytes) -> Response:
    """`raw` has passed `read_reply`. The answer has no id and no model here."""
    body: dict[str, Any] = decode_answer(raw)
    content: list[Block] = []
    for position, block in enumerate(body["output"]["message"]["content"]):
        content += _blocks(block, position)
    reason = body.get("stopReason")
    choice = Choice(
        content=tuple(content),
        finish_reason=STOP_REASONS.get(reason, reason) if isinstance(reason, str) else None,
        stop_sequence=stop_sequence(body.get("additionalModelResponseFields")),
    )
    return Response(id=None, model=None, choices=(choice,))


def stop_sequence(fields: Any) -> str | None:
    """Which sequence ended the answer, where the request asked to be told."""
    return text_or_none(fields.get("stop_sequence")) if isinstance(fields, dict) else None


def _blocks(block: dict[str, Any], position: int) -> list[Block]:
    """A block may be of a kind that says nothing elsewhere: an image, a result of a tool that ran there."""
    text = text_or_none(block.get("text")) or "".join(cited_texts(block.get("citationsContent")))
    if text:
        return [Text(text=text)]
    thought, signature, redacted = reasoning(block.get("reasoningContent"))
    if thought or signature:
        return [Thinking(text=thought or "", signature=None if not signature else Signature(ISSUER, signature))]
    if redacted:
        return [RedactedThinking(signature=Signature(ISSUER, redacted))]
    call = block.get("toolUse")
    return [_call(call, position)] if isinstance(call, dict) else []


def _call(call: dict[str, Any], position: int) -> ToolUse:
    arguments = call.get("input")
    return ToolUse(
        id=text_or_none(call.get("toolUseId")) or made_call_id(None, 0, position),
        name=text_or_none(call.get("name")) or "unknown",
        arguments="{}" if arguments is None else msgspec.json.encode(arguments).decode(),
    )
