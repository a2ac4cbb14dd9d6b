"""A streamed answer in canonical form: deltas, each of one choice. Blocks are opened and closed by the writers that
need it."""

from typing import Literal

from msgspec import Struct

from bascule.model.request import Signature


class Started(Struct, frozen=True, gc=False):
    """The provider has begun. Comes once, before all others."""

    id: str | None
    model: str | None


class TextDelta(Struct, frozen=True, gc=False):
    choice: int
    text: str


class ThinkingDelta(Struct, frozen=True, gc=False):
    choice: int
    text: str


class ThinkingSigned(Struct, frozen=True):
    """The signature of the thinking just before."""

    choice: int
    signature: Signature


class RedactedThinkingSeen(Struct, frozen=True):
    choice: int
    signature: Signature


class RefusalDelta(Struct, frozen=True, gc=False):
    choice: int
    text: str


class ToolCallStarted(Struct, frozen=True):
    """`call` numbers the calls of a choice from 0 in the order of their start."""

    choice: int
    call: int
    id: str
    name: str
    signature: Signature | None = None
    kind: Literal["function", "custom"] = "function"


class ToolArgumentsDelta(Struct, frozen=True, gc=False):
    """A piece of JSON text; of a custom tool's free text. Pieces of several calls may alternate."""

    choice: int
    call: int
    json: str


class Finished(Struct, frozen=True, gc=False):
    """A choice is complete. The stream itself is complete only with the provider's terminal event."""

    choice: int
    reason: str
    stop_sequence: str | None = None


Event = (
    Started
    | TextDelta
    | ThinkingDelta
    | ThinkingSigned
    | RedactedThinkingSeen
    | RefusalDelta
    | ToolCallStarted
    | ToolArgumentsDelta
    | Finished
)
