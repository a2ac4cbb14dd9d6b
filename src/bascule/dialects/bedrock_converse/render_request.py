"""A canonical request in Converse's words. Model and streaming stand in the path, not in the body."""

from typing import Any

import msgspec

from bascule.dialects.anthropic_messages.thinking_mode import thinks_adaptively
from bascule.dialects.base import Body, Target
from bascule.dialects.bedrock_converse.family import Family, family_of
from bascule.dialects.bedrock_converse.render_content import NAME_CHARS, ContentWriter, called, thinking_must_go
from bascule.dialects.json_answer import json_instruction
from bascule.dialects.names import tool_name
from bascule.dialects.thinking_budget import thinking_budget
from bascule.model.errors import Refusal
from bascule.model.request import Request, Tool, ToolChoice

DEFAULT_MAX_TOKENS = 16_000
"""What thinking is measured by where neither the client nor the engine set a cap."""

_EMPTY_SCHEMA: Body = {"type": "object", "properties": {}}
_CUSTOM_SCHEMA: Body = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
_NO_CALLS: Body = {"text": "Do not call any tool."}


def render_request(request: Request, target: Target) -> bytes | Refusal:
    """The body for Bedrock, or why there is none. Raises Untranslatable.

    Quirks: `claude` (the model behind an ARN is one), `adaptive_thinking` (it thinks as it sees fit, with the effort as
    `outputConfig.effort`, though its name does not tell so; else within a budget), `mid_system`, `no_json_schema`,
    `no_sampling`.
    """
    if (refusal := _unsupported(request)) is not None:
        return refusal
    family = family_of(target.upstream_model, target.quirks)
    writer = ContentWriter(family)
    system, turns = writer.conversation(request, target)
    body: Body = {"messages": turns}
    if (tools := _tool_config(request, writer, turns, system)) is not None:
        body["toolConfig"] = tools
    _format(request, target, family, body, system)
    if system:
        body["system"] = system
    cap = target.max_tokens or request.max_tokens
    inference: Body = {} if cap is None else {"maxTokens": cap}
    more: Body = {}
    if family == "claude":
        _thinking(request, target, body, inference, more)
    if "no_sampling" not in target.quirks:
        _sampling(request, family, inference, more)
    if stops := [stop for stop in request.stop if stop.strip()]:
        inference["stopSequences"] = stops
        if family == "claude":
            body["additionalModelResponseFieldPaths"] = ["/stop_sequence"]
    if inference:
        body["inferenceConfig"] = inference
    if more:
        body["additionalModelRequestFields"] = more
    return msgspec.json.encode(body)


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
    return None


def _tool_config(
    request: Request, writer: ContentWriter, turns: list[Body], system: list[Body]
) -> dict[str, Any] | None:
    """Tools and the choice among them. There is no word for "call none": the tools are left out, unless the history
    has calls, which Bedrock refuses without any tools; then the system prompt says it."""
    choice = request.tool_choice
    forbidden = choice is not None and choice.mode == "none"
    if forbidden or not request.tools:
        names = called(turns)
        if not names:
            return None
        system.append(_NO_CALLS)
        if not request.tools:
            return {"tools": [{"toolSpec": {"name": name, "inputSchema": {"json": _EMPTY_SCHEMA}}} for name in names]}
    tools: list[Body] = []
    for tool in request.tools:
        tools += [_tool(tool), *writer.tool_cache_point(tool.carried)]
    config: Body = {"tools": tools}
    if (rendered := _tool_choice(choice, request.tools)) is not None:
        config["toolChoice"] = rendered
    return config


def _tool(tool: Tool) -> Body:
    schema: Body = tool.schema or _EMPTY_SCHEMA
    if tool.kind == "custom":
        schema = _CUSTOM_SCHEMA
    elif "type" not in schema:
        schema = {"type": "object", **schema}
    spec: Body = {"name": tool_name(tool.name, NAME_CHARS), "inputSchema": {"json": schema}}
    if tool.description:
        spec["description"] = tool.description
    return {"toolSpec": spec}


def _tool_choice(choice: ToolChoice | None, tools: tuple[Tool, ...]) -> Body | None:
    """None for `auto`, which is the default and not known to every model."""
    if choice is None:
        return None
    if choice.mode == "required":
        return {"any": {}}
    if choice.mode == "tool" and any(tool.name == choice.name for tool in tools):
        return {"tool": {"name": tool_name(choice.name or "", NAME_CHARS)}}
    return None


def _format(request: Request, target: Target, family: Family, body: Body, system: list[Body]) -> None:
    """A schema goes as `outputConfig` to Claude, else into the system prompt: most other models refuse the field."""
    wanted = request.response_format
    if wanted is None:
        return
    if wanted.kind == "json_object" or family != "claude" or "no_json_schema" in target.quirks:
        system.append({"text": json_instruction(wanted.schema)})
        return
    schema: Body = {"schema": msgspec.json.encode(wanted.schema or {}).decode()}
    for name, value in (("name", wanted.name), ("description", wanted.description)):
        if value is not None:
            schema[name] = value
    body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}


def _thinking(request: Request, target: Target, body: Body, inference: Body, more: Body) -> None:
    """Claude's thinking as asked for, where its own rules allow it in this request."""
    wanted = request.reasoning
    if wanted is None or not wanted.enabled or wanted.effort == "minimal":
        return
    if body.get("toolConfig", {}).get("toolChoice"):
        return  # a forced tool and thinking exclude each other
    if "adaptive_thinking" in target.quirks or thinks_adaptively(target.upstream_model):
        more["thinking"] = {"type": "adaptive"}
        if wanted.effort is not None:
            body.setdefault("outputConfig", {})["effort"] = wanted.effort
        return
    cap = inference.get("maxTokens", DEFAULT_MAX_TOKENS)
    budget = thinking_budget(wanted, cap)
    if budget is None or thinking_must_go(body["messages"]):
        return
    inference["maxTokens"] = cap
    more["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _sampling(request: Request, family: Family, inference: Body, more: Body) -> None:
    """Temperature ends at 1 here; Claude takes it or `topP`, and neither while it thinks."""
    if "thinking" in more:
        return
    if (temperature := request.temperature) is not None:
        inference["temperature"] = min(max(temperature, 0.0), 1.0)
    if request.top_p is not None and not (family == "claude" and temperature is not None):
        inference["topP"] = min(max(request.top_p, 0.0), 1.0)
    if request.top_k is None:
        return
    if family == "claude":
        more["top_k"] = request.top_k
    elif family == "nova":
        more["inferenceConfig"] = {"topK": request.top_k}
