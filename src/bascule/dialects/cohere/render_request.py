"""A canonical request in Cohere's words."""

import msgspec

from bascule.dialects.base import Body, Target
from bascule.dialects.cohere.render_messages import render_messages
from bascule.dialects.cohere.tool_names import fit_name
from bascule.dialects.json_answer import json_instruction
from bascule.dialects.thinking_budget import thinking_budget
from bascule.model.errors import Refusal
from bascule.model.request import Request, Tool

_MAX_STOPS = 5
_MAX_TOP_K = 500
_TOP_P = (0.01, 0.99)
"""The range of `p` (docs.cohere.com/reference/chat)."""

_EMPTY_SCHEMA: Body = {"type": "object", "properties": {}}
_CUSTOM_SCHEMA: Body = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def render_request(request: Request, target: Target) -> bytes | Refusal:
    """The body for Cohere, or why there is none. Raises Untranslatable.

    Quirks: `reasoning_content` (the model thinks, whatever its name: it is told how much and reads what it thought
    earlier), `system_first_only`, `no_json_schema`.
    """
    if (refusal := _unsupported(request)) is not None:
        return refusal
    reasons = "reasoning" in target.upstream_model or "reasoning_content" in target.quirks
    more_system = [text for text in (_format_text(request, target),) if text is not None]
    body: Body = {
        "model": target.upstream_model,
        "messages": render_messages(request, target, more_system, reasons),
    }
    _tools(request, body)
    if (form := _format(request, target)) is not None:
        body["response_format"] = form
    cap = target.max_tokens or request.max_tokens
    if cap is not None:
        body["max_tokens"] = cap
    if reasons and (thinking := _thinking(request, cap)) is not None:
        body["thinking"] = thinking
    _sampling(request, body)
    if request.stream:
        body["stream"] = True
    return msgspec.json.encode(body)


def _unsupported(request: Request) -> Refusal | None:
    def refuse(message: str, param: str) -> Refusal:
        return Refusal(kind="unsupported", message=message, param=param)

    if request.n > 1:
        return refuse("this model's provider gives one answer a request; send `n` requests", "n")
    if request.logprobs:
        return refuse("this model's provider gives no log probabilities in this form", "logprobs")
    if len(request.stop) > _MAX_STOPS:
        return refuse(f"this model's provider takes at most {_MAX_STOPS} stop sequences", "stop")
    for tool in request.tools:
        if tool.kind == "hosted":
            return refuse(f"the tool `{tool.name}` is run by its own vendor and has no counterpart here", "tools")
    return None


def _tools(request: Request, body: Body) -> None:
    """A choice of one tool has no word: that tool alone is offered, and a call required."""
    choice = request.tool_choice
    tools = request.tools
    mode = None if choice is None else choice.mode
    if choice is not None and mode == "tool":
        chosen = tuple([tool for tool in tools if tool.name == choice.name])
        tools, mode = (chosen, "required") if chosen else (tools, None)
    if not tools:
        return
    body["tools"] = [_tool(tool) for tool in tools]
    if mode in ("required", "none"):
        body["tool_choice"] = mode.upper()
    if all(tool.strict and (tool.schema or {}).get("required") for tool in tools):
        body["strict_tools"] = True  # which wants a required parameter in every tool


def _tool(tool: Tool) -> Body:
    schema = _CUSTOM_SCHEMA if tool.kind == "custom" else tool.schema or _EMPTY_SCHEMA
    function: Body = {"name": fit_name(tool.name), "parameters": schema}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _format(request: Request, target: Target) -> Body | None:
    """JSON by the API's own means, which exclude tools."""
    wanted = request.response_format
    if wanted is None or request.tools:
        return None
    if wanted.schema is None or "no_json_schema" in target.quirks:
        return {"type": "json_object"}
    return {"type": "json_object", "json_schema": wanted.schema}


def _format_text(request: Request, target: Target) -> str | None:
    """The API wants to be told in words as well; the schema goes there where its field does not."""
    wanted = request.response_format
    if wanted is None:
        return None
    in_field = not request.tools and "no_json_schema" not in target.quirks
    return json_instruction(None if in_field else wanted.schema)


def _thinking(request: Request, cap: int | None) -> Body | None:
    """Thinking is on by default; off, or within a budget, where it was asked for."""
    wanted = request.reasoning
    if wanted is None:
        return None
    if wanted.enabled is False or wanted.effort == "minimal":
        return {"type": "disabled"}
    if wanted.effort is None and wanted.budget_tokens is None:
        return None
    budget = wanted.budget_tokens if cap is None else thinking_budget(wanted, cap, least=1)
    return {"type": "enabled"} if budget is None else {"type": "enabled", "token_budget": budget}


def _sampling(request: Request, body: Body) -> None:
    """Values beyond Cohere's ranges go as their ends: they are a matter of degree."""
    if request.temperature is not None:
        body["temperature"] = max(request.temperature, 0.0)
    if request.top_p is not None:
        body["p"] = min(max(request.top_p, _TOP_P[0]), _TOP_P[1])
    if request.top_k is not None:
        body["k"] = min(max(request.top_k, 0), _MAX_TOP_K)
    for name in ("frequency_penalty", "presence_penalty"):
        if (value := getattr(request, name)) is not None:
            body[name] = min(max(value, 0.0), 1.0)
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop_sequences"] = list(request.stop)
