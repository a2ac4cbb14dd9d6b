"""A Chat Completions request to canonical form."""

from typing import Any

import msgspec

from bascule.dialects.openai_chat.quirks import SYSTEM_ROLES
from bascule.model.errors import MalformedRequest
from bascule.model.request import (
    Audio,
    Block,
    Carried,
    Document,
    Image,
    Message,
    Reasoning,
    RefusalText,
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

_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})


def parse_request(body: dict[str, Any]) -> Request:
    """Raises MalformedRequest naming the field. Unknown fields are left out."""
    get = body.get
    instructions, messages = _conversation(body["messages"])
    stop = get("stop")
    return Request(
        model=body["model"],
        instructions=instructions,
        messages=messages,
        tools=_tools(get("tools"), get("functions")),
        tool_choice=_tool_choice(get("tool_choice"), get("parallel_tool_calls"), get("function_call")),
        max_tokens=get("max_completion_tokens") or get("max_tokens"),
        n=get("n") or 1,
        temperature=get("temperature"),
        top_p=get("top_p"),
        top_k=get("top_k"),
        frequency_penalty=get("frequency_penalty"),
        presence_penalty=get("presence_penalty"),
        logit_bias=get("logit_bias"),
        logprobs=bool(get("logprobs")),
        top_logprobs=get("top_logprobs"),
        seed=get("seed"),
        stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
        response_format=_response_format(get("response_format")),
        reasoning=_reasoning(body),
        stream=bool(get("stream")),
        user=get("user"),
        metadata=get("metadata") or {},
        service_tier=get("service_tier"),
        cache_key=get("prompt_cache_key"),
    )


def parse_message(message: dict[str, Any], where: str) -> tuple[Block, ...]:
    """The blocks of a message of any role but `tool`; also of an answer's message."""
    blocks: list[Block] = []
    if message.get("role") == "assistant":
        blocks += _thinking(message)
    content = message.get("content")
    if isinstance(content, str):
        if content:
            blocks.append(Text(text=content, carried=_cache_mark(message)))
    elif content is not None:
        blocks += [_part(part, where) for part in _objects(content, where)]
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        blocks.append(RefusalText(text=refusal))
    for call in _objects(message.get("tool_calls") or (), f"{where}.tool_calls"):
        blocks.append(_tool_call(call, f"{where}.tool_calls"))
    if isinstance(legacy := message.get("function_call"), dict):
        name = str(legacy.get("name"))
        blocks.append(ToolUse(id=f"call_{name}", name=name, arguments=_arguments(legacy.get("arguments"))))
    return tuple(blocks)


def _conversation(given: list[Any]) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    instructions: list[Text] = []
    messages: list[Message] = []
    results: list[ToolResult] = []
    for index, message in enumerate(given):
        role = message["role"]
        where = f"messages[{index}]"
        if role in ("tool", "function"):
            results.append(_tool_result(message, where))
            continue
        if results:
            messages.append(Message(role="user", content=tuple(results)))
            results = []
        content = parse_message(message, where)
        if role in SYSTEM_ROLES:
            if not messages:
                instructions += [block for block in content if isinstance(block, Text)]
                continue
            carried: Carried = {"openai_chat": {"role": role}} if role == "developer" else {}
            messages.append(Message(role="system", content=content, carried=carried))
        elif role == "user" or role == "assistant":
            name = message.get("name")
            messages.append(Message(role=role, content=content, name=name if isinstance(name, str) else None))
        else:
            raise MalformedRequest(f"`{where}.role` is {role!r}, which is no role", f"{where}.role")
    if results:
        messages.append(Message(role="user", content=tuple(results)))
    return tuple(instructions), tuple(messages)


def _tool_result(message: dict[str, Any], where: str) -> ToolResult:
    call = message.get("tool_call_id")
    if not isinstance(call, str):
        if message["role"] == "tool":
            raise MalformedRequest(f"`{where}.tool_call_id` is missing", f"{where}.tool_call_id")
        call = f"call_{message.get('name')}"
    content = message.get("content")
    if isinstance(content, list):
        parts = tuple(_part(part, where) for part in _objects(content, where))
    else:
        parts = (Text(text=content),) if content else ()
    return ToolResult(tool_use_id=call, content=parts, carried=_cache_mark(message))


def _thinking(message: dict[str, Any]) -> list[Block]:
    """`reasoning_details` of OpenRouter keep a signature; `reasoning_content` and `reasoning` are text only."""
    details = message.get("reasoning_details")
    if isinstance(details, list):
        found = [
            Thinking(text=str(detail.get("text") or ""), signature=Signature("anthropic_messages", detail["signature"]))
            for detail in details
            if isinstance(detail, dict) and isinstance(detail.get("signature"), str) and detail["signature"]
        ]
        if found:
            return list(found)
    text = message.get("reasoning_content") or message.get("reasoning")
    return [Thinking(text=text)] if isinstance(text, str) and text else []


def _part(part: dict[str, Any], where: str) -> Block:
    kind = part.get("type")
    if kind == "text" and isinstance(text := part.get("text"), str):
        return Text(text=text, carried=_cache_mark(part))
    if kind == "image_url":
        return _image(part, where)
    if kind == "refusal":
        return RefusalText(text=str(part.get("refusal")))
    if kind == "input_audio" and isinstance(audio := part.get("input_audio"), dict):
        return Audio(data=str(audio.get("data")), format=str(audio.get("format")))
    if kind == "file" and isinstance(file := part.get("file"), dict):
        return _file(file)
    raise MalformedRequest(f"`{where}.content` has a part of type {kind!r}, which is not known", f"{where}.content")


