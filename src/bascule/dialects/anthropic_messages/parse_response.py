"""A whole Messages answer to canonical form."""

from typing import Any

import msgspec

from bascule.dialects.anthropic_messages.parse_request import parse_content
from bascule.dialects.anthropic_messages.response import STOP_REASONS
from bascule.dialects.fields import text_or_none
from bascule.dialects.names import made_call_id
from bascule.model.response import Choice, Response


def parse_response(raw: bytes) -> Response:
    """`raw` has passed `read_reply`."""
    body: dict[str, Any] = msgspec.json.decode(raw)
    response_id = text_or_none(body.get("id"))
    reason = body.get("stop_reason")
    choice = Choice(
        content=parse_content([_cleaned(block, response_id) for block in enumerate(body["content"])], "content"),
        finish_reason=STOP_REASONS.get(reason, reason) if isinstance(reason, str) else None,
        stop_sequence=text_or_none(body.get("stop_sequence")),
    )
    return Response(id=response_id, model=text_or_none(body.get("model")), choices=(choice,))


def _cleaned(numbered: tuple[int, dict[str, Any]], response_id: str | None) -> dict[str, Any]:
    """A provider's block; a call without an id or a name gets one."""
    position, block = numbered
    if block.get("type") != "tool_use":
        return block
    return {
        **block,
        "id": block.get("id") or made_call_id(response_id, 0, position),
        "name": block.get("name") or "unknown",
    }
