"""A canonical request in the words of `generateContent`. Model and streaming are the path's."""

import msgspec

from bascule.dialects.base import Body, Target
from bascule.dialects.gemini.generations import is_older, thinking_config
from bascule.dialects.gemini.render_parts import render_part, render_result
from bascule.dialects.gemini.signatures import UNCHECKED
from bascule.dialects.names import GEMINI_NAME_CHARS, tool_name
from bascule.dialects.openai_chat.quirks import system_element
from bascule.model.errors import Refusal
from bascule.model.request import Document, Image, Message, Request, Text, Tool, ToolChoice, ToolResult, ToolUse

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}


def render_request(request: Request, target: Target) -> bytes | Refusal:
    """The body for a Gemini-type provider, or why there is none. Quirk: `no_json_schema`."""
    if (refusal := _unsupported(request)) is not None:
        return refusal
    older = is_older(target.upstream_model)
    system = [{"text": text.text} for text in request.instructions if text.text.strip()]
    contents = _contents(request, nested=not older)
    body: Body = {"contents": contents}
    config: Body = {}
    _format(request, target, older, config, system)
    if not contents:
        # A system prompt alone is a request elsewhere; here it has to be said by the user.
        body["contents"] = [{"role": "user", "parts": system or [{"text": "."}]}]
        system = []
    if not older:
        _sign(body["contents"])
    if system:
        body["systemInstruction"] = {"parts": system}
    if request.tools:
        body["tools"] = [{"functionDeclarations": [_function(tool) for tool in request.tools]}]
        if (choice := _choice(request.tool_choice, request.tools)) is not None:
            body["toolConfig"] = {"functionCallingConfig": choice}
    _sampling(request, target, config)
    cap = config.get("maxOutputTokens")
    if (thinking := thinking_config(request.reasoning, target.upstream_model, cap)) is not None:
        config["thinkingConfig"] = thinking
    if config:
        body["generationConfig"] = config
    return msgspec.json.encode(body)


def _unsupported(request: Request) -> Refusal | None:
    def refuse(message: str, param: str) -> Refusal:
        return Refusal(kind="unsupported", message=message, param=param)

    if request.logprobs:
        return refuse("log probabilities are not translated for this model's provider", "logprobs")
    for tool in request.tools:
        if tool.kind == "hosted":
            return refuse(f"the tool `{tool.name}` is run by its own vendor and has no counterpart here", "tools")
    for message in request.messages:
        for block in message.content:
            for part in block.content if isinstance(block, ToolResult) else (block,):
                if isinstance(part, Image | Document) and part.file_id is not None:
                    return refuse("a file uploaded to another vendor cannot be read here; send its content", "messages")
    return None


def _contents(request: Request, *, nested: bool) -> list[Body]:
    """Turns that alternate, begin with the user and are not empty; responses stand first in theirs, right behind the
    turn that called."""
    names: dict[str, str] = {}
    contents: list[Body] = []
    for message in request.messages:
        names.update({block.id: block.name for block in message.content if isinstance(block, ToolUse)})
        role, parts = _turn(message, names, nested=nested)
        if not parts:
            continue
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})
    for content in contents:
        if content["role"] == "user":
            content["parts"].sort(key=_responses_first)
    if contents and contents[0]["role"] == "model":
        contents.insert(0, {"role": "user", "parts": [{"text": "."}]})
    return contents


def _turn(message: Message, names: dict[str, str], *, nested: bool) -> tuple[str, list[Body]]:
    if message.role == "system":
        text = "\n".join([block.text for block in message.content if isinstance(block, Text)])
        return "user", [{"text": system_element(text)}] if text else []
    parts: list[Body] = []
    for block in message.content:
        if isinstance(block, ToolResult):
            parts += render_result(block, names, nested=nested)
        elif (part := render_part(block)) is not None:
            parts.append(part)
    return "model" if message.role == "assistant" else "user", parts


def _responses_first(part: Body) -> bool:
    return "functionResponse" not in part


def _sign(contents: list[Body]) -> None:
    """The first call of a turn must bear a signature. Those of other vendors' models have none, and are marked as not
    to be checked: in all turns, also those that are over, so that a conversation's beginning stays as it was sent."""
    for content in contents:
        first = next((part for part in content["parts"] if "functionCall" in part), None)
        if first is not None and "thoughtSignature" not in first:
            first["thoughtSignature"] = UNCHECKED


def _function(tool: Tool) -> Body:
    function: Body = {"name": tool_name(tool.name, GEMINI_NAME_CHARS)}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.kind == "custom":
        input_ = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
        function["parametersJsonSchema"] = input_
    elif tool.schema:
        function["parametersJsonSchema"] = tool.schema if "type" in tool.schema else {"type": "object", **tool.schema}
    return function


def _choice(choice: ToolChoice | None, tools: tuple[Tool, ...]) -> Body | None:
    """One call at a time cannot be asked for here; that is a hint, and lost."""
    if choice is None:
        return None
    rendered: Body = {"mode": _MODES[choice.mode]}
    if choice.mode == "tool":
        if all(tool.name != choice.name for tool in tools):
            return None
        rendered["allowedFunctionNames"] = [tool_name(choice.name or "", GEMINI_NAME_CHARS)]
    return rendered


def _format(request: Request, target: Target, older: bool, config: Body, system: list[Body]) -> None:
    """JSON and tools exclude each other before Gemini 3; there the wish is put into words."""
    wanted = request.response_format
    if wanted is None:
        return
    if "no_json_schema" not in target.quirks and not (older and request.tools):
        config["responseMimeType"] = "application/json"
        if wanted.schema is not None:
            config["responseJsonSchema"] = wanted.schema
        return
    text = "Answer with one JSON object and nothing else."
    if wanted.schema is not None:
        text += f" It must be valid under this JSON Schema: {msgspec.json.encode(wanted.schema).decode()}"
    system.append({"text": text})


def _sampling(request: Request, target: Target, config: Body) -> None:
    given = {
        "maxOutputTokens": request.max_tokens if target.max_tokens is None else target.max_tokens,
        "candidateCount": request.n if request.n > 1 else None,
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "seed": request.seed,
        "frequencyPenalty": request.frequency_penalty,
        "presencePenalty": request.presence_penalty,
        "stopSequences": list(request.stop) or None,
    }
    config.update({name: value for name, value in given.items() if value is not None})
