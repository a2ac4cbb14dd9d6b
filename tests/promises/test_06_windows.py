"""Promise 6: a window ends under three workers, with attempts in flight, and each is spent where it was held."""

import asyncio
from pathlib import Path

import pytest
from tests.promises.conftest import Figure

from bascule.decide.window import HOUR_MS, span
from bascule.model.budget import Attribution, Hold
from bascule.model.errors import Refusal
from bascule.model.policy import Budget
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.lending.borrowing import Borrowing
from bascule.storage.lending.lender import HEARTBEAT_S, LendingLimits
from bascule.storage.memory.authority import MemoryAuthority
from bascule.storage.memory.leases import MemoryLeases
from bascule.storage.memory.ledger import MemoryLedger
from bascule.testing.clock import FakeClock

WHO = Attribution(key="k", team="t")
BUDGETS = (
    Budget(scope="key:k", window="hour", limit_nanousd=1_000),
    Budget(scope="team:t", window="day", limit_nanousd=2_500),
)
MIDNIGHT_MS = 1_795_305_600_000
BEFORE_MS = MIDNIGHT_MS - 1_000


class Fleet:
    """Workers of one process, on one clock and one authority."""

    def __init__(self, folder: Path, count: int) -> None:
        self.clock = FakeClock(now_ms=BEFORE_MS)
        self.leases = MemoryLeases()
        self.ledger = MemoryLedger()
        self.authorities = [MemoryAuthority(BUDGETS, lambda *_: 0, shared=True) for _ in range(count)]
        self.workers = [
            Borrowing(
                leases=self.leases,
                ledger=self.ledger,
                journal=JournalWriter(folder, f"w{number}"),
                authority=authority,
                clock=self.clock,
                replica="here",
                limits=LendingLimits(wait_s=5.0),
            )
            for number, authority in enumerate(self.authorities)
        ]

    async def start(self) -> None:
        for worker in self.workers:
            worker.open(BUDGETS, self.clock.now_ms())
            worker.lender.start()

    async def stop(self) -> None:
        for worker in self.workers:
            await worker.lender.stop()

    async def hold(self, worker: int, name: str, amount: int) -> Hold | Refusal:
        lender = self.workers[worker].lender
        await lender.ready(WHO)
        return await lender.reserve(WHO, name, amount)

    async def hour_passes(self) -> None:
        """And everybody has said since that it lives."""
        self.clock.advance(HOUR_MS / 1_000)
        await asyncio.sleep(1.5 * HEARTBEAT_S)

    async def told(self, scope: str, window: str) -> int:
        """What the authority says is settled there, once every worker has reported."""
        await asyncio.sleep(0.3)
        [found] = self.leases.standings([(scope, window)], self.clock.now_ms())
        return 0 if found is None else found.settled_elsewhere_nanousd


@pytest.mark.promise(6, fault="midnight under 3 workers, late settlements", limit="spend in the window of its hold")
def test_spend_lands_in_the_window_of_its_hold(tmp_path: Path, figure: Figure) -> None:
    async def roll_over() -> None:
        fleet = Fleet(tmp_path, 3)
        await fleet.start()
        old = [await fleet.hold(number, f"old{number}", 300) for number in range(3)]
        assert all(isinstance(hold, Hold) for hold in old)
        assert isinstance(await fleet.hold(0, "too much", 300), Refusal)  # 900 of 1,000 are held

        fleet.clock.advance(2)
        new = [await fleet.hold(number, f"new{number}", 300) for number in range(3)]
        assert all(isinstance(hold, Hold) for hold in new), "the new window did not begin by itself"
        assert isinstance(await fleet.hold(1, "too much again", 300), Refusal)
        for authority, late, early in zip(fleet.authorities, old, new, strict=True):
            assert isinstance(late, Hold)
            assert isinstance(early, Hold)
            assert {held.window_id for held in late.held}.isdisjoint({held.window_id for held in early.held})
            authority.settle(early, 10)
            authority.settle(late, 200)

        before, after = (
            {window: span(window, at_ms).id for window in ("hour", "day")} for at_ms in (BEFORE_MS, MIDNIGHT_MS)
        )
        assert await fleet.told("key:k", before["hour"]) == 600
        assert await fleet.told("team:t", before["day"]) == 600
        assert await fleet.told("key:k", after["hour"]) == 30
        assert await fleet.told("team:t", after["day"]) == 30
        assert isinstance(await fleet.hold(2, "the rest", 970), Hold)

        await fleet.hour_passes()
        assert isinstance(await fleet.hold(2, "an hour later", 1_000), Hold)
        await fleet.hour_passes()
        assert isinstance(await fleet.hold(0, "beyond the day", 501), Refusal)  # 30 + 970 + 1,000 of 2,500
        assert isinstance(await fleet.hold(0, "up to it", 500), Hold)
        await fleet.stop()
        figure("windows", len(fleet.leases.counters()))
        figure("misplaced", 0, "nanousd")

    asyncio.run(roll_over())
