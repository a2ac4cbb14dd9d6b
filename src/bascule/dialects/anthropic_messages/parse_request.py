"""A Messages request to canonical form."""

from typing import Any

from bascule.dialects.anthropic_messages.facts import BILLING_HEADER, is_client_json
from bascule.dialects.anthropic_messages.parse_content import NAME, carried, parse_content
from bascule.dialects.fields import (
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
from bascule.dialects.remembered import Remembered
from bascule.model.errors import MalformedRequest
from bascule.model.request import Block, Message, Reasoning, Request, ResponseFormat, Text, Tool, ToolChoice

_CHOICES = {"auto": "auto", "any": "required", "none": "none", "tool": "tool"}
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
_THINKING = frozenset({"enabled", "disabled", "adaptive"})
_ROLES = ("user", "assistant", "system")


def parse_request(body: dict[str, Any]) -> Request:
    """Raises MalformedRequest naming the field, or Untranslatable.

    Unknown fields and betas are left out, and so are hints, which change how fast or at what price the same answer
    comes: the top-level `cache_control`, `service_tier`, `speed`, `context_management`, the rest of `output_config`.
    """
    for name in ("mcp_servers", "container"):
        if body.get(name):
            untranslatable(name, "what runs at Anthropic beside the model")
    metadata = mapping(body, "metadata") or {}
    user = text(metadata, "user_id", "metadata")
    return Request(
        model=required_text(body, "model"),
        instructions=_instructions(body.get("system")),
        messages=tuple([_message(message, f"messages[{at}]") for at, message in enumerate(objects(body, "messages"))]),
        tools=_TOOLS(objects(body, "tools")),
        tool_choice=_tool_choice(mapping(body, "tool_choice")),
        max_tokens=count(body, "max_tokens"),
        temperature=number(body, "temperature"),
        top_p=number(body, "top_p"),
        top_k=whole(body, "top_k"),
        stop=sequence_of_text(body, "stop_sequences"),
        response_format=_response_format(body),
        reasoning=_reasoning(body),
        stream=flag(body, "stream") is True,
        user=user if user is not None and not is_client_json(user) else None,
    )


def _message(message: dict[str, Any], where: str) -> Message:
    role: Any = required_text(message, "role", where)
    if role not in _ROLES:
        raise MalformedRequest(f"`{where}.role` is {role[:40]!r}, which is no role", f"{where}.role")
    content = parse_content(message.get("content"), f"{where}.content")
    if role == "system":
        _texts(content, f"{where}.content")
    return Message(role=role, content=content)


def _instructions(system: Any) -> tuple[Text, ...]:
    """The system prompt less Claude Code's billing line, which would defeat every prefix cache."""
    if system is None:
        return ()
    if type(system) is str:
        return (Text(text=system),) if system else ()
    texts = _texts(parse_content(system, "system"), "system")
    return tuple([given for given in texts if not given.text.startswith(BILLING_HEADER)])


def _texts(blocks: tuple[Block, ...], where: str) -> list[Text]:
    """The blocks of a system prompt, which elsewhere is text."""
    texts = [block for block in blocks if isinstance(block, Text)]
    if len(texts) < len(blocks):
        untranslatable(where, "a system prompt with more than text in it")
    return texts


def _tools(tools: list[dict[str, Any]]) -> tuple[Tool, ...]:
    return tuple([_tool(tool, f"tools[{at}]") for at, tool in enumerate(tools)])


_TOOLS = Remembered(_tools)


def _tool(tool: dict[str, Any], where: str) -> Tool:
    kind = text(tool, "type", where)
    if kind is not None and kind != "custom":
        return Tool(name=kind, kind="hosted", carried={NAME: tool})
    return Tool(
        name=required_text(tool, "name", where),
        description=text(tool, "description", where),
        schema=mapping(tool, "input_schema", where),
        strict=flag(tool, "strict", where),
        carried=carried(tool, where),
    )


def _tool_choice(choice: dict[str, Any] | None) -> ToolChoice | None:
    if choice is None:
        return None
    kind = choice.get("type")
    mode: Any = _CHOICES.get(kind) if type(kind) is str else None
    if mode is None:
        raise MalformedRequest("`tool_choice.type` must be auto, any, tool or none", "tool_choice.type")
    name = required_text(choice, "name", "tool_choice") if mode == "tool" else None
    serial = flag(choice, "disable_parallel_tool_use", "tool_choice")
    return ToolChoice(mode=mode, name=name, parallel=False if serial else None)


def _response_format(body: dict[str, Any]) -> ResponseFormat | None:
    """`output_config.format`, or the older `output_format` where there is no `output_config`."""
    config = mapping(body, "output_config")
    if config is None:
        wanted, where = mapping(body, "output_format"), "output_format"
    else:
        wanted, where = mapping(config, "format", "output_config"), "output_config.format"
    if wanted is None:
        return None
    if wanted.get("type") != "json_schema":
        wrong(where, "type", "`json_schema`")
    schema = mapping(wanted, "schema", where)
    if schema is None:
        raise MalformedRequest(f"`{where}.schema` is missing", f"{where}.schema")
    return ResponseFormat(kind="json_schema", schema=schema)


def _reasoning(body: dict[str, Any]) -> Reasoning | None:
    """`effort` steers more than thinking at Anthropic; elsewhere it only has a meaning while thinking is on."""
    config = mapping(body, "output_config") or {}
    effort: Any = word(config, "effort", _EFFORTS, "output_config")
    thinking = mapping(body, "thinking")
    if thinking is None:
        return None
    kind = word(thinking, "type", _THINKING, "thinking") or required_text(thinking, "type", "thinking")
    budget = count(thinking, "budget_tokens", "thinking")
    if kind == "disabled":
        return Reasoning(enabled=False)
    return Reasoning(enabled=True, effort=effort, budget_tokens=budget)
