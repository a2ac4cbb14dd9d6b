"""The last turn of a Responses request."""

from typing import Any

from bascule.dialects.sampling import digest
from bascule.model.turn import Turn

_CALLS = frozenset({"function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call"})


def last_turn(body: dict[str, Any]) -> Turn:
    """Of a body whose facts have been read. Where results go on from a stored answer the calls are not seen."""
    items = body.get("input")
    if type(items) is not list:
        return Turn(None, digest([items]))
    said = digest([items[-1]])
    at = len(items)
    while at and str(items[at - 1].get("type")).endswith("_output"):
        at -= 1
    if at == len(items):
        return Turn(None, said)
    calls: list[Any] = []
    while at and items[at - 1].get("type") in _CALLS:
        at -= 1
        calls.append([items[at].get(name) for name in ("name", "arguments", "input", "action", "operation")])
    return Turn(digest(calls) if calls else None, said)
