"""A `generateContent` request to canonical form."""

from typing import Any

from bascule.dialects.fields import (
    Holder,
    count,
    flag,
    mapping,
    number,
    objects,
    required_text,
    sequence_of_text,
    text,
    untranslatable,
    whole,
    word,
    wrong,
)
from bascule.dialects.gemini.facts import SCHEMAS
from bascule.dialects.gemini.parse_parts import joined_thoughts, parse_part, parse_result_parts, result_text
from bascule.dialects.gemini.schema import json_schema
from bascule.dialects.gemini.signatures import NAME
from bascule.dialects.gemini.spelling import camel
from bascule.model.errors import MalformedRequest
from bascule.model.request import (
    Block,
    Message,
    Reasoning,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
)

_ROLES = {None: "user", "": "user", "user": "user", "function": "user", "tool": "user", "model": "assistant"}
_MODES = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto", "MODE_UNSPECIFIED": "auto"}
_LEVELS = frozenset({"THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"})
_CONFIG = "generationConfig"


def parse_request(body: Holder) -> Request:
    """Raises MalformedRequest naming the field, or Untranslatable.

    Unknown fields are left out, and so are hints: `safetySettings` (of Google's own filters), `labels`, `serviceTier`,
    `mediaResolution`.
    """
    body = camel(body)
    if body.get("cachedContent") is not None:
        untranslatable("cachedContent", "content that is kept at Google")
    config = camel(mapping(body, _CONFIG) or {}, _CONFIG)
    for modality in sequence_of_text(config, "responseModalities", _CONFIG):
        if modality.upper() not in ("TEXT", "MODALITY_UNSPECIFIED"):
            untranslatable(f"{_CONFIG}.responseModalities", "an answer that is more than text")
    if flag(config, "responseLogprobs", _CONFIG) is True:
        untranslatable(f"{_CONFIG}.responseLogprobs", "a log of probabilities in this form")
    choice, allowed = _tool_choice(body)
    top_k = number(config, "topK", _CONFIG)
    return Request(
        model=required_text(body, "model"),
        instructions=_instructions(body),
        messages=_messages(objects(body, "contents")),
        tools=_tools(body, allowed),
        tool_choice=choice,
        max_tokens=count(config, "maxOutputTokens", _CONFIG),
        n=count(config, "candidateCount", _CONFIG) or 1,
        temperature=number(config, "temperature", _CONFIG),
        top_p=number(config, "topP", _CONFIG),
        top_k=None if top_k is None else int(top_k),
        frequency_penalty=number(config, "frequencyPenalty", _CONFIG),
        presence_penalty=number(config, "presencePenalty", _CONFIG),
        seed=whole(config, "seed", _CONFIG),
        stop=sequence_of_text(config, "stopSequences", _CONFIG),
        response_format=_response_format(config),
        reasoning=_reasoning(config),
        stream=flag(body, "stream") is True,
    )


def _instructions(body: Holder) -> tuple[Text, ...]:
    system = mapping(body, "systemInstruction")
    if system is None:
        return ()
    blocks = _blocks(system, "systemInstruction", [], 0)
    texts = tuple([Text(text=block.text) for block in blocks if isinstance(block, Text)])
    if len(texts) < len(blocks):
        untranslatable("systemInstruction.parts", "a system prompt with more than text in it")
    return texts


def _messages(contents: list[Holder]) -> tuple[Message, ...]:
    messages: list[Message] = []
    open_calls: list[ToolUse] = []
    for at, content in enumerate(contents):
        where = f"contents[{at}]"
        given = text(content, "role", where)
        if given not in _ROLES:
            raise MalformedRequest(f"`{where}.role` is {(given or '')[:40]!r}, which is no role", f"{where}.role")
        role: Any = _ROLES[given]
        blocks = _blocks(content, where, open_calls, at)
        if role == "assistant":
            open_calls = [*open_calls, *[block for block in blocks if isinstance(block, ToolUse)]]
        elif any(isinstance(block, ToolUse) for block in blocks):
            wrong(where, "role", "`model`, where it calls functions")
        if blocks and messages and messages[-1].role == role:
            # Each event of a stream is a content of its own in the SDK's history.
            messages[-1] = Message(role=role, content=joined_thoughts([*messages[-1].content, *blocks]))
        elif blocks:
            messages.append(Message(role=role, content=blocks))
    return tuple(messages)


def _blocks(content: Holder, where: str, open_calls: list[ToolUse], turn: int) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for at, part in enumerate(objects(content, "parts", where)):
        place = f"{where}.parts[{at}]"
        response = mapping(camel(part, place), "functionResponse", place)
        if response is not None:
            blocks.append(
                _result(camel(response, f"{place}.functionResponse"), f"{place}.functionResponse", open_calls)
            )
        elif (block := parse_part(part, place, f"call_{turn}_{at}")) is not None:
            blocks.append(block)
    return joined_thoughts(blocks)


