"""Spend as one worker counts it: counters, the leases they spend from, and which of them a request falls under.

How more workers will fit: a counter spends from a `Lease`, a share of the limit that was granted to this worker in
this epoch. Here `WholeLimit` grants all of it. With PostgreSQL, `Leases.lease` pre-deducts a slice in the authority's
row, `settled` and `held` count this epoch alone, and what is settled is reported cumulatively, so that repeating a
report is harmless and a dead worker's slice stays deducted until its journal has been read.
"""

from typing import Protocol

from msgspec import Struct

from bascule.decide.window import Span
from bascule.model.budget import Attribution, BudgetState
from bascule.model.entry import HeldScope
from bascule.model.policy import Budget

FOR_EVER = 1 << 62
"""The end, in milliseconds, of a window that has none."""


class Lease(Struct, frozen=True):
    """How far `settled + held` of one budget may go in this worker, in one window, until a new epoch."""

    epoch: int
    amount_nanousd: int


class Leases(Protocol):
    def lease(self, budget: Budget, scope: str, window_id: str) -> Lease:
        """This worker's share of the budget's limit in that window."""
        ...


class WholeLimit:
    """The leases of a single worker: everything."""

    def lease(self, budget: Budget, scope: str, window_id: str) -> Lease:
        return Lease(1, budget.limit_nanousd)


class Counter:
    """Spend of one concrete scope in one window."""

    __slots__ = ("from_ledger", "held", "scope", "sessions", "settled", "span", "touched_ms")

    def __init__(self, scope: str, counted: Span, settled: int, held: int, from_ledger: bool) -> None:
        self.scope = scope
        self.span = counted
        self.settled = settled
        self.held = held
        self.from_ledger = from_ledger
        """The window had begun before it was counted here."""
        self.touched_ms = counted.start_ms
        self.sessions: set[str] = set()
        """Sessions served in this window, where a budget lets those finish."""


class Line:
    """One budget on one counter."""

    __slots__ = ("budget", "counter", "lease")

    def __init__(self, budget: Budget, counter: Counter, lease: Lease) -> None:
        self.budget = budget
        self.counter = counter
        self.lease = lease


class Group:
    """What applies to some requests as long as no window ends: [start_ms, end_ms)."""

    __slots__ = ("counters", "end_ms", "held", "lines", "start_ms")

    def __init__(self, lines: tuple[Line, ...], counters: tuple[Counter, ...], held: tuple[HeldScope, ...]) -> None:
        self.lines = lines
        self.counters = counters
        self.held = held
        self.start_ms = 0
        self.end_ms = FOR_EVER


def grouped(lines: list[Line]) -> Group:
    """Budgets that share scope and window share the counter; it is held once."""
    counters = tuple({id(line.counter): line.counter for line in lines}.values())
    group = Group(tuple(lines), counters, tuple([HeldScope(c.scope, c.span.id) for c in counters]))
    group.start_ms = max([c.span.start_ms for c in counters], default=0)
    group.end_ms = min([c.span.end_ms or FOR_EVER for c in counters], default=FOR_EVER)
    return group


class OpenHold:
    """A hold that has not been settled."""

    __slots__ = ("amount", "attribution", "counters", "start_ms")

    def __init__(self, amount: int, counters: tuple[Counter, ...], attribution: Attribution, start_ms: int) -> None:
        self.amount = amount
        self.counters = counters
        self.attribution = attribution
        self.start_ms = start_ms


NOTHING = Group((), (), ())
"""Where no budget applies."""


def state_of(line: Line, reserved: int) -> BudgetState:
    budget, counter = line.budget, line.counter
    return BudgetState(
        scope=counter.scope,
        window_id=counter.span.id,
        mode=budget.mode,
        limit_nanousd=budget.limit_nanousd,
        settled_nanousd=counter.settled,
        held_nanousd=counter.held,
        reserved_nanousd=reserved,
        on_exhausted=budget.on_exhausted,
    )
