"""Answers that are referred to later: by `previous_response_id`, or item by item.

Pure: where the answers are kept is the gateway's. What was kept is put in the place of the reference, so that any
model can go on from it.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.base import Body
from bascule.dialects.sse import whole_events

FindAnswer = Callable[[str], list[Any] | None]
"""From a response's id to the items of the conversation up to its end."""
FindItem = Callable[[str], Any | None]
"""From an item's id to the item."""


class _Last(Struct):
    response: Raw


def expanded(body: Body, find_answer: FindAnswer, find_item: FindItem) -> Body | None:
    """The request with what was kept instead of references to it; None where it refers to nothing that was.

    Instructions are not part of a conversation (developers.openai.com/api/docs/guides/conversation-state).
    """
    given = body.get("input")
    if given is not None and type(given) is not list and type(given) is not str:
        return None  # whoever reads it says so
    items = given if type(given) is list else as_items(given)
    referred = [item for item in items if type(item) is dict and item.get("type") == "item_reference"]
    resolved = [_resolved(item, find_item) for item in items] if referred else items
    changed = any(new is not old for new, old in zip(resolved, items, strict=True))
    previous = body.get("previous_response_id")
    history = find_answer(previous) if type(previous) is str else None
    if history is None:
        return {**body, "input": resolved} if changed else None
    rest = {name: value for name, value in body.items() if name != "previous_response_id"}
    return {**rest, "input": [*history, *resolved]}


def as_items(given: Any) -> list[Any]:
    """`input` as a list of items."""
    if type(given) is list:
        return given
    return [{"type": "message", "role": "user", "content": given}] if type(given) is str else []


def output_of(response: bytes) -> list[Any]:
    """The items of a response that this gateway rendered."""
    output: list[Any] = msgspec.json.decode(response)["output"]
    return output


def id_of(response: bytes) -> str:
    """The id of a response that this gateway rendered."""
    return str(msgspec.json.decode(response)["id"])


def last_response(events: bytes) -> bytes | None:
    """The JSON text of the response in the last of these events; None where it holds none."""
    found = [event.data for event in whole_events(events) if event.data is not None]
    if not found:
        return None
    try:
        return bytes(msgspec.json.decode(found[-1], type=_Last).response)
    except msgspec.ValidationError:
        return None


def _resolved(item: Any, find_item: FindItem) -> Any:
    if type(item) is not dict or item.get("type") != "item_reference" or type(item.get("id")) is not str:
        return item
    found = find_item(item["id"])
    return item if found is None else found
