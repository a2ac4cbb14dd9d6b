"""The tools of a Chat Completions request, and the choice among them, to canonical form."""

from typing import Any

from bascule.dialects.fields import flag, mapping, objects, required_text, text, wrong
from bascule.dialects.openai_chat.parse_message import mark
from bascule.model.request import Carried, Tool, ToolChoice

_MODES = ("none", "auto", "required")
_MODES_TEXT = "`none`, `auto`, `required` or an object that names a tool"


def parse_tools(body: dict[str, Any]) -> tuple[Tool, ...]:
    """`tools` and the older `functions`. Raises MalformedRequest."""
    found: list[Tool] = []
    for index, tool in enumerate(objects(body, "tools")):
        where = f"tools[{index}]"
        kind = text(tool, "type", where) or "function"
        if kind == "function":
            inner = mapping(tool, "function", where)
            if inner is None:
                wrong(where, "function", "an object with a `name`")
            found.append(_function(inner, mark(tool, where), f"{where}.function"))
        elif kind == "custom":
            inner = mapping(tool, "custom", where) or {}
            at = f"{where}.custom"
            name = required_text(inner, "name", at)
            found.append(Tool(name=name, kind="custom", description=text(inner, "description", at)))
        else:
            found.append(Tool(name=kind, kind="hosted", carried={"openai_chat": tool}))
    functions = objects(body, "functions")
    found += [_function(function, {}, f"functions[{index}]") for index, function in enumerate(functions)]
    return tuple(found)


def parse_tool_choice(body: dict[str, Any]) -> ToolChoice | None:
    """`tool_choice`, or `function_call` of old, with `parallel_tool_calls`. Raises MalformedRequest."""
    parallel = flag(body, "parallel_tool_calls")
    field = "tool_choice"
    choice = body.get(field)
    if choice is None:
        field = "function_call"
        choice = body.get(field)
    if choice is None:
        return None if parallel is None else ToolChoice(parallel=parallel)
    if type(choice) is dict:
        named = _named(choice, field)
        if named is not None:
            return ToolChoice(mode="tool", name=named, parallel=parallel)
        allowed = mapping(choice, "allowed_tools", field)
        choice = choice.get("type") if allowed is None else allowed.get("mode")
    if type(choice) is not str or choice not in _MODES:
        wrong("", field, _MODES_TEXT)
    mode: Any = choice
    return ToolChoice(mode=mode, parallel=parallel)


def _named(choice: dict[str, Any], field: str) -> str | None:
    """The tool that a choice names; None where it names none."""
    if field == "function_call":
        return required_text(choice, "name", field)
    for kind in ("function", "custom"):
        if (inner := mapping(choice, kind, field)) is not None:
            return required_text(inner, "name", f"{field}.{kind}")
    return None


def _function(function: dict[str, Any], carried: Carried, where: str) -> Tool:
    return Tool(
        name=required_text(function, "name", where),
        description=text(function, "description", where),
        schema=mapping(function, "parameters", where),
        strict=flag(function, "strict", where),
        carried=carried,
    )
