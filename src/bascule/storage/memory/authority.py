"""The in-process authority: who may spend, decided and counted in one event loop, without locks or I/O.

Spend is counted per (concrete scope, window_id). A hold raises `held` in every counter that applies or in none;
settling replaces it by the cost in those same counters, whatever the time is by then. Counters are made when first
needed and dropped when their window is over and nothing is held in them.
"""

from collections.abc import Callable, Iterable, Mapping
from heapq import nsmallest

from bascule.decide.budget import AUTHORITY_AWAY, BudgetIndex, belongs, ceiling, fits, over_budget, unpriced
from bascule.decide.share import Share
from bascule.decide.window import Span, span, span_of
from bascule.model.budget import Attribution, BudgetState, Hold
from bascule.model.errors import BasculeError, Refusal
from bascule.model.policy import Budget, BudgetWindow
from bascule.storage.memory.counter import (
    FOR_EVER,
    NOTHING,
    Counter,
    Group,
    Line,
    OpenHold,
    grouped,
    state_of,
)

Spent = Callable[[str, tuple[int, int | None]], int]
"""Nano-USD settled by attempts of a concrete scope that started in [start_ms, end_ms), journal tails included."""

MAX_COUNTERS = 50_000
MAX_RUNNING_SESSIONS = 10_000
PRUNE_GRACE_MS = 60_000
"""A window is remembered this long after its end, for a clock that is set back."""
_ALWAYS = -1


