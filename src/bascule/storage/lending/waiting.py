"""Requests that wait for the authority, first come first served, each no longer than its bound."""

import asyncio
from collections.abc import Callable

from bascule.model.budget import Attribution, Hold
from bascule.model.errors import Refusal
from bascule.ports import CounterId

Outcome = Hold | Refusal | bool


class Waiter:
    """One request. `needed_nanousd` None waits for news alone; without an attempt money is made ready, not held."""

    __slots__ = ("_future", "attempt_id", "attribution", "counters", "needed_nanousd", "recalls")

    def __init__(
        self, attribution: Attribution, needed_nanousd: int | None = None, attempt_id: str | None = None
    ) -> None:
        self.attribution = attribution
        self.needed_nanousd = needed_nanousd
        self.attempt_id = attempt_id
        self.counters: tuple[CounterId, ...] = ()
        """What was asked for it last."""
        self.recalls: dict[CounterId, int] = {}
        """What was asked back for it."""
        self._future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    @property
    def is_over(self) -> bool:
        return self._future.done()

    def resolve(self, outcome: Outcome) -> None:
        if not self._future.done():
            self._future.set_result(outcome)

    async def outcome(self) -> Outcome:
        return await self._future

    @property
    def late_outcome(self) -> Outcome | None:
        """What came although nobody waited any more."""
        future = self._future
        return future.result() if future.done() and not future.cancelled() else None


class Waiting:
    """The queue. `max_waiting` bounds it: one more is not let in."""

    def __init__(self, wait_s: float, max_waiting: int) -> None:
        self.wait_s = wait_s
        self._max_waiting = max_waiting
        self._waiters: dict[Waiter, None] = {}

    def __len__(self) -> int:
        return len(self._waiters)

    def current(self) -> list[Waiter]:
        return [waiter for waiter in self._waiters if not waiter.is_over]

    async def wait(
        self, waiter: Waiter, wake: asyncio.Event, release: Callable[[Outcome], None] | None = None
    ) -> Outcome | None:
        """The outcome, or None where it does not come in time. `release` is given what came for a waiter that was
        cancelled meanwhile."""
        if len(self._waiters) >= self._max_waiting:
            return None
        self._waiters[waiter] = None
        wake.set()
        try:
            async with asyncio.timeout(self.wait_s):
                return await waiter.outcome()
        except TimeoutError:
            return waiter.late_outcome
        except asyncio.CancelledError:
            late = waiter.late_outcome
            if late is not None and release is not None:
                release(late)
            raise
        finally:
            del self._waiters[waiter]
