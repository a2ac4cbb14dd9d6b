"""A whole Chat Completions answer to canonical form."""

from typing import Any

import msgspec
from msgspec.structs import replace

from bascule.dialects.fields import text_or_none
from bascule.dialects.names import made_call_id
from bascule.dialects.openai_chat.parse_request import parse_message
from bascule.dialects.openai_chat.response import FINISH_REASONS
from bascule.model.request import Block, ToolUse
from bascule.model.response import Choice, Response


def parse_response(raw: bytes) -> Response:
    """`raw` has passed `read_reply`. Calls without an id get one."""
    body: dict[str, Any] = msgspec.json.decode(raw)
    response_id = text_or_none(body.get("id"))
    choices: list[Choice] = []
    for position, choice in enumerate(body["choices"]):
        reason = choice.get("finish_reason")
        content = parse_message({**choice["message"], "role": "assistant"}, f"choices[{position}].message")
        choices.append(
            Choice(
                content=_with_ids(content, response_id, position),
                finish_reason=FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else None,
                logprobs=choice.get("logprobs"),
            )
        )
    return Response(id=response_id, model=text_or_none(body.get("model")), choices=tuple(choices))


def _with_ids(content: tuple[Block, ...], response_id: str | None, choice: int) -> tuple[Block, ...]:
    return tuple(
        replace(block, id=made_call_id(response_id, choice, call))
        if isinstance(block, ToolUse) and not block.id
        else block
        for call, block in enumerate(content)
    )
