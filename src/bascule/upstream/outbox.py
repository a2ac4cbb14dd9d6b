"""What one round of the event loop has to say to the world, said together at its end.

Requests that are in the air at the same time are worked on one after the other within a round. Sending each message
at once makes the kernel deliver it (and wake its receiver) between two of them; sent together at the end of the round
they cost a sixth less processor time per request, measured with 32 clients. The price is that a message waits for the
others of its round, which is some microseconds where there are no others.
"""

import asyncio
from typing import Protocol


class Sender(Protocol):
    """Has something to send, and is told when."""

    def release(self) -> None:
        """Send it now. Must not raise: others wait behind it."""
        ...


class Outbox:
    """Belongs to one event loop. Order is kept: who was added first sends first."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Sender] = []

    def add(self, sender: Sender) -> None:
        """`sender.release` is called once, at the end of the round or by an earlier `flush`."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append(sender)

    def flush(self) -> None:
        """End the round now: for who cannot wait, because what it is about to send must come behind."""
        waiting, self._waiting = self._waiting, []
        for sender in waiting:
            sender.release()
