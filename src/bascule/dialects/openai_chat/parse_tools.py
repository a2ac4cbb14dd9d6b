"""The tools of a Chat Completions request, and the choice among them, to canonical form."""

from typing import Any

from bascule.dialects.fields import flag, mapping, objects, required_text, text, word, wrong
from bascule.dialects.openai_chat.parse_message import mark
from bascule.dialects.remembered import Remembered
from bascule.model.errors import MalformedRequest
from bascule.model.request import Carried, Tool, ToolChoice

_MODES = ("none", "auto", "required")
_ALLOWED_MODES = frozenset({"auto", "required"})
_NAMING_KINDS = ("function", "custom")
_CHOICE_KINDS = frozenset({*_MODES, *_NAMING_KINDS, "allowed_tools"})
_MODES_TEXT = "`none`, `auto`, `required` or an object that names a tool"


def parse_tools(body: dict[str, Any]) -> tuple[Tool, ...]:
    """`tools` and the older `functions`. Raises MalformedRequest."""
    tools = _TOOLS(objects(body, "tools"))
    if body.get("functions") is None:
        return tools
    functions = objects(body, "functions")
    return (*tools, *[_function(function, {}, f"functions[{index}]") for index, function in enumerate(functions)])


def _parsed(tools: list[dict[str, Any]]) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        kind = "function" if tool.get("type") is None else required_text(tool, "type", where)
        if kind == "function":
            inner = mapping(tool, "function", where)
            if inner is None:
                wrong(where, "function", "an object with a `name`")
            found.append(_function(inner, mark(tool, where), f"{where}.function"))
        elif kind == "custom":
            inner = mapping(tool, "custom", where) or {}
            at = f"{where}.custom"
            name = required_text(inner, "name", at)
            given = _responses_format(inner, at)
            found.append(Tool(name=name, kind="custom", description=text(inner, "description", at), carried=given))
        else:
            found.append(Tool(name=kind, kind="hosted", carried={"openai_chat": tool}))
    return tuple(found)


def _responses_format(custom: dict[str, Any], where: str) -> Carried:
    """A custom tool's `format` as OpenAI's other API writes it: its grammar is not wrapped there."""
    given = mapping(custom, "format", where)
    if given is None:
        return {}
    grammar = mapping(given, "grammar", f"{where}.format")
    flat = {"type": given.get("type"), **grammar} if grammar is not None else given
    return {"openai_responses": {"format": flat}}


_TOOLS = Remembered(_parsed)


def only(tools: tuple[Tool, ...], allowed: frozenset[str] | None) -> tuple[Tool, ...]:
    """Those of the tools that `allowed_tools` names: other dialects have no word for tools that may not be called."""
    if allowed is None:
        return tools
    kept = tuple([tool for tool in tools if tool.name in allowed])
    if missing := sorted(allowed - {tool.name for tool in kept}):
        raise MalformedRequest(f"`tool_choice` allows {missing[0][:40]!r}, which is not among `tools`", "tool_choice")
    return kept


def parse_tool_choice(body: dict[str, Any]) -> tuple[ToolChoice | None, frozenset[str] | None]:
    """`tool_choice`, or `function_call` of old, with `parallel_tool_calls`; and the names of the only tools that may
    be called, where it says so. Raises MalformedRequest.
    """
    parallel = flag(body, "parallel_tool_calls")
    field = "tool_choice"
    choice = body.get(field)
    if choice is None:
        field = "function_call"
        choice = body.get(field)
    if choice is None:
        return None if parallel is None else ToolChoice(parallel=parallel), None
    allowed: frozenset[str] | None = None
    if type(choice) is dict:
        named = _named(choice, field)
        if named is not None:
            return ToolChoice(mode="tool", name=named, parallel=parallel), None
        if choice.get("type") == "allowed_tools":
            choice, allowed = _allowed(choice, field)
        else:
            choice = choice.get("type")
    if type(choice) is not str or choice not in _MODES:
        wrong("", field, _MODES_TEXT)
    mode: Any = choice
    return ToolChoice(mode=mode, parallel=parallel), allowed


def _named(choice: dict[str, Any], field: str) -> str | None:
    """The tool that a choice names; None where it names none."""
    if field == "function_call":
        return required_text(choice, "name", field)
    said = word(choice, "type", _CHOICE_KINDS, field)
    for kind in _NAMING_KINDS:
        if (inner := mapping(choice, kind, field)) is None:
            continue
        if said is not None and said != kind:
            wrong(field, "type", f"`{kind}`, as it names one")
        return required_text(inner, "name", f"{field}.{kind}")
    if said in _NAMING_KINDS:
        wrong(field, said, "an object with a `name`")
    return None


def _allowed(choice: dict[str, Any], field: str) -> tuple[str, frozenset[str]]:
    """(mode, names) of `allowed_tools`."""
    where = f"{field}.allowed_tools"
    given = mapping(choice, "allowed_tools", field)
    if given is None:
        wrong(field, "allowed_tools", "an object with a `mode` and `tools`")
    mode = word(given, "mode", _ALLOWED_MODES, where) or required_text(given, "mode", where)
    names: list[str] = []
    for index, tool in enumerate(objects(given, "tools", where)):
        at = f"{where}.tools[{index}]"
        kind = word(tool, "type", _NAMING_KINDS, at) or "function"
        names.append(required_text(mapping(tool, kind, at) or {}, "name", f"{at}.{kind}"))
    if not names:
        wrong(where, "tools", "a list with at least one tool")
    return mode, frozenset(names)


def _function(function: dict[str, Any], carried: Carried, where: str) -> Tool:
    return Tool(
        name=required_text(function, "name", where),
        description=text(function, "description", where),
        schema=mapping(function, "parameters", where),
        strict=flag(function, "strict", where),
        carried=carried,
    )
