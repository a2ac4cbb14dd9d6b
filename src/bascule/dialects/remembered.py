"""What was worked out of an object that many requests share, found again by the object's identity.

Agents send the same tools with every turn, and `gateway.bodies` decodes the same bytes to the same list. What a pure
function makes of that list is then the same too, and is kept beside it: the object is held, so its identity stays its
own. Nobody changes a decoded body or what is remembered of it.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

Given = TypeVar("Given", bound=Sequence[object])
Made = TypeVar("Made")

LEAST_ITEMS = 8
"""Shorter sequences are worked out each time: they are mostly of requests too small to share anything."""
MAX_REMEMBERED = 32
MAX_JSON_BYTES = 128 * 1024
"""What is longer than this as JSON is not kept: 32 of it as objects are about 30 MB."""


class Remembered(Generic[Given, Made]):
    """A pure function of one sequence of JSON values or structs that remembers its last results, `MAX_REMEMBERED` at
    most and none of a sequence above `MAX_JSON_BYTES`, the oldest going first. What it raises it does not remember.
    """

    __slots__ = ("_known", "_make")

    def __init__(self, make: Callable[[Given], Made]) -> None:
        self._make = make
        self._known: dict[int, tuple[Given, Made]] = {}

    def __call__(self, given: Given) -> Made:
        if len(given) < LEAST_ITEMS:
            return self._make(given)
        known = self._known
        found = known.get(id(given))
        if found is not None and found[0] is given:
            return found[1]
        made = self._make(given)
        if len(msgspec.json.encode(given)) > MAX_JSON_BYTES:
            return made
        if len(known) >= MAX_REMEMBERED:
            del known[next(iter(known))]
        known[id(given)] = (given, made)
        return made
