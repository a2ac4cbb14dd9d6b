"""A Messages request to canonical form."""

from typing import Any

import msgspec
from msgspec import Raw

from bascule.dialects.anthropic_messages.facts import BILLING_HEADER, is_client_json
from bascule.dialects.anthropic_messages.unsigned import FOREIGN_SIGNATURE
from bascule.dialects.names import split_call_id
from bascule.model.errors import MalformedRequest
from bascule.model.request import (
    Block,
    Carried,
    Document,
    Image,
    Message,
    Opaque,
    Reasoning,
    RedactedThinking,
    Request,
    ResponseFormat,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
)

NAME = "anthropic_messages"
_CHOICES = {"auto": "auto", "any": "required", "none": "none", "tool": "tool"}
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})


def parse_request(body: dict[str, Any]) -> Request:
    """Raises MalformedRequest naming the field. Unknown fields and betas are left out."""
    get = body.get
    user = (get("metadata") or {}).get("user_id")
    return Request(
        model=body["model"],
        instructions=_instructions(get("system")),
        messages=tuple(
            Message(role=_role(message, index), content=parse_content(message["content"], f"messages[{index}].content"))
            for index, message in enumerate(body["messages"])
        ),
        tools=tuple(_tool(tool) for tool in get("tools") or ()),
        tool_choice=_tool_choice(get("tool_choice")),
        max_tokens=get("max_tokens"),
        temperature=get("temperature"),
        top_p=get("top_p"),
        top_k=get("top_k"),
        stop=tuple(get("stop_sequences") or ()),
        response_format=_response_format(body),
        reasoning=_reasoning(body),
        stream=bool(get("stream")),
        user=user if isinstance(user, str) and not is_client_json(user) else None,
    )


def parse_content(content: Any, where: str) -> tuple[Block, ...]:
    """Text or a list of blocks, also those of an answer. Empty text is left out."""
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise MalformedRequest(f"`{where}` must be text or a list of blocks", where)
    return tuple(block for given in content if (block := _block(given, where)) is not None)


def _role(message: dict[str, Any], index: int) -> Any:
    role = message["role"]
    if role not in ("user", "assistant", "system"):
        raise MalformedRequest(f"`messages[{index}].role` is {role!r}, which is no role", f"messages[{index}].role")
    return role


def _instructions(system: Any) -> tuple[Text, ...]:
    """The system prompt less Claude Code's billing line, which would defeat every prefix cache."""
    if isinstance(system, str):
        return (Text(text=system),) if system else ()
    texts = [block for block in parse_content(system or [], "system") if isinstance(block, Text)]
    return tuple(text for text in texts if not text.text.startswith(BILLING_HEADER))


def _block(block: dict[str, Any], where: str) -> Block | None:
    kind = block.get("type")
    if kind == "text":
        text = block.get("text")
        return Text(text=text, carried=_carried(block, "citations")) if isinstance(text, str) and text else None
    if kind == "tool_use":
        arguments = msgspec.json.encode(block.get("input") or {}).decode()
        given, signature = split_call_id(_required(block, "id", where))
        return ToolUse(
            id=given,
            name=_required(block, "name", where),
            arguments=arguments,
            signature=None if signature is None else Signature("openai_chat", signature),
            carried=_carried(block),
        )
    if kind == "tool_result":
        return ToolResult(
            tool_use_id=split_call_id(_required(block, "tool_use_id", where))[0],
            content=parse_content(block.get("content") or [], where),
            is_error=block.get("is_error") is True,
            carried=_carried(block),
        )
    if kind == "image":
        return _image(block, where)
    if kind == "document":
        return _document(block, where)
    if kind == "thinking":
        signature = block.get("signature")
        text = str(block.get("thinking") or "")
        if not isinstance(signature, str) or signature in ("", FOREIGN_SIGNATURE):
            return Thinking(text=text)
        return Thinking(text=text, signature=Signature(NAME, signature))
    if kind == "redacted_thinking":
        return RedactedThinking(signature=Signature(NAME, str(block.get("data"))))
    return Opaque(dialect=NAME, raw=Raw(msgspec.json.encode(block)))


