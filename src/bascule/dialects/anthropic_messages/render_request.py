"""A canonical request in Anthropic's words."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from bascule.dialects.anthropic_messages.parse_content import NAME
from bascule.dialects.anthropic_messages.thinking_mode import thinks_adaptively
from bascule.dialects.anthropic_messages.unsigned import thinking_must_go
from bascule.dialects.base import Body, Target
from bascule.dialects.cache_marks import is_too_short, marked
from bascule.dialects.names import ANTHROPIC_NAME_CHARS, CUSTOM_SCHEMA, call_id, tool_name
from bascule.dialects.openai_chat.quirks import system_element
from bascule.dialects.remembered import Remembered
from bascule.dialects.thinking_budget import thinking_budget
from bascule.model.errors import Refusal
from bascule.model.request import (
    Audio,
    Block,
    Carried,
    Document,
    Image,
    Message,
    RedactedThinking,
    RefusalText,
    Request,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
)

DEFAULT_MAX_TOKENS = 16_000
"""Sent where neither the client nor the engine set the cap that this dialect requires."""

_EMPTY_SCHEMA: Body = {"type": "object", "properties": {}}


def render_request(request: Request, target: Target) -> bytes | Refusal:
    """The body for an Anthropic-type provider, or why there is none.

    Quirks: `adaptive_thinking` (effort goes as `output_config.effort` with adaptive thinking, as with models that
    are known for it; else as a thinking budget), `mid_system` (a system message may stand in the middle),
    `no_json_schema`, `no_sampling` (no temperature and top_p).
    """
    if (refusal := _unsupported(request)) is not None:
        return refusal
    system, messages = _conversation(request, target)
    max_tokens = target.max_tokens or request.max_tokens or DEFAULT_MAX_TOKENS
    body: Body = {"model": target.upstream_model, "max_tokens": max_tokens, "messages": messages}
    if request.tools:
        body["tools"] = _TOOLS(request.tools)
        if (choice := _tool_choice(request.tool_choice, request.tools)) is not None:
            body["tool_choice"] = choice
    elif called := _called(messages):
        # Anthropic refuses calls in the history without any tools: name them, and allow none.
        body["tools"] = [{"name": name, "input_schema": _EMPTY_SCHEMA} for name in called]
        body["tool_choice"] = {"type": "none"}
    _format(request, target, body, system)
    if system:
        body["system"] = system
    _thinking(request, target, body)
    if "no_sampling" not in target.quirks:
        _sampling(request, body)
    if stops := [stop for stop in request.stop if stop.strip()]:
        body["stop_sequences"] = stops
    if request.user is not None:
        body["metadata"] = {"user_id": request.user}
    if request.stream:
        body["stream"] = True
    return _marked_bytes(body, target)


def _marked_bytes(body: Body, target: Target) -> bytes:
    """The body's bytes, with cache marks where they pay."""
    raw = msgspec.json.encode(body if (given := marked(body, target.cache_marks)) is None else given)
    if given is not None and is_too_short(len(raw), target.upstream_model):
        return msgspec.json.encode(body)
    return raw


def _unsupported(request: Request) -> Refusal | None:
    def refuse(message: str, param: str) -> Refusal:
        return Refusal(kind="unsupported", message=message, param=param)

    if request.n > 1:
        return refuse("this model's provider gives one answer a request; send `n` requests", "n")
    if request.logprobs:
        return refuse("this model's provider gives no log probabilities", "logprobs")
    for tool in request.tools:
        if tool.kind == "hosted":
            return refuse(f"the tool `{tool.name}` is run by its own vendor and has no counterpart here", "tools")
    for message in request.messages:
        for block in message.content:
            if type(block) is Text:
                continue
            if isinstance(block, Audio):
                return refuse("this model's provider takes no audio", "messages")
            if isinstance(block, Image | Document) and block.file_id is not None:
                return refuse("a file uploaded to another vendor cannot be read here; send its content", "messages")
    return None