def _result(given: Holder, where: str, open_calls: list[ToolUse]) -> ToolResult:
    """A function's response, joined to its call: by the id where both have it, else the first open call of its name.

    SDKs lose the id on the way there or back, so one that fits nothing counts as none.
    """
    response = camel(given, where)
    name = required_text(response, "name", where)
    call_id = text(response, "id", where)
    call = next((call for call in open_calls if call.id == call_id), None)
    if call is None:
        call = next((call for call in open_calls if call.name == name), None)
    if call is None:
        raise MalformedRequest(f"`{where}` answers no call of `{name[:40]}` before it", where)
    open_calls.remove(call)
    said, is_error = result_text(mapping(response, "response", where))
    blocks: list[Block] = [Text(text=said)] if said else []
    blocks += parse_result_parts(response, where)
    return ToolResult(tool_use_id=call.id, content=tuple(blocks), is_error=is_error)


def _tools(body: Holder, allowed: frozenset[str] | None) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for at, given in enumerate(objects(body, "tools")):
        where = f"tools[{at}]"
        tool = camel(given, where)
        for position, function in enumerate(objects(tool, "functionDeclarations", where)):
            found.append(_function(function, f"{where}.functionDeclarations[{position}]"))
        for name, value in tool.items():
            if name != "functionDeclarations" and value is not None:
                found.append(Tool(name=name, kind="hosted", carried={NAME: {name: value}}))
    if allowed is None:
        return tuple(found)
    if missing := sorted(allowed - {tool.name for tool in found}):
        at_names = "toolConfig.functionCallingConfig.allowedFunctionNames"
        raise MalformedRequest(f"`{at_names}` has {missing[0][:40]!r}, which is not among `tools`", at_names)
    return tuple([tool for tool in found if tool.name in allowed or tool.kind == "hosted"])


def _function(given: Holder, where: str) -> Tool:
    function = camel(given, where)
    schema = mapping(function, "parametersJsonSchema", where)
    if schema is None and (parameters := mapping(function, "parameters", where)) is not None:
        schema = json_schema(parameters, f"{where}.parameters")
    return Tool(
        name=required_text(function, "name", where), description=text(function, "description", where), schema=schema
    )


def _tool_choice(body: Holder) -> tuple[ToolChoice | None, frozenset[str] | None]:
    """The choice, and the only functions that may be called, where it names several: no other dialect has a word for
    functions that may not be called."""
    holder = camel(mapping(body, "toolConfig") or {}, "toolConfig")
    given = mapping(holder, "functionCallingConfig", "toolConfig")
    if given is None:
        return None, None
    where = "toolConfig.functionCallingConfig"
    config = camel(given, where)
    said = word(config, "mode", _MODES, where)
    names = sequence_of_text(config, "allowedFunctionNames", where)
    mode: Any = "auto" if said is None else _MODES[said]
    if mode == "required" and len(names) == 1:
        return ToolChoice(mode="tool", name=names[0]), None
    return ToolChoice(mode=mode), frozenset(names) if names and mode != "none" else None


def _response_format(config: Holder) -> ResponseFormat | None:
    mime_type = text(config, "responseMimeType", _CONFIG) or "text/plain"
    if mime_type == "text/plain":
        return None
    if mime_type != "application/json":
        untranslatable(f"{_CONFIG}.responseMimeType", f"an answer of type {mime_type[:40]!r}")
    for name in SCHEMAS:
        schema = mapping(config, name, _CONFIG)
        if schema is not None:
            if name == "responseSchema":
                schema = json_schema(schema, f"{_CONFIG}.{name}")
            return ResponseFormat(kind="json_schema", schema=schema)
    return ResponseFormat(kind="json_object")


def _reasoning(config: Holder) -> Reasoning | None:
    where = f"{_CONFIG}.thinkingConfig"
    given = mapping(config, "thinkingConfig", _CONFIG)
    if given is None:
        return None
    thinking = camel(given, where)
    budget = whole(thinking, "thinkingBudget", where)
    level = word(thinking, "thinkingLevel", _LEVELS, where)
    shown = flag(thinking, "includeThoughts", where) is True
    if level is not None and level != "THINKING_LEVEL_UNSPECIFIED":
        effort: Any = level.lower()
        return Reasoning(enabled=True, effort=effort)
    if budget == 0:
        return Reasoning(enabled=False)
    if budget is not None and budget > 0:
        return Reasoning(enabled=True, budget_tokens=budget)
    return Reasoning(enabled=True) if shown or budget is not None else None