def _image(block: dict[str, Any], where: str) -> Image:
    source = block.get("source")
    kind = source.get("type") if isinstance(source, dict) else None
    if not isinstance(source, dict) or kind not in ("base64", "url", "file"):
        raise MalformedRequest(f"`{where}` has an image without a source", where)
    if kind == "base64":
        return Image(data=source.get("data"), media_type=source.get("media_type"), carried=_carried(block))
    if kind == "url":
        return Image(url=source.get("url"), carried=_carried(block))
    return Image(file_id=source.get("file_id"), carried=_carried(block))


def _document(block: dict[str, Any], where: str) -> Document:
    source = block.get("source")
    if not isinstance(source, dict):
        raise MalformedRequest(f"`{where}` has a document without a source", where)
    kind = source.get("type")
    text = data = None
    if kind == "text":
        text = source.get("data")
    elif kind == "content":
        content = parse_content(source.get("content") or [], where)
        text = "\n".join([part.text for part in content if isinstance(part, Text)])
    elif kind == "base64":
        data = source.get("data")
    return Document(
        text=text,
        data=data,
        url=source.get("url"),
        file_id=source.get("file_id"),
        media_type=source.get("media_type"),
        name=block.get("title"),
        context=block.get("context"),
        carried=_carried(block, "citations"),
    )


def _tool(tool: dict[str, Any]) -> Tool:
    kind = tool.get("type")
    if kind is not None and kind != "custom":
        return Tool(name=str(kind), kind="hosted", carried={NAME: tool})
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise MalformedRequest("`tools` holds a tool without a `name`", "tools")
    schema = tool.get("input_schema")
    return Tool(
        name=name,
        description=tool.get("description"),
        schema=schema if isinstance(schema, dict) else None,
        strict=tool.get("strict"),
        carried=_carried(tool),
    )


def _tool_choice(choice: Any) -> ToolChoice | None:
    if not isinstance(choice, dict):
        return None
    mode: Any = _CHOICES.get(str(choice.get("type")))
    if mode is None:
        raise MalformedRequest("`tool_choice.type` must be auto, any, tool or none", "tool_choice.type")
    serial = choice.get("disable_parallel_tool_use")
    return ToolChoice(
        mode=mode, name=choice.get("name"), parallel=not serial if isinstance(serial, bool) and serial else None
    )


def _response_format(body: dict[str, Any]) -> ResponseFormat | None:
    config = body.get("output_config")
    wanted = config.get("format") if isinstance(config, dict) else body.get("output_format")
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        return None
    schema = wanted.get("schema")
    if not isinstance(schema, dict):
        raise MalformedRequest("`output_config.format.schema` is missing", "output_config.format.schema")
    return ResponseFormat(kind="json_schema", schema=schema)


def _reasoning(body: dict[str, Any]) -> Reasoning | None:
    """`effort` steers more than thinking at Anthropic; elsewhere it only has a meaning while thinking is on."""
    thinking = body.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if kind is None:
        return None
    if kind == "disabled":
        return Reasoning(enabled=False)
    config = body.get("output_config")
    effort = config.get("effort") if isinstance(config, dict) else None
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    return Reasoning(
        enabled=True,
        effort=effort if effort in _EFFORTS else None,
        budget_tokens=budget if isinstance(budget, int) else None,
    )


def _carried(block: dict[str, Any], *more: str) -> Carried:
    kept = {key: block[key] for key in ("cache_control", *more) if block.get(key) is not None}
    return {NAME: kept} if kept else {}


def _required(block: dict[str, Any], name: str, where: str) -> str:
    value = block.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedRequest(f"`{where}` has a {block.get('type')} block without `{name}`", where)
    return value
