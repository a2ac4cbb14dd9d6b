"""Deliveries to receivers that are no providers: addresses that a person typed and that must not lead inside."""

from collections.abc import Sequence
from typing import Protocol

from bascule.model.receiver import Receiver
from bascule.ports.upstream import Header


class NotDelivered(Exception):
    """Nothing was delivered, as far as is known. `forbidden`: by the guard, so that trying again is of no use.

    The message names neither the address's path nor its query.
    """

    def __init__(self, message: str, *, forbidden: bool = False) -> None:
        self.forbidden = forbidden
        super().__init__(message)


class Deliveries(Protocol):
    """One POST at a time, guarded."""

    async def post(self, to: Receiver, headers: Sequence[Header], body: bytes) -> int:
        """The status that came back; of the answer nothing else is read. Raises NotDelivered."""
        ...