def _conversation(request: Request, target: Target) -> tuple[list[Body], list[Body]]:
    """(system blocks, messages): turns alternate, begin with the user, and none is empty."""
    system = [_text(text) for text in request.instructions if text.text.strip()]
    messages: list[Body] = []
    for message in request.messages:
        if message.role == "system" and "mid_system" not in target.quirks:
            text = "\n".join([block.text for block in message.content if isinstance(block, Text)])
            role, blocks = "user", [{"type": "text", "text": system_element(text)}] if text else []
        else:
            role, blocks = message.role, _blocks(message)
        if not blocks:
            continue
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": role, "content": blocks})
    for turn in messages:
        if turn["role"] == "user" and len(turn["content"]) > 1:
            turn["content"].sort(key=_results_first)
    if not messages:
        # A system prompt alone is a request elsewhere; here it has to be said by the user.
        return [], [{"role": "user", "content": system or [{"type": "text", "text": "."}]}]
    if messages[0]["role"] == "assistant":
        messages.insert(0, {"role": "user", "content": [{"type": "text", "text": "."}]})
    _trim_prefill(messages[-1])
    return system, messages


def _results_first(block: Body) -> bool:
    return bool(block["type"] != "tool_result")


def _trim_prefill(last: Body) -> None:
    """An answer to be continued may not end in whitespace."""
    block = last["content"][-1]
    if last["role"] == "assistant" and block["type"] == "text":
        block["text"] = block["text"].rstrip() or "."


def _blocks(message: Message) -> list[Body]:
    return [rendered for block in message.content if (rendered := _block(block)) is not None]


def _block(block: Block) -> Body | None:
    """None for what Anthropic must not or cannot see: empty text, reasoning that it did not sign, foreign blocks."""
    if isinstance(block, Text):
        return _text(block) if block.text.strip() else None
    if isinstance(block, ToolUse):
        return {
            "type": "tool_use",
            "id": call_id(block.id),
            "name": tool_name(block.name, ANTHROPIC_NAME_CHARS),
            "input": {"input": block.arguments} if block.kind == "custom" else arguments_object(block.arguments),
        }
    if isinstance(block, ToolResult):
        return _result(block)
    if isinstance(block, Image):
        return _marked({"type": "image", "source": _source(block)}, block.carried)
    if isinstance(block, Document):
        return _document(block)
    if isinstance(block, Thinking):
        if block.signature is None or block.signature.dialect != NAME:
            return None
        return {"type": "thinking", "thinking": block.text, "signature": block.signature.value}
    if isinstance(block, RedactedThinking) and block.signature.dialect == NAME:
        return {"type": "redacted_thinking", "data": block.signature.value}
    if isinstance(block, RefusalText):
        return {"type": "text", "text": block.text} if block.text.strip() else None
    return None


def arguments_object(arguments: str) -> Body:
    """A call's arguments as the object that Anthropic requires; text that is none is kept under `invalid_json`."""
    if not arguments.strip():
        return {}
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return {"invalid_json": arguments}
    return value if isinstance(value, dict) else {"invalid_json": arguments}


def _text(block: Text) -> Body:
    return _marked({"type": "text", "text": block.text}, block.carried)


def _marked(rendered: Body, carried: Carried) -> Body:
    if not carried:
        return rendered
    mark = carried.get(NAME, {}).get("cache_control")
    return {**rendered, "cache_control": mark} if mark is not None else rendered


def _result(block: ToolResult) -> Body:
    rendered: Body = {"type": "tool_result", "tool_use_id": call_id(block.tool_use_id)}
    if content := [part for part in map(_block, block.content) if part is not None]:
        rendered["content"] = content
    if block.is_error:
        rendered["is_error"] = True
    return _marked(rendered, block.carried)


