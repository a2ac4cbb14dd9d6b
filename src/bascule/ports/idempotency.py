"""Which Idempotency-Keys were used, and work beside the event loop."""

from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

from bascule.model.content import Subject
from bascule.model.idempotency import KeptReply, KeyState, KeyUse

T = TypeVar("T")


class Beside(Protocol):
    """Runs blocking work where it does not hold up the event loop."""

    async def run(self, work: Callable[[], T], within_s: float, undo: Callable[[], object] | None = None) -> T:
        """What `work` returns. Raises what it raises, and StoreError where it takes longer than `within_s` or too
        much waits already; should it be done later all the same, `undo` is then run after it."""
        ...


class IdempotencyStore(Protocol):
    """The uses of Idempotency-Keys, one a name. Blocking; called from one thread. Raises StoreError."""

    def claim(self, use: KeyUse) -> KeyUse | Literal["claimed", "full"]:
        """Take the name for this request; else the use that has it. A use that is over its time has it no more."""
        ...

    def find(self, name: bytes, now_ms: int) -> KeyUse | None: ...

    def end(self, name: bytes, request_id: str, state: KeyState, attempt_id: str | None) -> None:
        """What became of the request, if the name is still its."""
        ...

    def release(self, name: bytes, request_id: str) -> None:
        """Forget the use, if the name is still this request's: nothing came of it."""
        ...

    def abandon(self, is_dead: Callable[[str], bool]) -> int:
        """Uses that dead owners left open: those whose request has attempts in the ledger are lost, the others
        forgotten. Returns how many were lost. Once the ledger has all lines of those owners."""
        ...

    def purge(self, now_ms: int) -> int:
        """Drop some of the uses that are over their time, the oldest first, so that a claim behind it does not wait
        long; says how many those were."""
        ...


class ReplyStore(Protocol):
    """Answers that outlive the process, where that is allowed. Blocking. Raises StoreError."""

    def keep(self, name: bytes, reply: KeptReply, *, subject: Subject, started_ms: int) -> None:
        """Unless content of its user or session was erased since it was asked."""
        ...

    def find(self, name: bytes, now_ms: int) -> KeptReply | None: ...
