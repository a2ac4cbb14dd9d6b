"""A worker that borrows: what waits, how long, and what happens when the authority is slow, away, or back."""

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from bascule.decide.window import span
from bascule.model.budget import Attribution, Hold
from bascule.model.entry import Intent, Settlement
from bascule.model.errors import Refusal
from bascule.model.policy import Budget
from bascule.model.usage import Usage
from bascule.ports import Exchanged
from bascule.storage.drainer import Drainer
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.lending.borrowing import Borrowing
from bascule.storage.lending.lender import LendingLimits
from bascule.storage.memory.authority import MemoryAuthority
from bascule.storage.memory.leases import MemoryLeases
from bascule.storage.memory.ledger import MemoryLedger
from bascule.testing.clock import FakeClock

WHO = Attribution(key="k")
BUDGET = Budget(scope="key:k", window="hour", limit_nanousd=1_000)
WAIT_S = 0.2


class Freezing(MemoryLeases):
    """Answers nothing while it is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.thawed = threading.Event()
        self.thawed.set()

    def exchange(self, *args: Any) -> Exchanged:
        self.thawed.wait(10)
        return super().exchange(*args)


class Worker:
    def __init__(self, folder: Path, leases: MemoryLeases, clock: FakeClock, name: str = "w", **limits: Any) -> None:
        self.clock = clock
        self.ledger = MemoryLedger()
        self.journal = JournalWriter(folder, name)
        self.drainer = Drainer(self.journal, self.ledger)
        self.authority = MemoryAuthority((BUDGET,), lambda *_: 0, shared=True)
        self.borrowing = Borrowing(
            leases=leases,
            ledger=self.ledger,
            journal=self.journal,
            authority=self.authority,
            clock=clock,
            replica="here",
            limits=LendingLimits(**{"wait_s": WAIT_S, "term_ms": 10_000, **limits}),
        )
        self.lender = self.borrowing.lender

    def start(self) -> None:
        self.borrowing.open((BUDGET,), self.clock.now_ms())
        self.lender.start()

    async def hold(self, name: str, amount: int) -> Hold | Refusal:
        await self.lender.ready(WHO)
        return await self.lender.reserve(WHO, name, amount)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


def refused(outcome: Hold | Refusal | None, kind: str) -> bool:
    return isinstance(outcome, Refusal) and outcome.kind == kind


def test_what_is_borrowed_is_spent_while_the_authority_is_frozen_and_no_longer_than_its_term(tmp_path: Path) -> None:
    async def test() -> None:
        leases, clock = Freezing(), FakeClock()
        worker = Worker(tmp_path, leases, clock)
        worker.start()
        for number in range(4):  # so that something is borrowed ahead
            hold = await worker.hold(f"a{number}", 10)
            assert isinstance(hold, Hold)
            worker.authority.settle(hold, 10)
            await asyncio.sleep(0.06)
        leases.thawed.clear()
        await asyncio.sleep(0.1)
        assert isinstance(await worker.hold("in hand", 5), Hold)
        started = asyncio.get_running_loop().time()
        assert refused(await worker.hold("too much", 900), "unavailable")
        assert asyncio.get_running_loop().time() - started < 2 * WAIT_S + 1
        clock.advance(60)
        assert refused(await worker.hold("after its term", 1), "unavailable")
        assert isinstance(await worker.hold("what costs nothing", 0), Hold)
        leases.thawed.set()
        await asyncio.sleep(0.5)
        assert isinstance(await worker.hold("it answers again", 900), Hold)
        await worker.lender.stop()

    run(test())


def test_a_full_queue_is_refused_at_once(tmp_path: Path) -> None:
    async def test() -> None:
        leases, clock = Freezing(), FakeClock()
        worker = Worker(tmp_path, leases, clock, max_waiting=2)
        worker.start()
        leases.thawed.clear()
        waiting = [asyncio.create_task(worker.hold(f"a{number}", 10)) for number in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert worker.lender.waiting == 2
        assert waiting[2].done()
        assert all(refused(outcome, "unavailable") for outcome in await asyncio.gather(*waiting))
        leases.thawed.set()
        await worker.lender.stop()

    run(test())


def test_a_hold_that_comes_for_one_who_has_left_is_given_back(tmp_path: Path) -> None:
    async def test() -> None:
        leases, clock = Freezing(), FakeClock()
        worker = Worker(tmp_path, leases, clock)
        worker.start()
        await worker.lender.ready(WHO)
        leases.thawed.clear()
        leaver = asyncio.create_task(worker.hold("left", 700))
        await asyncio.sleep(0.05)
        leaver.cancel()
        leases.thawed.set()
        await asyncio.gather(leaver, return_exceptions=True)
        await asyncio.sleep(0.2)
        assert worker.authority.open_holds == 0
        assert isinstance(await worker.hold("stays", 900), Hold)
        await worker.lender.stop()

    run(test())


def test_two_workers_have_the_whole_limit_between_them(tmp_path: Path) -> None:
    async def test() -> None:
        leases, clock = MemoryLeases(), FakeClock()
        one, other = Worker(tmp_path, leases, clock, "one"), Worker(tmp_path, leases, clock, "other")
        one.start()
        other.start()
        first = await one.hold("a", 600)
        assert isinstance(first, Hold)
        assert refused(await other.hold("b", 500), "budget_exhausted")
        one.authority.settle(first, 100)
        assert isinstance(await other.hold("c", 900), Hold)  # what was not spent comes back at once
        for worker in (one, other):
            await worker.lender.stop()

    run(test())


def attempt(worker: Worker, name: str, cost: int) -> None:
    """One that the journal has and no budget counted."""
    now_ms = worker.clock.now_ms()
    worker.journal.intent(
        Intent(
            attempt_id=name, request_id=name, attempt_no=1, role="primary", model="m", model_requested="m",
            dialect_in="openai_chat", dialect_out="openai_chat", stream=False, ts_start_ms=now_ms, hold_nanousd=cost,
            held=(), price_version="v", key="k", tags={}, reason="r",
        )
    )  # fmt: skip
    usage = Usage(source="reported")
    worker.journal.settle(Settlement(attempt_id=name, ts_end_ms=now_ms, usage=usage, cost_nanousd=cost))


def test_a_budget_made_in_mid_window_counts_what_living_and_dead_chains_have_spent(tmp_path: Path) -> None:
    async def test() -> None:
        leases, clock = MemoryLeases(), FakeClock()
        dead, worker = Worker(tmp_path, leases, clock, "dead"), Worker(tmp_path, leases, clock)
        dead.ledger = worker.ledger
        attempt(dead, "old", 100)
        Drainer(dead.journal, worker.ledger).drain()
        worker.authority.configure(())
        worker.borrowing.open((), clock.now_ms())
        worker.lender.start()
        clock.advance(1)
        attempt(worker, "drained", 20)
        worker.drainer.drain()
        attempt(worker, "undrained", 3)
        worker.authority.configure((BUDGET,))
        await worker.lender.ready(WHO)
        [state] = worker.authority.applicable(WHO, clock.now_ms())
        assert state.settled_nanousd == 123
        assert refused(await worker.hold("beyond", 878), "budget_exhausted")
        assert isinstance(await worker.hold("all of it", 877), Hold)
        await worker.lender.stop()

    run(test())


def test_windows_long_over_are_forgotten(tmp_path: Path) -> None:
    async def test() -> None:
        leases, clock = MemoryLeases(), FakeClock()
        worker = Worker(tmp_path, leases, clock)
        worker.start()
        hold = await worker.hold("a", 10)
        assert isinstance(hold, Hold)
        worker.authority.settle(hold, 10)
        old = span("hour", clock.now_ms()).id
        assert ("key:k", old) in leases.counters()
        clock.advance(10)
        await asyncio.sleep(0.2)
        clock.advance(2 * 86_400)
        assert isinstance(await worker.hold("b", 10), Hold)
        await asyncio.sleep(0.2)
        assert ("key:k", old) not in leases.counters()
        await worker.lender.stop()

    run(test())


def test_a_budget_that_goes_and_comes_back_over_an_open_attempt_is_lent_once(tmp_path: Path) -> None:
    async def test() -> None:
        leases, clock = MemoryLeases(), FakeClock()
        first, second = [Worker(tmp_path, leases, clock, name) for name in ("first", "second")]
        first.start()
        second.start()
        opened = await first.hold("open", 100)
        assert isinstance(opened, Hold)
        for budgets in ((), (BUDGET,)):
            first.authority.configure(budgets)
            await asyncio.sleep(0.1)
        assert isinstance(await first.hold("more", 800), Hold)
        await asyncio.sleep(0.1)
        assert refused(await second.hold("too much", 200), "budget_exhausted")
        first.authority.settle(opened, 20)
        await asyncio.sleep(0.1)
        assert isinstance(await second.hold("what is left", 180), Hold)
        await first.lender.stop()
        await second.lender.stop()

    run(test())
