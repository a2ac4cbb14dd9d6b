"""Names and ids of the Responses format: tools in namespaces, custom tools, and the ids of items.

Other dialects know neither namespaces nor free-text tools. A namespace is flattened into the tool's name, a free text
becomes the one argument of a function; both are undone in the answer, by what the request's own tools say.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from bascule.dialects.base import Body
from bascule.dialects.names import call_id
from bascule.dialects.openai_responses.tool_items import tool_holders

_SEPARATOR = "__"
FOREIGN_REASONING = "rs_bascule_"
"""The beginning of ids of reasoning items that another dialect's provider wrote."""


class Known(Struct, frozen=True):
    """A tool as the client calls it."""

    name: str
    namespace: str | None = None
    custom: bool = False


def flat_name(namespace: str | None, name: str) -> str:
    """One name for a tool that may be in a namespace."""
    return name if namespace is None else f"{namespace}{_SEPARATOR}{name}"


def known_tools(body: Body | None) -> dict[str, Known]:
    """The functions and custom tools of a request that was understood, by their flat names. Of one name the first."""
    known: dict[str, Known] = {}
    for tool in _tools(body):
        known.setdefault(flat_name(tool.namespace, tool.name), tool)
    return known


def _tools(body: Body | None) -> Iterator[Known]:
    tools = [tool for _, holder in tool_holders(body or {}) for tool in _list(holder, "tools")]
    for tool in tools:
        if tool.get("type") == "namespace":
            yield from [_known(inner, str(tool.get("name"))) for inner in _list(tool, "tools")]
        elif tool.get("type") in ("function", "custom"):
            yield _known(tool, None)


def _known(tool: dict[str, Any], namespace: str | None) -> Known:
    return Known(str(tool.get("name")), namespace, tool.get("type") == "custom")


def _list(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name)
    return [item for item in found if type(item) is dict] if type(found) is list else []


def custom_input(arguments: str) -> str:
    """The free text out of a function's arguments; what is no such object is the text itself."""
    try:
        held = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    text = held.get("input") if type(held) is dict else None
    return text if type(text) is str else arguments


def response_id(given: str | None) -> str:
    """An answer's id in OpenAI's form, made from the provider's, or from that of our request."""
    plain = (given or "unknown").removeprefix("chatcmpl-").removeprefix("msg_").removeprefix("req_")
    return plain if plain.startswith("resp_") else f"resp_{call_id(plain)}"


def item_id(prefix: str, response: str, index: int) -> str:
    """The id of an item of an answer: `msg_`, `fc_`, … as OpenAI checks them when they come back."""
    return f"{prefix}{call_id(response.removeprefix('resp_'))}_{index}"
