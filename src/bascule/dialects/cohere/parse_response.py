"""A whole Cohere answer to canonical form."""

from typing import Any

from bascule.dialects.cohere.response import FINISH_REASONS, content_texts, tool_calls
from bascule.dialects.fields import text_or_none
from bascule.dialects.names import made_call_id
from bascule.dialects.out_of_range import decode_answer
from bascule.model.request import Block, Text, Thinking, ToolUse
from bascule.model.response import Choice, Response


def parse_response(raw: bytes) -> Response:
    """`raw` has passed `read_reply`. `tool_plan` is what others say as text before their calls; citations are lost."""
    body: dict[str, Any] = decode_answer(raw)
    message = body["message"]
    response_id = text_or_none(body.get("id"))
    content: list[Block] = [Thinking(text=text) for text in content_texts(message.get("content"), "thinking") if text]
    plan = text_or_none(message.get("tool_plan"))
    texts = [*([plan] if plan else []), *content_texts(message.get("content"), "text")]
    content += [Text(text=text) for text in texts if text]
    for number, (given, name, arguments) in enumerate(tool_calls(message.get("tool_calls"))):
        call_id = given or made_call_id(response_id, 0, number)
        content.append(ToolUse(id=call_id, name=name, arguments=arguments or "{}"))
    reason = body.get("finish_reason")
    choice = Choice(
        content=tuple(content),
        finish_reason=FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else None,
    )
    return Response(id=response_id, model=None, choices=(choice,))