def _source(block: Image) -> Body:
    if block.data is not None:
        return {"type": "base64", "media_type": block.media_type, "data": block.data}
    return {"type": "url", "url": block.url}


def _document(block: Document) -> Body:
    if block.text is not None:
        source = {"type": "text", "media_type": "text/plain", "data": block.text}
    elif block.data is not None:
        source = {"type": "base64", "media_type": block.media_type or "application/pdf", "data": block.data}
    else:
        source = {"type": "url", "url": block.url or ""}
    rendered: Body = {"type": "document", "source": source}
    if block.name is not None:
        rendered["title"] = block.name
    if block.context is not None:
        rendered["context"] = block.context
    return _marked(rendered, block.carried)


def _tool(tool: Tool) -> Body:
    schema: Body = tool.schema or _EMPTY_SCHEMA
    if tool.kind == "custom":
        schema = CUSTOM_SCHEMA
    elif "type" not in schema:
        schema = {"type": "object", **schema}
    rendered: Body = {"name": tool_name(tool.name, ANTHROPIC_NAME_CHARS), "input_schema": _encoded(schema)}
    if tool.description:
        rendered["description"] = _encoded(tool.description)
    return _marked(rendered, tool.carried)


def _encoded(value: Any) -> Raw:
    """Encoded here, since the list is remembered."""
    return Raw(msgspec.json.encode(value))


def _tools(tools: tuple[Tool, ...]) -> list[Body]:
    return [_tool(tool) for tool in tools]


_TOOLS = Remembered(_tools)


def _tool_choice(choice: ToolChoice | None, tools: Sequence[Tool]) -> Body | None:
    if choice is None:
        return None
    rendered: Body = {"type": "any" if choice.mode == "required" else choice.mode}
    if choice.mode == "tool":
        if all(tool.name != choice.name for tool in tools):
            return None
        rendered["name"] = tool_name(choice.name or "", ANTHROPIC_NAME_CHARS)
    if choice.parallel is False and choice.mode != "none":
        rendered["disable_parallel_tool_use"] = True
    return rendered


def _called(messages: list[Body]) -> list[str]:
    """The names of the tools that the history calls, each once."""
    names = [block["name"] for turn in messages for block in turn["content"] if block["type"] == "tool_use"]
    return list(dict.fromkeys(names))


def _format(request: Request, target: Target, body: Body, system: list[Body]) -> None:
    wanted = request.response_format
    if wanted is None:
        return
    if wanted.kind == "json_schema" and "no_json_schema" not in target.quirks:
        body["output_config"] = {"format": {"type": "json_schema", "schema": wanted.schema}}
        return
    text = "Answer with one JSON object and nothing else."
    if wanted.schema is not None:
        text += f" It must be valid under this JSON Schema: {msgspec.json.encode(wanted.schema).decode()}"
    system.append({"type": "text", "text": text})


def _thinking(request: Request, target: Target, body: Body) -> None:
    """Thinking as asked for, where Anthropic's own rules allow it in this request."""
    wanted = request.reasoning
    if wanted is None or not wanted.enabled or wanted.effort == "minimal":
        return
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        return  # a forced tool and thinking exclude each other
    if "adaptive_thinking" in target.quirks or thinks_adaptively(target.upstream_model):
        body["thinking"] = {"type": "adaptive"}
        if wanted.effort is not None:
            body.setdefault("output_config", {})["effort"] = wanted.effort
        return
    budget = thinking_budget(wanted, body["max_tokens"])
    if budget is None or thinking_must_go(body["messages"]):
        return
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _sampling(request: Request, body: Body) -> None:
    """Temperature ends at 1 here, excludes `top_p`, and thinking takes neither."""
    if "thinking" in body:
        return
    if (temperature := request.temperature) is not None:
        body["temperature"] = min(max(temperature, 0.0), 1.0)
    elif request.top_p is not None:
        body["top_p"] = request.top_p
    if request.top_k is not None:
        body["top_k"] = request.top_k
