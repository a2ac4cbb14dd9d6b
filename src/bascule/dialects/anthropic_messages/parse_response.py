"""A whole Messages answer to canonical form."""

from typing import Any

import msgspec

from bascule.dialects.anthropic_messages.parse_request import parse_content
from bascule.dialects.anthropic_messages.response import STOP_REASONS
from bascule.dialects.fields import text_or_none
from bascule.model.response import Choice, Response


def parse_response(raw: bytes) -> Response:
    """`raw` has passed `read_reply`."""
    body: dict[str, Any] = msgspec.json.decode(raw)
    reason = body.get("stop_reason")
    choice = Choice(
        content=parse_content(body["content"], "content"),
        finish_reason=STOP_REASONS.get(reason, reason) if isinstance(reason, str) else None,
        stop_sequence=text_or_none(body.get("stop_sequence")),
    )
    return Response(id=text_or_none(body.get("id")), model=text_or_none(body.get("model")), choices=(choice,))
