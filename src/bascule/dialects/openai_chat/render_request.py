"""A canonical request in Chat Completions' words."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from bascule.dialects.base import Body, Target
from bascule.dialects.names import CUSTOM_SCHEMA, OPENAI_NAME_CHARS, call_id, tool_name
from bascule.dialects.openai_chat.cache_marks import marked
from bascule.dialects.openai_chat.quirks import adapt_body
from bascule.dialects.remembered import Remembered
from bascule.model.errors import Refusal
from bascule.model.request import (
    Audio,
    Block,
    Document,
    Image,
    Message,
    Reasoning,
    RefusalText,
    Request,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)


def render_request(request: Request, target: Target) -> bytes | Refusal:
    """The body for an OpenAI-type provider, or why there is none.

    Quirks beyond those of `quirks.py`: `reasoning_content` (earlier reasoning is sent back), `reasoning_effort` (the
    field is understood), `top_k` (likewise), `prompt_cache_key` (likewise: requests are routed by it to where their
    beginning is cached), `cache_control` (marks are passed on to Anthropic).
    """
    for tool in request.tools:
        if tool.kind == "hosted":
            return Refusal(
                kind="unsupported",
                message=f"the tool `{tool.name}` is run by its own vendor and has no counterpart at this provider; "
                "leave it out or choose a model of that vendor",
                param="tools",
            )
    for message in request.messages:
        for block in message.content:
            if type(block) is Text:
                continue
            for part in block.content if isinstance(block, ToolResult) else (block,):
                if (refusal := _out_of_reach(part)) is not None:
                    return refusal
    body: Body = {"model": target.upstream_model, "messages": _messages(request, target)}
    cap = request.max_tokens if target.max_tokens is None else target.max_tokens
    if cap is not None:
        body[target.max_tokens_field] = cap
    _sampling(request, target, body)
    _tools(request, body)
    if (wanted := request.response_format) is not None:
        body["response_format"] = {"type": wanted.kind}
        if wanted.kind == "json_schema":
            schema = wanted.schema or {}
            strict = is_strict(schema) if wanted.strict is None else wanted.strict
            body["response_format"]["json_schema"] = {
                "name": wanted.name or "answer",
                "schema": schema,
                "strict": strict,
            }
    if "reasoning_effort" in target.quirks and (effort := _effort(request.reasoning)) is not None:
        body["reasoning_effort"] = effort
    if request.stream:
        body["stream"] = True
        if target.stream_usage == "stream_options":
            body["stream_options"] = {"include_usage": True}
    if "prompt_cache_key" in target.quirks and (key := request.cache_key or target.cache_key) is not None:
        body["prompt_cache_key"] = key
    body = adapt_body(body, target.quirks)
    if "cache_control" in target.quirks:
        body = marked(body, target.cache_marks)
    return msgspec.json.encode(body)


def _out_of_reach(block: Block) -> Refusal | None:
    """Of a block whose content this provider cannot get at. It takes images by their address, but no documents."""
    if type(block) is not Document and type(block) is not Image:
        return None
    if block.file_id is not None:
        what = "a file that was uploaded to another vendor"
    elif isinstance(block, Document) and block.url is not None:
        what = "a document that is given by its address"
    else:
        return None
    return Refusal(kind="unsupported", message=f"{what} cannot be read here; send its content", param="messages")


def is_strict(schema: Any) -> bool:
    """True for a schema that OpenAI's strict mode takes: every object closed, every property required."""
    if isinstance(schema, list):
        return all(is_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        required = schema.get("required") or []
        if not isinstance(properties, dict) or not isinstance(required, list):
            return False
        if schema.get("additionalProperties") is not False or sorted(map(str, required)) != sorted(properties):
            return False
        return all(is_strict(value) for value in properties.values())
    return all(is_strict(value) for key, value in schema.items() if key not in ("enum", "const", "default"))


def _messages(request: Request, target: Target) -> list[Body]:
    out: list[Body] = []
    if request.instructions:
        out.append({"role": "system", "content": "\n\n".join([text.text for text in request.instructions])})
    deferred: list[Body] = []
    open_calls = False
    for message in request.messages:
        if message.role == "system":
            rendered = _system(message)
            # A system message may not come between calls and their results.
            (deferred if open_calls else out).append(rendered)
        elif message.role == "assistant":
            out += deferred
            deferred = []
            if (turn := _assistant(message, target)) is not None:
                out.append(turn)
                open_calls = "tool_calls" in turn
        else:
            results, rest = _user(message)
            out += results
            out += deferred
            deferred = []
            open_calls = False
            if rest is not None:
                out.append(rest)
    return out + deferred


def _system(message: Message) -> Body:
    role = message.carried.get("openai_chat", {}).get("role", "system")
    return {"role": role, "content": _joined(message.content)}


def _assistant(message: Message, target: Target) -> Body | None:
    text: list[str] = []
    thoughts: list[str] = []
    calls: list[Body] = []
    refusal: str | None = None
    for block in message.content:
        if isinstance(block, Text):
            text.append(block.text)
        elif isinstance(block, Thinking):
            thoughts.append(block.text)
        elif isinstance(block, ToolUse):
            calls.append(_call(block))
        elif isinstance(block, RefusalText):
            refusal = block.text
    if not text and not calls and refusal is None:
        return None
    turn: Body = {"role": "assistant", "content": "".join(text) if text else None}
    if refusal is not None:
        turn["refusal"] = refusal
    if thoughts and "reasoning_content" in target.quirks:
        turn["reasoning_content"] = "\n".join(thoughts)
    if calls:
        turn["tool_calls"] = calls
    return turn


def _call(block: ToolUse) -> Body:
    name = tool_name(block.name, OPENAI_NAME_CHARS)
    custom = block.kind == "custom"
    arguments = msgspec.json.encode({"input": block.arguments}).decode() if custom else block.arguments or "{}"
    call: Body = {
        "id": call_id(block.id),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
    if block.signature is not None and block.signature.dialect == "openai_chat":
        call["extra_content"] = {"google": {"thought_signature": block.signature.value}}
    return call


def _user(message: Message) -> tuple[list[Body], Body | None]:
    """Tool messages for the results, and what else the turn says. A result's images follow in the user message,
    since tool messages hold text only."""
    results: list[Body] = []
    parts: list[Body] = []
    for block in message.content:
        if isinstance(block, ToolResult):
            results.append({"role": "tool", "tool_call_id": call_id(block.tool_use_id), "content": _result_text(block)})
            pictures = [part for part in map(_part, block.content) if part is not None and part["type"] != "text"]
            if pictures:
                parts.append({"type": "text", "text": f"Result of the tool call {call_id(block.tool_use_id)}:"})
                parts += pictures
        elif (part := _part(block)) is not None:
            parts.append(part)
    if not parts:
        return results, None
    single = parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else None
    rest: Body = {"role": "user", "content": parts if single is None else single}
    if message.name is not None:
        rest["name"] = message.name
    return results, rest


def _result_text(block: ToolResult) -> str:
    parts = [part for part in map(_part, block.content) if part is not None and part["type"] == "text"]
    text = "\n".join([part["text"] for part in parts])
    if not text and any(isinstance(part, Image | Document) for part in block.content):
        text = "(the result follows in the next message)"
    return f"Error: {text}" if block.is_error and not text.lower().startswith("error") else text


def _joined(blocks: Sequence[Block]) -> str:
    return "\n".join([block.text for block in blocks if isinstance(block, Text)])


def _part(block: Block) -> Body | None:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text} if block.text else None
    if isinstance(block, Image):
        image = {"url": block.url if block.data is None else f"data:{block.media_type};base64,{block.data}"}
        if block.detail is not None:
            image["detail"] = block.detail
        return {"type": "image_url", "image_url": image}
    if isinstance(block, Document):
        return _document(block)
    if isinstance(block, Audio):
        return {"type": "input_audio", "input_audio": {"data": block.data, "format": block.format}}
    return None


def _document(block: Document) -> Body:
    if block.text is not None:
        title = f"{block.name}:\n" if block.name else ""
        context = f"{block.context}\n" if block.context else ""
        return {"type": "text", "text": f"{title}{context}{block.text}"}
    data = f"data:{block.media_type};base64,{block.data}"
    return {"type": "file", "file": {"filename": block.name or "document.pdf", "file_data": data}}


def _sampling(request: Request, target: Target, body: Body) -> None:
    for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias", "seed", "user"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    if request.top_k is not None and "top_k" in target.quirks:
        body["top_k"] = request.top_k
    if request.n > 1:
        body["n"] = request.n
    if request.logprobs:
        body["logprobs"] = True
        if request.top_logprobs is not None:
            body["top_logprobs"] = request.top_logprobs
    if request.stop:
        body["stop"] = list(request.stop)


def _tools(request: Request, body: Body) -> None:
    if not request.tools:
        return
    body["tools"] = _TOOLS(request.tools)
    choice = request.tool_choice
    if choice is None:
        return
    if choice.mode == "tool":
        if any(tool.name == choice.name for tool in request.tools):
            name = tool_name(choice.name or "", OPENAI_NAME_CHARS)
            body["tool_choice"] = {"type": "function", "function": {"name": name}}
    else:
        body["tool_choice"] = choice.mode
    if choice.parallel is not None:
        body["parallel_tool_calls"] = choice.parallel


def _tool(tool: Tool) -> Body:
    name = tool_name(tool.name, OPENAI_NAME_CHARS)
    function: Body = {"name": name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.kind == "custom":  # few providers of this dialect know free text as an argument
        function["parameters"] = CUSTOM_SCHEMA
        return {"type": "function", "function": function}
    function["parameters"] = tool.schema or {"type": "object", "properties": {}}
    if tool.strict is not None:
        function["strict"] = tool.strict
    # Encoded here, since the list is remembered.
    return {"type": "function", "function": Raw(msgspec.json.encode(function))}


def _rendered(tools: tuple[Tool, ...]) -> list[Body]:
    return [_tool(tool) for tool in tools]


_TOOLS = Remembered(_rendered)


def _effort(reasoning: Reasoning | None) -> str | None:
    if reasoning is None or reasoning.enabled is False:
        return None
    if reasoning.effort is not None:
        return "high" if reasoning.effort == "max" else reasoning.effort
    if reasoning.budget_tokens is None:
        return None
    return "low" if reasoning.budget_tokens <= 2_048 else "medium" if reasoning.budget_tokens <= 8_192 else "high"
