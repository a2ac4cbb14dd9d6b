"""A whole Chat Completions answer to canonical form."""

from typing import Any

import msgspec
from msgspec.structs import replace

from bascule.dialects.fields import text_or_none
from bascule.dialects.names import made_call_id
from bascule.dialects.openai_chat.parse_message import parse_message
from bascule.dialects.openai_chat.response import FINISH_REASONS
from bascule.dialects.out_of_range import decode_answer
from bascule.model.request import Block, ToolUse
from bascule.model.response import Choice, Response

_DETAIL_TEXTS = ("text", "signature", "data")


def parse_response(raw: bytes) -> Response:
    """`raw` has passed `read_reply`. Calls without an id get one."""
    body: dict[str, Any] = decode_answer(raw)
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
        cleaned["content"] = [
            {"type": "text", "text": part["text"]}
            for part in parts
            if part.get("type") == "text" and type(part.get("text")) is str
        ]
        thoughts = [thought_text(part) for part in parts if part.get("type") == "thinking"]
        if thoughts:
            cleaned["reasoning_content"] = "\n".join(thoughts)
    elif not isinstance(content, str):
        cleaned["content"] = None
    for name in ("refusal", "reasoning_content", "reasoning"):
        if not isinstance(cleaned.get(name), str):
            cleaned[name] = None
    cleaned.pop("cache_control", None)
    details = _list(message.get("reasoning_details"))
    cleaned["reasoning_details"] = [detail for detail in details if _is_detail(detail)]
    cleaned["tool_calls"] = [_call(call) for call in _list(message.get("tool_calls")) if _is_call(call)]
    legacy: Any = message.get("function_call")
    cleaned["function_call"] = _function(legacy) if _is_named(legacy) else None
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


def _is_detail(detail: Any) -> bool:
    return isinstance(detail, dict) and all(isinstance(detail.get(name, ""), str | None) for name in _DETAIL_TEXTS)


def _is_named(function: Any) -> bool:
    return isinstance(function, dict) and isinstance(function.get("name"), str) and function["name"] != ""


def _is_call(call: Any) -> bool:
    return isinstance(call, dict) and _is_named(call.get("function") or call.get("custom"))


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """A call with texts where they have to be: an id that is none is missing, arguments are JSON of whatever kind."""
    given = call.get("id")
    cleaned = {**call, "id": given if isinstance(given, str) else None, "type": None}
    if call.get("function"):
        return {**cleaned, "function": _function(call["function"])}
    text = call["custom"].get("input")
    return {**cleaned, "function": None, "custom": {**call["custom"], "input": text_or_none(text)}}


def _function(function: dict[str, Any]) -> dict[str, Any]:
    arguments = function.get("arguments")
    if arguments is None or isinstance(arguments, str):
        return function
    return {**function, "arguments": msgspec.json.encode(arguments).decode()}


def _with_ids(content: tuple[Block, ...], response_id: str | None, choice: int) -> tuple[Block, ...]:
    return tuple(
        replace(block, id=made_call_id(response_id, choice, call))
        if isinstance(block, ToolUse) and not block.id
        else block
        for call, block in enumerate(content)
    )
