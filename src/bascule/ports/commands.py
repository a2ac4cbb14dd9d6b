"""Programs of the operator's own that look at answers."""

from typing import Protocol

from msgspec import Struct

from bascule.model.strategy import CommandPolicy


class Said(Struct, frozen=True):
    """What a program says of an answer."""

    accepted: bool | None
    """None: it was stopped, or could not be started."""
    detail: str = ""
    """For a person, in one line."""


class Commands(Protocol):
    """Runs them, each in a process of its own and under limits."""

    async def ask(self, policy: CommandPolicy, given: bytes) -> Said:
        """`given` on its standard input. Never raises but for cancellation, which ends the process."""
        ...
