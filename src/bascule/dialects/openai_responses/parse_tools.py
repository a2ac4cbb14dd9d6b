"""The tools of a Responses request, and the choice among them, to canonical form."""

from typing import Any

from bascule.dialects.fields import flag, mapping, objects, path, required_text, text, untranslatable, word, wrong
from bascule.dialects.openai_responses.names import flat_name
from bascule.dialects.openai_responses.tool_items import tool_holders
from bascule.model.errors import MalformedRequest
from bascule.model.request import Tool, ToolChoice

NAME = "openai_responses"
_MODES = ("none", "auto", "required")
_ALLOWED_MODES = frozenset({"auto", "required"})
_NAMING_KINDS = ("function", "custom")
_MODES_TEXT = "`none`, `auto`, `required` or an object that names a tool"


def parse_tools(body: dict[str, Any]) -> tuple[tuple[Tool, ...], ToolChoice | None]:
    """The tools that may be called, and the choice among them. Raises MalformedRequest or Untranslatable.

    Tools that items bring along stand behind the request's own; what a search found stood there before, mostly.
    A search that is merely offered is left out: Codex offers one in each request, and the model answers without. What
    is demanded is refused, as are hosted tools that bring in what the client has stored or connected.
    """
    tools = _tools_of(body, "")
    for where, item in tool_holders(body)[1:]:
        known = {tool.name for tool in tools}
        tools += [tool for tool in _tools_of(item, where) if tool.name not in known]
    choice, allowed = _tool_choice(body)
    kept = [tool for tool in tools if not (tool.kind == "hosted" and _is_offer(tool.name))]
    if choice is not None and choice.mode == "required" and tools and not kept:
        untranslatable("tool_choice", f"`{tools[0].name}`, which OpenAI runs itself,")
    if allowed is not None:
        kept = [tool for tool in kept if tool.name in allowed]
        if missing := sorted(allowed - {tool.name for tool in kept}):
            raise MalformedRequest(f"`tool_choice` allows {missing[0][:40]!r}, which is not in `tools`", "tool_choice")
    return tuple(kept), choice


def _is_offer(hosted: str) -> bool:
    """Hosted tools that a model can do without; `tool_search` finds what stands in `tools` anyway."""
    return hosted.startswith("web_search") or hosted == "tool_search"


def _tools_of(holder: dict[str, Any], where: str) -> list[Tool]:
    places = [(given, f"{path(where, 'tools')}[{at}]") for at, given in enumerate(objects(holder, "tools", where))]
    return [tool for given, place in places for tool in _tools(given, place)]


def _tools(tool: dict[str, Any], where: str) -> list[Tool]:
    kind = required_text(tool, "type", where)
    if kind != "namespace":
        return [_tool(tool, kind, None, where)]
    namespace = required_text(tool, "name", where)
    return [
        _tool(inner, required_text(inner, "type", f"{where}.tools[{at}]"), namespace, f"{where}.tools[{at}]")
        for at, inner in enumerate(objects(tool, "tools", where))
    ]


def _tool(tool: dict[str, Any], kind: str, namespace: str | None, where: str) -> Tool:
    if kind not in _NAMING_KINDS:
        return Tool(name=kind, kind="hosted", carried={NAME: tool})
    name = flat_name(namespace, required_text(tool, "name", where))
    description = text(tool, "description", where)
    if kind == "custom":
        return Tool(name=name, kind="custom", description=_with_grammar(tool, description, where))
    return Tool(
        name=name,
        description=description,
        schema=mapping(tool, "parameters", where),
        strict=flag(tool, "strict", where),
    )


def _with_grammar(tool: dict[str, Any], description: str | None, where: str) -> str | None:
    """Other dialects cannot hold a model to a grammar, so it is told about it."""
    wanted = mapping(tool, "format", where)
    if wanted is None or text(wanted, "type", f"{where}.format") != "grammar":
        return description
    syntax = required_text(wanted, "syntax", f"{where}.format")
    grammar = required_text(wanted, "definition", f"{where}.format")
    told = f"`input` must follow this grammar ({syntax}):\n{grammar}"
    return f"{description}\n\n{told}" if description else told


def _tool_choice(body: dict[str, Any]) -> tuple[ToolChoice | None, frozenset[str] | None]:
    """`tool_choice` with `parallel_tool_calls`; and the names of the only tools that may be called, if it says so."""
    parallel = flag(body, "parallel_tool_calls")
    choice = body.get("tool_choice")
    if choice is None:
        return None if parallel is None else ToolChoice(parallel=parallel), None
    allowed: frozenset[str] | None = None
    if type(choice) is dict:
        kind = required_text(choice, "type", "tool_choice")
        if kind in _NAMING_KINDS:
            return ToolChoice(mode="tool", name=_named(choice, "tool_choice"), parallel=parallel), None
        if kind != "allowed_tools":
            untranslatable("tool_choice", f"`{kind[:40]}`, which OpenAI runs itself,")
        choice, allowed = _allowed(choice)
    if type(choice) is not str or choice not in _MODES:
        wrong("", "tool_choice", _MODES_TEXT)
    mode: Any = choice
    return ToolChoice(mode=mode, parallel=parallel), allowed


def _named(choice: dict[str, Any], where: str) -> str:
    return flat_name(text(choice, "namespace", where), required_text(choice, "name", where))


def _allowed(choice: dict[str, Any]) -> tuple[str, frozenset[str]]:
    """(mode, names) of `allowed_tools`; hosted tools among them have no names here."""
    mode = word(choice, "mode", _ALLOWED_MODES, "tool_choice") or required_text(choice, "mode", "tool_choice")
    names: list[str] = []
    for at, tool in enumerate(objects(choice, "tools", "tool_choice")):
        where = f"tool_choice.tools[{at}]"
        if required_text(tool, "type", where) in _NAMING_KINDS:
            names.append(_named(tool, where))
    if not names:
        wrong("tool_choice", "tools", "a list with at least one function or custom tool")
    return mode, frozenset(names)