def _image(part: dict[str, Any], where: str) -> Image:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str):
        raise MalformedRequest(f"`{where}.content` has an image without a `url`", f"{where}.content")
    detail = image.get("detail") if isinstance(image, dict) else None
    media_type, data = _data_url(url)
    if data is None:
        return Image(url=url, detail=detail, carried=_cache_mark(part))
    return Image(data=data, media_type=media_type, detail=detail, carried=_cache_mark(part))


def _file(file: dict[str, Any]) -> Document:
    name = file.get("filename")
    if isinstance(data := file.get("file_data"), str):
        media_type, payload = _data_url(data)
        return Document(data=payload or data, media_type=media_type or "application/pdf", name=name)
    return Document(file_id=str(file.get("file_id")), name=name)


def _data_url(url: str) -> tuple[str | None, str | None]:
    """(media type, base64 payload) of a data URL; (None, None) for any other."""
    if not url.startswith("data:"):
        return None, None
    head, _, payload = url[5:].partition(",")
    return head.partition(";")[0] or None, payload


def _tool_call(call: dict[str, Any], where: str) -> ToolUse:
    function = call.get("function")
    if isinstance(function, dict) and isinstance(name := function.get("name"), str):
        return ToolUse(
            id=str(call.get("id") or ""),
            name=name,
            arguments=_arguments(function.get("arguments")),
            signature=call_signature(call),
        )
    custom = call.get("custom")
    if isinstance(custom, dict) and isinstance(name := custom.get("name"), str):
        text = custom.get("input")
        return ToolUse(id=str(call.get("id") or ""), name=name, arguments=str(text or ""), kind="custom")
    raise MalformedRequest(f"`{where}` holds a call without a `function.name`", where)


def call_signature(call: dict[str, Any]) -> Signature | None:
    """Gemini's thought signature in its OpenAI-compatible form: `extra_content.google.thought_signature`."""
    extra = call.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    value = google.get("thought_signature") if isinstance(google, dict) else None
    return Signature("openai_chat", value) if isinstance(value, str) and value else None


def _arguments(arguments: Any) -> str:
    """JSON text; some providers send the object itself."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else msgspec.json.encode(arguments).decode()


def _tools(tools: Any, functions: Any) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for tool in _objects(tools or (), "tools"):
        kind = tool.get("type", "function")
        inner = tool.get(kind)
        if kind == "function" and isinstance(inner, dict):
            found.append(_function(inner, _cache_mark(tool)))
        elif kind == "custom" and isinstance(inner, dict):
            found.append(Tool(name=str(inner.get("name")), kind="custom", description=inner.get("description")))
        else:
            found.append(Tool(name=str(kind), kind="hosted", carried={"openai_chat": tool}))
    found += [_function(function, {}) for function in _objects(functions or (), "functions")]
    return tuple(found)


def _function(function: dict[str, Any], carried: Carried) -> Tool:
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise MalformedRequest("`tools` holds a function without a `name`", "tools")
    schema = function.get("parameters")
    return Tool(
        name=name,
        description=function.get("description"),
        schema=schema if isinstance(schema, dict) else None,
        strict=function.get("strict"),
        carried=carried,
    )


def _tool_choice(choice: Any, parallel: Any, legacy: Any) -> ToolChoice | None:
    parallel = parallel if isinstance(parallel, bool) else None
    if choice is None and legacy is not None:
        choice = {"function": legacy} if isinstance(legacy, dict) else legacy
    if isinstance(choice, dict):
        inner = choice.get("function") or choice.get("custom")
        if isinstance(inner, dict) and isinstance(name := inner.get("name"), str):
            return ToolChoice(mode="tool", name=name, parallel=parallel)
        allowed = choice.get("allowed_tools")
        choice = allowed.get("mode") if isinstance(allowed, dict) else "auto"
    if choice == "none" or choice == "required" or choice == "auto":
        return ToolChoice(mode=choice, parallel=parallel)
    return None if parallel is None else ToolChoice(parallel=parallel)


def _response_format(given: Any) -> ResponseFormat | None:
    kind = given.get("type") if isinstance(given, dict) else None
    if kind == "json_object":
        return ResponseFormat(kind="json_object")
    if kind != "json_schema":
        return None
    wrapped = given.get("json_schema")
    if not isinstance(wrapped, dict) or not isinstance(wrapped.get("schema"), dict):
        raise MalformedRequest("`response_format.json_schema.schema` is missing", "response_format")
    return ResponseFormat(
        kind="json_schema",
        schema=wrapped["schema"],
        name=wrapped.get("name"),
        description=wrapped.get("description"),
        strict=wrapped.get("strict"),
    )


def _reasoning(body: dict[str, Any]) -> Reasoning | None:
    wanted = body.get("reasoning")
    effort = body.get("reasoning_effort") or (wanted.get("effort") if isinstance(wanted, dict) else None)
    budget = wanted.get("max_tokens") if isinstance(wanted, dict) else None
    if effort in _EFFORTS:
        return Reasoning(enabled=effort != "none", effort=effort)
    if isinstance(budget, int):
        return Reasoning(enabled=True, budget_tokens=budget)
    return None


def _cache_mark(holder: dict[str, Any]) -> Carried:
    """OpenRouter's and LiteLLM's way to mark Anthropic cache breakpoints in this dialect."""
    mark = holder.get("cache_control")
    return {"anthropic_messages": {"cache_control": mark}} if isinstance(mark, dict) else {}


def _objects(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, dict) for item in value):
        raise MalformedRequest(f"`{where}` must be a list of objects", where)
    return list(value)
