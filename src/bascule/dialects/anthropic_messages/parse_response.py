"""A whole Messages answer to canonical form."""

from typing import Any

from bascule.dialects.anthropic_messages.parse_content import parse_content
from bascule.dialects.anthropic_messages.response import STOP_REASONS
from bascule.dialects.fields import text_or_none
from bascule.dialects.names import made_call_id
from bascule.dialects.out_of_range import decode_answer
from bascule.model.response import Choice, Response


def parse_response(raw: bytes) -> Response:
    """`raw` has passed `read_reply`."""
    body: dict[str, Any] = decode_answer(raw)
    response_id = text_or_none(body.get("id"))
    reason = body.get("stop_reason")
    choice = Choice(
        content=parse_content(_cleaned(body["content"], response_id), "content", answered=True),
        finish_reason=STOP_REASONS.get(reason, reason) if isinstance(reason, str) else None,
        stop_sequence=text_or_none(body.get("stop_sequence")),
    )
    return Response(id=response_id, model=text_or_none(body.get("model")), choices=(choice,))


def _cleaned(content: list[Any], response_id: str | None) -> list[dict[str, Any]]:
    """A provider's blocks less what is none, with texts where they have to be; a call without an id or a name gets
    one."""
    blocks: list[dict[str, Any]] = []
    for position, block in enumerate(content):
        kind = block.get("type")
        if kind == "tool_use":
            block = _call(block, response_id, position)
        elif kind == "text":
            block = {"type": kind, "text": text_or_none(block.get("text")) or ""}
        elif kind == "thinking":
            signature = text_or_none(block.get("signature"))
            block = {"type": kind, "thinking": text_or_none(block.get("thinking")), "signature": signature}
        elif kind == "redacted_thinking" and not text_or_none(block.get("data")):
            continue
        if isinstance(kind, str) and kind:
            blocks.append(block)
    return blocks


def _call(block: dict[str, Any], response_id: str | None, position: int) -> dict[str, Any]:
    arguments = block.get("input")
    return {
        "type": "tool_use",
        "id": text_or_none(block.get("id")) or made_call_id(response_id, 0, position),
        "name": text_or_none(block.get("name")) or "unknown",
        "input": arguments if isinstance(arguments, dict) or arguments is None else {"input": arguments},
    }
