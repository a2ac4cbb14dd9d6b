"""Tools that items of the input bring along: found by a search, or added in the middle of a conversation."""

from typing import Any

from bascule.dialects.base import Body

TOOL_ITEMS = ("additional_tools", "tool_search_output")
"""Items of which `tools` may be called from there on, as those of the request may."""


def tool_holders(body: Body) -> list[tuple[str, dict[str, Any]]]:
    """(where, holder of `tools`): the request itself, at "", and the items that bring tools."""
    items = body.get("input")
    found: list[tuple[str, dict[str, Any]]] = [("", body)]
    for at, item in enumerate(items if type(items) is list else ()):
        if type(item) is dict and item.get("type") in TOOL_ITEMS:
            found.append((f"input[{at}]", item))
    return found
