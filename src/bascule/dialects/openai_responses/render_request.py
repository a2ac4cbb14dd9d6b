"""A canonical request in the Responses format's words."""

from typing import Any

import msgspec

from bascule.dialects.base import Body, Target
from bascule.dialects.names import OPENAI_NAME_CHARS, tool_name
from bascule.dialects.openai_chat.quirks import system_element
from bascule.dialects.openai_chat.render_request import is_strict
from bascule.dialects.openai_responses.least_output import refuse_less
from bascule.dialects.openai_responses.render_items import render_items
from bascule.model.errors import Refusal
from bascule.model.request import (
    Audio,
    Block,
    Document,
    Image,
    Message,
    Reasoning,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolResult,
)

_LOW_TOKENS, _MEDIUM_TOKENS = 2_048, 8_192


def render_request(request: Request, target: Target) -> bytes | Refusal:
    """The body for a provider of this format, or why there is none. Nothing is to be stored there.

    Quirks: `no_reasoning_summary` (of accounts that may not see one), `no_sampling` (no temperature and top_p),
    `no_parallel_tool_calls`, `no_developer_role`.
    """
    if (refusal := _unsupported(request) or refuse_less(target)) is not None:
        return refusal
    messages = [_system_as(message, target) for message in request.messages]
    body: Body = {"model": target.upstream_model, "input": render_items(messages), "store": False}
    if request.instructions:
        body["instructions"] = "\n\n".join([text.text for text in request.instructions])
    if not body["input"]:
        # A system prompt alone is a request elsewhere; here something has to be said.
        body["input"] = [{"type": "message", "role": "user", "content": body.pop("instructions", ".")}]
    cap = request.max_tokens if target.max_tokens is None else target.max_tokens
    if cap is not None:
        body["max_output_tokens"] = cap
    include: list[str] = []
    _reasoning(request.reasoning, target, body, include)
    _sampling(request, target, body, include)
    _tools(request, target, body)
    if request.response_format is not None:
        body["text"] = {"format": _format(request.response_format)}
    if include:
        body["include"] = include
    for name, value in (("user", request.user), ("prompt_cache_key", request.cache_key)):
        if value is not None:
            body[name] = value
    if request.stream:
        body["stream"] = True
    return msgspec.json.encode(body)


def _unsupported(request: Request) -> Refusal | None:
    def refuse(message: str, param: str) -> Refusal:
        return Refusal(kind="unsupported", message=message, param=param)

    if request.n > 1:
        return refuse("this model's provider gives one answer a request; send `n` requests", "n")
    if [stop for stop in request.stop if stop]:
        return refuse("this model's provider knows no stop sequences; leave them out", "stop")
    if request.logprobs and request.stream:
        return refuse("log probabilities of this model's provider are not streamed; leave `stream` out", "logprobs")
    for tool in request.tools:
        if tool.kind == "hosted":
            return refuse(f"the tool `{tool.name}` is run by its own vendor and has no counterpart here", "tools")
    for message in request.messages:
        for block in message.content:
            for part in block.content if isinstance(block, ToolResult) else (block,):
                if (reason := _out_of_reach(part)) is not None:
                    return refuse(reason, "messages")
    return None


def _out_of_reach(block: Block) -> str | None:
    if isinstance(block, Audio):
        return "this model's provider takes no audio"
    if isinstance(block, Image | Document) and block.file_id is not None:
        return "a file uploaded to another vendor cannot be read here; send its content"
    return None


def _system_as(message: Message, target: Target) -> Message:
    """A system message as the target takes it at its place."""
    if message.role != "system":
        return message
    if "system_first_only" in target.quirks:
        text = "\n".join([block.text for block in message.content if isinstance(block, Text)])
        return Message(role="user", content=(Text(text=system_element(text)),))
    if "no_developer_role" in target.quirks:
        return Message(role="system", content=message.content)
    return message


def _reasoning(wanted: Reasoning | None, target: Target, body: Body, include: list[str]) -> None:
    """What of the reasoning can be shown, and what of it can be given back in the next turn."""
    if wanted is None:
        return
    if wanted.enabled is False or wanted.effort == "none":
        if wanted.effort == "none":
            body["reasoning"] = {"effort": "none"}
        return
    given: Body = {}
    if (effort := _effort(wanted)) is not None:
        given["effort"] = effort
    if "no_reasoning_summary" not in target.quirks:
        given["summary"] = "auto"
    if given:
        body["reasoning"] = given
    include.append("reasoning.encrypted_content")


def _effort(reasoning: Reasoning) -> str | None:
    if reasoning.effort is not None:
        return "high" if reasoning.effort == "max" else reasoning.effort
    if reasoning.budget_tokens is None:
        return None
    if reasoning.budget_tokens <= _LOW_TOKENS:
        return "low"
    return "medium" if reasoning.budget_tokens <= _MEDIUM_TOKENS else "high"


def _sampling(request: Request, target: Target, body: Body, include: list[str]) -> None:
    """Models that reason take neither temperature nor top_p."""
    if "reasoning" not in body and "no_sampling" not in target.quirks:
        for name in ("temperature", "top_p"):
            if (value := getattr(request, name)) is not None:
                body[name] = value
    if request.logprobs:
        include.append("message.output_text.logprobs")
        if request.top_logprobs is not None:
            body["top_logprobs"] = request.top_logprobs


def _tools(request: Request, target: Target, body: Body) -> None:
    if not request.tools:
        return
    body["tools"] = [_tool(tool) for tool in request.tools]
    choice = request.tool_choice
    if choice is None:
        return
    if choice.mode != "tool":
        body["tool_choice"] = choice.mode
    else:
        for tool in request.tools:
            if tool.name == choice.name:
                body["tool_choice"] = {"type": tool.kind, "name": tool_name(tool.name, OPENAI_NAME_CHARS)}
    if choice.parallel is not None and "no_parallel_tool_calls" not in target.quirks:
        body["parallel_tool_calls"] = choice.parallel


def _tool(tool: Tool) -> Body:
    rendered: Body = {"type": tool.kind, "name": tool_name(tool.name, OPENAI_NAME_CHARS)}
    if tool.description is not None:
        rendered["description"] = tool.description
    if tool.kind == "custom":
        if (grammar := tool.carried.get("openai_responses", {}).get("format")) is not None:
            rendered["format"] = grammar
        return rendered
    rendered["parameters"] = tool.schema or {"type": "object", "properties": {}}
    # Here a schema is strict where nothing is said, and one that cannot be would be refused.
    rendered["strict"] = tool.strict is True
    return rendered


def _format(wanted: ResponseFormat) -> Body:
    if wanted.kind == "json_object":
        return {"type": "json_object"}
    schema: Any = wanted.schema or {}
    rendered: Body = {
        "type": "json_schema",
        "name": wanted.name or "answer",
        "schema": schema,
        "strict": is_strict(schema) if wanted.strict is None else wanted.strict,
    }
    if wanted.description is not None:
        rendered["description"] = wanted.description
    return rendered
