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
        content = parse_message(_cleaned(choice["message"]), f"choices[{position}].message")
        choices.append(
            Choice(
                content=_with_ids(content, response_id, position),
                finish_reason=FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else None,
                logprobs=choice.get("logprobs"),
            )
        )
    return Response(id=response_id, model=text_or_none(body.get("model")), choices=tuple(choices))


def _cleaned(message: dict[str, Any]) -> dict[str, Any]:
    """A provider's message less what is no answer: unknown parts, calls without a name. Mistral sends its reasoning
    as a part of type `thinking`."""
    cleaned = {**message, "role": "assistant"}
    if isinstance(content := message.get("content"), list):
        parts = [part for part in content if isinstance(part, dict)]
        cleaned["content"] = [part for part in parts if part.get("type") == "text" and type(part.get("text")) is str]
        thoughts = [thought_text(part) for part in parts if part.get("type") == "thinking"]
        if thoughts:
            cleaned["reasoning_content"] = "\n".join(thoughts)
    elif not isinstance(content, str):
        cleaned["content"] = None
    calls = message.get("tool_calls")
    cleaned["tool_calls"] = [call for call in calls if _is_call(call)] if isinstance(calls, list) else None
    return cleaned


def thought_text(part: dict[str, Any]) -> str:
    """The text of a part of type `thinking`."""
    thinking = part.get("thinking")
    if isinstance(thinking, str):
        return thinking
    pieces = [piece.get("text") for piece in _list(thinking) if isinstance(piece, dict)]
    return "".join([piece for piece in pieces if isinstance(piece, str)])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_call(call: Any) -> bool:
    function = (call.get("function") or call.get("custom")) if isinstance(call, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def _with_ids(content: tuple[Block, ...], response_id: str | None, choice: int) -> tuple[Block, ...]:
    return tuple(
        replace(block, id=made_call_id(response_id, choice, call))
        if isinstance(block, ToolUse) and not block.id
        else block
        for call, block in enumerate(content)
    )