class MemoryAuthority:
    """Implements `ports.Authority`: for a lone worker alone, for one of several with `storage.lending` behind it, which
    keeps the shares. All amounts are integers of nano-USD.
    """

    def __init__(
        self,
        budgets: tuple[Budget, ...],
        spent: Spent,
        *,
        shared: bool = False,
        max_counters: int = MAX_COUNTERS,
    ) -> None:
        """`spent` is asked, once each, for counters whose window began before they were watched. `shared`: other
        workers spend from the same budgets, so each counter has a share and begins at what this worker alone has spent.

        Raises ValueError where a scope is malformed.
        """
        self._spent = spent
        self._shared = shared
        self._max_counters = max_counters
        self._counters: dict[tuple[str, str], Counter] = {}
        self._open: dict[str, OpenHold] = {}
        self._fixed: dict[tuple[str | None, ...], Group] = {}
        self._varying: dict[str, Group] = {}
        self._watched_since: dict[tuple[str, BudgetWindow], int | None] = {}
        self._pruned_until_ms = 0
        self._evicted_until_ms = _ALWAYS
        self._prune_at_ms = 0
        self._prune_at_counters = max_counters
        self._changed: set[Counter] = set()
        self._alerting = False
        self.configure(budgets)

    @property
    def open_holds(self) -> int:
        """Attempts that have reserved and not settled; 0 when nothing is in flight."""
        return len(self._open)

    def preload(self, sums: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        """Take (settled, held) by (concrete scope, window_id) from the ledger, before the first request.

        The sums are complete for the budgets configured now: a counter that is missing has spent nothing. What they
        hold stays held until its window is over, because nobody here will settle it.
        """
        if self._counters or self._open:
            raise BasculeError("budget sums were loaded after the first request; call preload right after opening")
        for (scope, window), (settled, held) in sums.items():
            self._counters[scope, window] = Counter(scope, span_of(window), settled, held, True)
        self._watched_since = dict.fromkeys(self._watched_since, _ALWAYS)
        self._change_all()

    def configure(self, budgets: tuple[Budget, ...]) -> None:
        """Take a new set of budgets. Counters of those that stay are kept; new ones start from the ledger's sums.

        Raises ValueError where a scope is malformed; everything then stays as it was.
        """
        self._index = index = BudgetIndex(budgets)
        self._fixed = {}
        self._varying = {}
        before = self._watched_since
        self._watched_since = {(b.scope, b.window): before.get((b.scope, b.window)) for b in budgets}
        self._counters = {
            where: counter
            for where, counter in self._counters.items()
            if any(b.window == counter.span.window for b in index.on(counter.scope))
        }
        self._alerting = any(budget.alerts for budget in budgets)
        for counter in self._counters.values():
            if counter.share is not None:
                counter.share.is_returning = True
        self._change_all()

    def changed(self) -> list[tuple[Budget, BudgetState]]:
        """Budgets with alerts whose counters have changed since the last call; after a new configuration all."""
        counters, self._changed = self._changed, set()
        return [
            (budget, state_of(Line(budget, counter), 0))
            for counter in counters
            for budget in self._index.on(counter.scope)
            if budget.alerts and budget.window == counter.span.window
        ]

    def _change_all(self) -> None:
        self._changed = set(self._counters.values()) if self._alerting else set()

    def applicable(self, attribution: Attribution, now_ms: int) -> tuple[BudgetState, ...]:
        """Every budget that applies, as it is now; empty where none does."""
        group = self._match(attribution, now_ms)
        if not group.lines:
            return ()
        return tuple(
            [
                state_of(line, self._reserved(line, attribution) if line.budget.on_exhausted == "finish_session" else 0)
                for line in group.lines
            ]
        )

    def reserve(
        self,
        attribution: Attribution,
        attempt_id: str,
        amount_nanousd: int | None,
        now_ms: int,
    ) -> Hold | Refusal:
        """Hold the amount in every budget that applies, or in none and say why: 402 with both figures.

        None is an unknown amount, refused where a budget can refuse.
        """
        if attempt_id in self._open:
            raise BasculeError(f"attempt {attempt_id} already holds money; every attempt needs an id of its own")
        group = self._match(attribution, now_ms)
        if group.lines:
            refusal = self._refuse(group, attribution, amount_nanousd, now_ms)
            if refusal is not None:
                return refusal
        amount = amount_nanousd or 0
        for counter in group.counters:
            counter.held += amount
            counter.touched_ms = now_ms
        self._open[attempt_id] = OpenHold(amount, group.counters, attribution, now_ms)
        session = attribution.session_id
        # What costs nothing is let through at any fill, so it must not open to its session what is kept back.
        if session is not None and amount:
            for line in group.lines:
                if line.budget.on_exhausted == "finish_session" and len(line.counter.sessions) < MAX_RUNNING_SESSIONS:
                    line.counter.sessions.add(session)
        return Hold(attempt_id=attempt_id, amount_nanousd=amount_nanousd, held=group.held)

    def split(self, hold: Hold, attempt_id: str, amount_nanousd: int) -> tuple[Hold, Hold]:
        """The part of a hold that an attempt takes, and the rest; both together are held where the whole was.

        Raises BasculeError where the hold is not open, where it is smaller, or where the attempt holds money already.
        """
        opened = self._open.get(hold.attempt_id)
        if opened is None or hold.amount_nanousd is None:
            raise BasculeError(f"{hold.attempt_id} holds no known amount, so no part of it can be taken")
        if attempt_id in self._open:
            raise BasculeError(f"attempt {attempt_id} already holds money; every attempt needs an id of its own")
        if not 0 <= amount_nanousd <= opened.amount:
            raise BasculeError(f"{amount_nanousd} of {opened.amount} nano-USD cannot be taken from {hold.attempt_id}")
        opened.amount -= amount_nanousd
        self._open[attempt_id] = OpenHold(amount_nanousd, opened.counters, opened.attribution, opened.start_ms)
        for counter in opened.counters:
            if hold.attempt_id in counter.adopted:
                counter.adopted = (*counter.adopted, attempt_id)
        return (
            Hold(attempt_id=attempt_id, amount_nanousd=amount_nanousd, held=hold.held),
            Hold(attempt_id=hold.attempt_id, amount_nanousd=opened.amount, held=hold.held),
        )

    def settle(self, hold: Hold, cost_nanousd: int | None) -> None:
        """Replace the hold by its cost, where and when it was taken. None (unknown) settles at the hold.

        Raises BasculeError where the hold is not open: it was settled before, or never taken.
        """
        if cost_nanousd is not None and cost_nanousd < 0:
            raise BasculeError(
                f"attempt {hold.attempt_id} cannot cost {cost_nanousd} nano-USD; corrections are new lines"
            )
        opened = self._open.pop(hold.attempt_id, None)
        if opened is None:
            raise BasculeError(f"attempt {hold.attempt_id} holds no money; settle every hold exactly once")
        amount = opened.amount
        cost = amount if cost_nanousd is None else cost_nanousd
        for counter in opened.counters:
            counter.held -= amount
            counter.settled += cost
        if self._alerting:
            self._changed.update(opened.counters)

    def is_known(self, attribution: Attribution, now_ms: int) -> bool:
        """True where the authority of several workers has spoken lately of all that applies."""
        return all(_is_known(line, now_ms) for line in self._match(attribution, now_ms).lines)

    def counters(self, attribution: Attribution, now_ms: int) -> tuple[Counter, ...]:
        """What a request is counted in now."""
        return self._match(attribution, now_ms).counters

    def limits(self, attribution: Attribution, counters: tuple[Counter, ...], now_ms: int) -> tuple[int | None, ...]:
        """Of each counter the lowest limit that may stop this request, less what is kept back from it."""
        lines = self._match(attribution, now_ms).lines
        found: list[int | None] = []
        for counter in counters:
            limits = [
                line.budget.limit_nanousd
                - (self._reserved(line, attribution) if line.budget.on_exhausted == "finish_session" else 0)
                for line in lines
                if line.counter is counter and line.budget.mode != "warn"
            ]
            found.append(min(limits, default=None))
        return tuple(found)

    def limit(self, counter: Counter) -> int | None:
        """The lowest limit of the budgets on a counter that refuse; None where none does."""
        return min(
            [
                budget.limit_nanousd
                for budget in self._index.on(counter.scope)
                if budget.window == counter.span.window and budget.mode != "warn"
            ],
            default=None,
        )

    def named(self, now_ms: int) -> list[Counter]:
        """The counters of now of all scopes that a budget names."""
        return [line.counter for scope in self._index.named for line in self._lines(scope, now_ms)]

    def current(self, counter: Counter) -> Counter:
        """What is counted in now where a budget was taken away and made again meanwhile; the newer one has everything
        that the older had. Else the same."""
        return self._counters.get((counter.scope, counter.span.id), counter)

    def heard(self, counters: Iterable[Counter]) -> None:
        """What others have spent in these is known anew."""
        if self._alerting:
            self._changed.update(counters)

    def states(self, now_ms: int) -> tuple[BudgetState, ...]:
        """Every counter of a current window, by budget; budgets of one named scope also before their first request."""
        for scope in self._index.named:
            self._lines(scope, now_ms)
        now = {window: span(window, now_ms).id for window in {b.window for b in self._index.budgets}}
        current = [c for c in self._counters.values() if now.get(c.span.window) == c.span.id]
        return tuple(
            [
                state_of(Line(budget, counter), 0)
                for counter in current
                for budget in self._index.on(counter.scope)
                if budget.window == counter.span.window
            ]
        )

    def _refuse(self, group: Group, attribution: Attribution, amount: int | None, now_ms: int) -> Refusal | None:
        worst: Line | None = None
        worst_left = 0
        for line in group.lines:
            budget, counter = line.budget, line.counter
            if amount is None:
                if budget.mode != "warn":
                    return unpriced(counter.scope, state_of(line, 0).left_nanousd)
                continue
            ceiling = line.lease.ceiling_nanousd
            if counter.share is not None:
                # What is kept back is the authority's to judge: nobody is granted from it ahead.
                if counter.share.until_ms <= now_ms and amount and budget.mode != "warn":
                    return AUTHORITY_AWAY
            elif budget.on_exhausted == "finish_session":
                ceiling -= self._reserved(line, attribution)
            if not fits(counter.settled, counter.held, amount, ceiling, budget.mode):
                left = self._left(line, attribution)
                if worst is None or left < worst_left:
                    worst, worst_left = line, left
        if worst is None or amount is None:
            return None
        return over_budget(worst.counter.scope, worst.counter.span.id, amount, worst_left)

    def _left(self, line: Line, attribution: Attribution) -> int:
        reserved = self._reserved(line, attribution) if line.budget.on_exhausted == "finish_session" else 0
        return state_of(line, reserved).left_nanousd

    def _reserved(self, line: Line, attribution: Attribution) -> int:
        """What a budget with `finish_session` keeps back from this request for sessions that are running."""
        budget = line.budget
        session = attribution.session_id
        running = session is not None and self._is_running(line.counter, session)
        return budget.limit_nanousd - ceiling(budget.limit_nanousd, budget.on_exhausted, running)

    def _is_running(self, counter: Counter, session: str) -> bool:
        if session in counter.sessions:
            return True
        if counter.share is not None:
            return False  # what others have served is in their store, which nobody here may wait for
        complete = not counter.from_ledger and len(counter.sessions) < MAX_RUNNING_SESSIONS
        return not complete and self._spent("session:" + session, (counter.span.start_ms, counter.span.end_ms)) > 0

    def _match(self, attribution: Attribution, now_ms: int) -> Group:
        index = self._index
        if not index.budgets:
            return NOTHING
        if now_ms >= self._prune_at_ms or len(self._counters) >= self._prune_at_counters:
            self._prune(now_ms)
        key = (attribution.key, attribution.org, attribution.team, attribution.project)
        group = self._fixed.get(key)
        if group is None or not group.start_ms <= now_ms < group.end_ms:
            lines = [line for scope in index.fixed(attribution) for line in self._lines(scope, now_ms)]
            group = self._fixed[key] = grouped(lines)
        if not index.varies:
            return group
        for scope in index.varying(attribution):
            part = self._varying.get(scope)
            if part is None or not part.start_ms <= now_ms < part.end_ms:
                part = self._varying[scope] = grouped(self._lines(scope, now_ms))
            group = Group(group.lines + part.lines, group.counters + part.counters, group.held + part.held)
        return group

    def _lines(self, scope: str, now_ms: int) -> list[Line]:
        """The budgets on a scope with their counters of now, which are made where missing."""
        lines = []
        for budget in self._index.on(scope):
            counted = span(budget.window, now_ms)
            counter = self._counters.get((scope, counted.id))
            if counter is None:
                counter = self._counters[scope, counted.id] = self._begin(scope, budget, counted, now_ms)
            lines.append(Line(budget, counter))
        return lines

    def _begin(self, scope: str, budget: Budget, counted: Span, now_ms: int) -> Counter:
        """A new counter: at zero if its window has been watched from the start, else at what the ledger says."""
        pattern = (budget.scope, budget.window)
        since = self._watched_since[pattern]
        if since is None:
            since = self._watched_since[pattern] = now_ms
        end_ms = counted.end_ms or FOR_EVER
        share = Share() if self._shared else None
        if max(since, self._evicted_until_ms) < counted.start_ms and self._pruned_until_ms < end_ms:
            return Counter(scope, counted, 0, 0, False, share)
        if share is not None:
            share.is_complete = False
        spent = 0 if self._shared else self._spent(scope, (counted.start_ms, counted.end_ms))
        counter = Counter(scope, counted, spent, 0, True, share)
        if self._alerting:
            self._changed.add(counter)
        for attempt_id, opened in self._open.items():
            if counted.start_ms <= opened.start_ms < end_ms and belongs(scope, opened.attribution):
                opened.counters = (*opened.counters, counter)
                counter.held += opened.amount
                counter.adopted = (*counter.adopted, attempt_id)
        return counter

    def _prune(self, now_ms: int) -> None:
        """Drop counters of past windows with nothing held; beyond `max_counters`, also those longest unused.

        Whatever is dropped can be asked of the ledger again, so a clock that goes back loses no spend.
        """
        for counter in [c for c in self._counters.values() if c.is_idle]:
            if (counter.span.end_ms or FOR_EVER) <= now_ms - PRUNE_GRACE_MS:
                del self._counters[counter.scope, counter.span.id]
                self._pruned_until_ms = max(self._pruned_until_ms, counter.span.end_ms or 0)
        excess = len(self._counters) - self._max_counters
        if excess >= 0:
            idle = [c for c in self._counters.values() if c.is_idle]
            for counter in nsmallest(excess + self._max_counters // 10 + 1, idle, key=lambda c: c.touched_ms):
                del self._counters[counter.scope, counter.span.id]
                self._evicted_until_ms = now_ms
        self._prune_at_counters = max(self._max_counters, len(self._counters) + self._max_counters // 10 + 1)
        self._fixed = {}
        self._varying = {}
        self._prune_at_ms = (span("hour", now_ms).end_ms or 0) + PRUNE_GRACE_MS


def _is_known(line: Line, now_ms: int) -> bool:
    share = line.counter.share
    return share is None or share.until_ms > now_ms
