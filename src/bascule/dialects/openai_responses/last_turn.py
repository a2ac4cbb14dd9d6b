"""The last turn of a Responses request."""

from typing import Any

from bascule.dialects.last_asked import last_asked as asked
from bascule.dialects.last_asked import text_in
from bascule.dialects.sampling import digest

_TEXT = frozenset({"input_text", "text"})

_CALLS = frozenset({"function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call"})


def last_message(body: dict[str, Any]) -> Any:
    items = body.get("input")
    return items[-1] if type(items) is list and items else items


def last_calls(body: dict[str, Any]) -> bytes | None:
    """Of a body whose facts have been read. Where results go on from a stored answer the calls are not seen."""
    items = body.get("input")
    if type(items) is not list:
        return None
    at = len(items)
    while at and str(items[at - 1].get("type")).endswith("_output"):
        at -= 1
    if at == len(items):
        return None
    calls: list[Any] = []
    while at and items[at - 1].get("type") in _CALLS:
        at -= 1
        calls.append([items[at].get(name) for name in ("name", "arguments", "input", "action", "operation")])
    return digest(calls) if calls else None


def last_asked(body: dict[str, Any]) -> tuple[str, str] | None:
    """Where a request goes on from a stored answer, what was asked before is not seen."""
    items = body.get("input")
    return asked(items, _said, _answers) if type(items) is list else None


def _said(item: dict[str, Any]) -> str | None:
    return text_in(item.get("content"), _TEXT) if item.get("role") == "user" else None


def _answers(item: dict[str, Any]) -> bool:
    return item.get("role") == "assistant"
