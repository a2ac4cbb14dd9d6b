"""A worker's borrowing: what waits for the authority, and the rounds in which it is asked. Of one event loop.

A request that finds enough in the shares at hand waits for nobody and comes nowhere near this. The rounds go on
beside: they report what was spent, have shares filled up before they are empty, and give back what lies idle. The
authority is asked in a thread, one exchange at a time, and each wait has a bound of its own, so that a store that
hangs delays nobody longer than that.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct, structs

from bascule.decide.budget import AUTHORITY_AWAY
from bascule.decide.lease import Need, Report, Verdict
from bascule.model.budget import Attribution, Hold
from bascule.model.errors import Refusal, StoreError
from bascule.ports import Clock, Counted, CounterId, Exchanged
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.lending.round import Exchange, Round
from bascule.storage.lending.waiting import Waiter, Waiting
from bascule.storage.memory.authority import MemoryAuthority
from bascule.storage.memory.counter import Counter

log = logging.getLogger("bascule.budgets")

TICK_S = 0.04
"""Between two rounds while something is borrowed: how soon a recall is answered."""
AGAIN_S = 0.01
"""Until the next round while a request waits for others to answer."""
HEARTBEAT_S = 1.0
FAILED_S = 0.1
MAX_COUNTERS_A_ROUND = 500


class LendingLimits(Struct, frozen=True, kw_only=True):
    """Bounds of borrowing, as the configuration names them."""

    term_ms: int = 10_000
    ahead_s: float = 1.0
    wait_s: float = 0.2
    max_waiting: int = 2_000


class Lender:
    """Implements `ports.Lending` for a worker whose `authority` counts shares."""

    def __init__(
        self,
        *,
        authority: MemoryAuthority,
        exchange: Exchange,
        journal: JournalWriter,
        clock: Clock,
        limits: LendingLimits,
    ) -> None:
        self._authority = authority
        self._exchange = exchange
        self._journal = journal
        self._clock = clock
        self._term_ms = limits.term_ms
        self._ahead_s = limits.ahead_s
        self._waiting = Waiting(limits.wait_s, limits.max_waiting)
        self._borrowed: dict[Counter, None] = {}
        """Counters with something to report, those longest unreported first."""
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "bascule-lender")
        self._task: asyncio.Task[None] | None = None
        self._asked_s: float | None = None
        """When the exchange began that is being made."""
        self._failure: StoreError | None = None

    @property
    def waiting(self) -> int:
        """Requests that wait for the authority."""
        return len(self._waiting)

    @property
    def failure(self) -> str | None:
        """Why the authority is not to be reached; None while it is."""
        if self._failure is not None:
            return str(self._failure)
        return "the authority of budgets does not answer" if self._is_away() else None

    def start(self) -> None:
        """Begin the rounds; the worker must be enrolled."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def ready(self, attribution: Attribution) -> None:
        if not self._authority.is_known(attribution, self._clock.now_ms()) and not self._is_away():
            await self._waiting.wait(Waiter(attribution), self._wake)

    async def look(self, attribution: Attribution, needed_nanousd: int) -> Refusal | None:
        if self._is_away():
            return AUTHORITY_AWAY
        outcome = await self._waiting.wait(Waiter(attribution, needed_nanousd), self._wake)
        return AUTHORITY_AWAY if outcome is None else None

    async def reserve(self, attribution: Attribution, attempt_id: str, amount_nanousd: int | None) -> Hold | Refusal:
        now_ms = self._clock.now_ms()
        hold = self._authority.reserve(attribution, attempt_id, amount_nanousd, now_ms)
        if amount_nanousd is None or (isinstance(hold, Refusal) and self._is_away()):
            return hold if isinstance(hold, Hold) or amount_nanousd is None else AUTHORITY_AWAY
        for counter in self._authority.counters(attribution, now_ms):
            if counter.share is not None and counter.share.hold_nanousd < amount_nanousd:
                counter.share.hold_nanousd = amount_nanousd
        if isinstance(hold, Hold):
            return hold
        waiter = Waiter(attribution, amount_nanousd, attempt_id)
        outcome = await self._waiting.wait(waiter, self._wake, self._release)
        return outcome if isinstance(outcome, Hold | Refusal) else AUTHORITY_AWAY

    def _release(self, outcome: Hold | Refusal | bool) -> None:
        """Nobody takes this hold any more."""
        if isinstance(outcome, Hold):
            self._authority.settle(outcome, 0)

    def _is_away(self) -> bool:
        if self._failure is not None:
            return True
        return self._asked_s is not None and self._clock.monotonic_s() - self._asked_s > self._waiting.wait_s

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._pause_s()):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self._round()

    def _pause_s(self) -> float:
        if self._failure is not None:
            return FAILED_S
        if self._waiting or any(_is_urgent(counter, self._clock.now_ms()) for counter in self._borrowed):
            return AGAIN_S
        return TICK_S if self._borrowed else HEARTBEAT_S

    async def _round(self) -> None:
        waiters = self._waiting.current()
        round_, asking = self._gather(waiters)
        self._asked_s = self._clock.monotonic_s()
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange.make, round_)
        except StoreError as error:
            if self._failure is None:
                log.error("the authority of budgets cannot be reached: %s (said once until it is over)", error)
            self._failure = error
            await asyncio.sleep(FAILED_S)
            return
        finally:
            self._asked_s = None
        if self._failure is not None:
            log.warning("the authority of budgets answers again")
            self._failure = None
        self._take(round_, answer)
        for waiter, verdict in zip(asking, answer.verdicts, strict=True):
            self._tell(waiter, verdict)
        for waiter in waiters:
            if waiter.needed_nanousd is None and self._authority.is_known(waiter.attribution, round_.now_ms):
                waiter.resolve(True)

    def _gather(self, waiters: list[Waiter]) -> tuple[Round, list[Waiter]]:
        """What to say now, and those waiters for whom money is asked."""
        now_ms = self._clock.now_ms()
        groups = [self._authority.counters(waiter.attribution, now_ms) for waiter in waiters]
        named = self._authority.named(now_ms)
        # Of one account only one counter may speak: what a second says of it would undo what the first was granted.
        self._borrowed = dict.fromkeys([self._authority.current(counter) for counter in self._borrowed])
        wanted = dict.fromkeys([counter for group in groups for counter in group])
        for counter in [*self._borrowed, *named]:
            if len(wanted) >= MAX_COUNTERS_A_ROUND:
                break
            wanted[counter] = None
        counters = list(wanted)
        place = {counter: at for at, counter in enumerate(counters)}
        round_ = Round(now_ms=now_ms, counters=counters, counted=[], needs=[])
        for counter in counters:
            self._borrowed.pop(counter, None)
            self._borrowed[counter] = None
            round_.counted.append(Counted(_id(counter), self._report(counter, now_ms)))
            if counter.share is not None and not counter.share.is_complete:
                round_.adopted[_id(counter)] = counter.adopted
        if round_.adopted:
            round_.undrained = self._journal.undrained()
        asking: list[Waiter] = []
        for waiter, group in zip(waiters, groups, strict=True):
            if waiter.needed_nanousd is not None:
                asking.append(waiter)
                round_.needs.append(self._need(waiter, waiter.needed_nanousd, group, place, now_ms))
        return round_, asking

    def _report(self, counter: Counter, now_ms: int) -> Report:
        assert counter.share is not None
        limit = self._authority.limit(counter)
        report = counter.share.report(limit, counter.settled, counter.held, counter.touched_ms, now_ms)
        if self._ahead_s == 1.0 or not report.spend_nanousd:
            return report
        return structs.replace(report, spend_nanousd=round(report.spend_nanousd * self._ahead_s))

    def _need(
        self, waiter: Waiter, amount: int, group: tuple[Counter, ...], place: dict[Counter, int], now_ms: int
    ) -> Need:
        mine = self._authority.limits(waiter.attribution, group, now_ms)
        kept = []
        for counter, limit in zip(group, mine, strict=True):
            lowest = self._authority.limit(counter)
            kept.append(0 if limit is None or lowest is None else lowest - limit)
        waiter.counters = tuple([_id(counter) for counter in group])
        return Need(
            amount_nanousd=amount,
            accounts=tuple([place[counter] for counter in group]),
            kept_nanousd=tuple(kept),
            recalls=tuple([waiter.recalls.get(each, 0) for each in waiter.counters]),
        )

    def _take(self, round_: Round, answer: Exchanged) -> None:
        until_ms = round_.now_ms + self._term_ms
        for counter, counted, standing in zip(round_.counters, round_.counted, answer.standings, strict=True):
            share = counter.share
            assert share is not None
            assert standing is not None
            counter.settled += round_.own.get(_id(counter), 0)
            share.is_complete = True
            share.take(standing, until_ms)
            unchanged = counted.report.settled_nanousd == counter.settled
            if unchanged and share.is_at_rest(counter.settled, counter.held):
                self._borrowed.pop(counter, None)
                if counted.report.limit_nanousd is None:
                    share.until_ms = 0  # or nobody would notice that it is spent from again
        self._authority.heard(round_.counters)

    def _tell(self, waiter: Waiter, verdict: Verdict) -> None:
        waiter.recalls = dict(zip(waiter.counters, verdict.recalls, strict=False))
        if not (verdict.is_granted or verdict.is_final) or waiter.is_over:
            return
        if waiter.attempt_id is None:
            waiter.resolve(True)
            return
        now_ms = self._clock.now_ms()
        hold = self._authority.reserve(waiter.attribution, waiter.attempt_id, waiter.needed_nanousd, now_ms)
        if isinstance(hold, Hold) or (verdict.is_final and not verdict.is_granted):
            waiter.resolve(hold)


def _is_urgent(counter: Counter, now_ms: int) -> bool:
    """Somebody waits for what lies idle here, or money is so short that somebody soon may."""
    share = counter.share
    return share is not None and (share.recall > share.answered or share.quiet_until_ms > now_ms)


def _id(counter: Counter) -> CounterId:
    return counter.scope, counter.span.id
