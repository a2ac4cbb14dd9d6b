"""Answers that are referred to later: by `previous_response_id`, or item by item.

Pure: where the answers are kept is the gateway's. What was kept is put in the place of the reference, so that any
model can go on from it. It is counted before it is decoded: a reference is short, what it stands for need not be.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.base import Body
from bascule.dialects.sse import whole_events
from bascule.dialects.values import most_values
from bascule.model.errors import Refusal

FindAnswer = Callable[[str], bytes | None]
"""From a response's id to the items of the conversation up to its end: a JSON array."""
FindItem = Callable[[str], bytes | None]
"""From an item's id to its JSON text."""


class _Last(Struct):
    response: Raw


class _Output(Struct):
    output: list[Raw]


class _Named(Struct):
    id: str


def expanded(
    body: Body, find_answer: FindAnswer, find_item: FindItem, room_bytes: int, room_values: int
) -> Body | Refusal | None:
    """The request with what was kept instead of references to it; None where it refers to nothing that was.

    All that was kept is no longer than `room_bytes` and `room_values` (`most_values`), else the request is refused, and
    no item stands there twice.
    Instructions are not part of a conversation (developers.openai.com/api/docs/guides/conversation-state).
    """
    given = body.get("input")
    if given is not None and type(given) is not list and type(given) is not str:
        return None  # whoever reads it says so
    items = as_items(given)
    previous = body.get("previous_response_id")
    history = find_answer(previous) if type(previous) is str else None
    if history is not None and len(history) > room_bytes:
        return _TOO_LARGE
    found = _found(items, find_item, room_bytes - len(history or b""))
    if isinstance(found, Refusal):
        return found
    if history is None and not found:
        return None
    if sum([most_values(text) for text in (history or b"", *found.values())]) > room_values:
        return _TOO_LARGE
    resolved = [msgspec.json.decode(found[at]) if at in found else item for at, item in enumerate(items)]
    if history is None:
        return {**body, "input": resolved}
    rest = {name: value for name, value in body.items() if name != "previous_response_id"}
    return {**rest, "input": [*msgspec.json.decode(history, type=list[Any]), *resolved]}


def _found(items: list[Any], find_item: FindItem, room_bytes: int) -> dict[int, bytes] | Refusal:
    """What was kept of the items that are referred to, by the places of the references."""
    found: dict[int, bytes] = {}
    seen: set[str] = set()
    for at, item in enumerate(items):
        name = _referred(item)
        text = None if name is None else find_item(name)
        if name is None or text is None:
            continue
        if name in seen:
            return _twice(name, at)
        room_bytes -= len(text)
        if room_bytes < 0:
            return _TOO_LARGE
        seen.add(name)
        found[at] = text
    return found


def _referred(item: Any) -> str | None:
    """The id of the item that this one stands for."""
    name = item.get("id") if type(item) is dict and item.get("type") == "item_reference" else None
    return name if type(name) is str else None


def _twice(name: str, at: int) -> Refusal:
    return Refusal(
        kind="malformed",
        message=f"`input[{at}]`: the item {name[:64]!r} is referred to twice; refer to it once",
        param=f"input[{at}].id",
    )


_TOO_LARGE = Refusal(
    kind="too_large",
    message="with the kept answers that it refers to the request is larger than a request may be "
    "(server.limits.max_body_bytes, max_body_values); begin a new conversation, or send a shorter one in `input`",
)


def as_items(given: Any) -> list[Any]:
    """`input` as a list of items."""
    if type(given) is list:
        return given
    return [{"type": "message", "role": "user", "content": given}] if type(given) is str else []


def output_of(response: bytes) -> dict[str, bytes]:
    """The items of a response that this gateway rendered: their JSON text by their ids, in order."""
    items = msgspec.json.decode(response, type=_Output).output
    return {msgspec.json.decode(item, type=_Named).id: bytes(item) for item in items}


def id_of(response: bytes) -> str:
    """The id of a response that this gateway rendered."""
    return msgspec.json.decode(response, type=_Named).id


def last_response(events: bytes) -> bytes | None:
    """The JSON text of the response in the last of these events; None where it holds none."""
    found = [event.data for event in whole_events(events) if event.data is not None]
    if not found:
        return None
    try:
        return bytes(msgspec.json.decode(found[-1], type=_Last).response)
    except msgspec.ValidationError:
        return None
