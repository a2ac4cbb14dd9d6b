"""A whole Responses answer to canonical form."""

from typing import Any

import msgspec

from bascule.dialects.fields import text_or_none
from bascule.dialects.names import made_call_id
from bascule.dialects.openai_responses.names import flat_name
from bascule.dialects.openai_responses.response import decode_response, finish_reason, has_calls
from bascule.dialects.openai_responses.signature import item_signature
from bascule.model.request import Block, RedactedThinking, RefusalText, Text, Thinking, ToolUse
from bascule.model.response import Choice, Response


def parse_response(raw: bytes) -> Response:
    """`raw` has passed `read_reply`. What a hosted tool did says nothing elsewhere: the answer that came of it does."""
    response = decode_response(raw)
    given = text_or_none(response.id)
    blocks: list[Block] = []
    logprobs: list[Any] = []
    for position, item in enumerate(response.output):
        if type(item) is dict:
            blocks += item_blocks(item, given, position)
            logprobs += _logprobs(item)
    choice = Choice(
        content=tuple(blocks),
        finish_reason=finish_reason(response, has_calls(response.output)),
        logprobs={"content": logprobs, "refusal": None} if logprobs else None,
    )
    return Response(id=given, model=text_or_none(response.model), choices=(choice,))


def item_blocks(item: dict[str, Any], response_id: str | None, position: int) -> list[Block]:
    """What a client is told of one item; nothing of an item of another kind or shape. A call without an id gets one."""
    kind = item.get("type")
    if kind == "message":
        return [block for part in _parts(item, "content") if (block := _part(part)) is not None]
    if kind == "reasoning":
        thought = reasoning_block(item)
        return [] if thought is None else [thought]
    if kind == "function_call" or kind == "custom_tool_call":
        return [_call(item, response_id, position)]
    return []


def reasoning_text(item: dict[str, Any]) -> str:
    """The summary, or where there is none the reasoning itself (of models with open weights)."""
    for name in ("summary", "content"):
        texts = [text for part in _parts(item, name) if (text := text_or_none(part.get("text")))]
        if texts:
            return "\n\n".join(texts)
    return ""


def reasoning_block(item: dict[str, Any]) -> Thinking | RedactedThinking | None:
    """None of an item that holds nothing."""
    signature, _ = item_signature(text_or_none(item.get("id")), text_or_none(item.get("encrypted_content")))
    if thought := reasoning_text(item):
        return Thinking(text=thought, signature=signature)
    return None if signature is None else RedactedThinking(signature=signature)


def call_arguments(item: dict[str, Any]) -> str:
    """Of a call as it stands in an item: JSON text, or a custom tool's free text."""
    given = item.get("input" if item.get("type") == "custom_tool_call" else "arguments")
    if given is None or type(given) is str:
        return given or ""
    return msgspec.json.encode(given).decode()


def call_name(item: dict[str, Any]) -> str:
    """One name, even where the provider sets a namespace apart."""
    return flat_name(text_or_none(item.get("namespace")), text_or_none(item.get("name")) or "unknown")


def call_id_of(item: dict[str, Any], response_id: str | None, position: int) -> str:
    """`call_id`, which results refer to; the item's own `id` is another."""
    return text_or_none(item.get("call_id")) or made_call_id(response_id, 0, position)


def _call(item: dict[str, Any], response_id: str | None, position: int) -> ToolUse:
    return ToolUse(
        id=call_id_of(item, response_id, position),
        name=call_name(item),
        arguments=call_arguments(item),
        kind="custom" if item.get("type") == "custom_tool_call" else "function",
    )


def _part(part: dict[str, Any]) -> Text | RefusalText | None:
    if part.get("type") == "refusal":
        refusal = text_or_none(part.get("refusal"))
        return RefusalText(text=refusal) if refusal else None
    text = text_or_none(part.get("text"))
    return Text(text=text) if text else None


def _parts(item: dict[str, Any], name: str) -> list[dict[str, Any]]:
    parts = item.get(name)
    return [part for part in parts if type(part) is dict] if type(parts) is list else []


def _logprobs(item: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    if item.get("type") == "message":
        for part in _parts(item, "content"):
            given = part.get("logprobs")
            found += given if type(given) is list else []
    return found
