"""Spend as one worker counts it: counters, how far each may go, and which of them a request falls under.

A lone worker may go to the limit (`Whole`). One of several has a `Share` of it, which `storage.lending` keeps: its
`settled` and `held` are then this worker's own, for the life of its chain.
"""

from typing import Protocol

from msgspec import Struct

from bascule.decide.share import Share
from bascule.decide.window import Span
from bascule.model.budget import Attribution, BudgetState
from bascule.model.entry import HeldScope
from bascule.model.policy import Budget

FOR_EVER = 1 << 62
"""The end, in milliseconds, of a window that has none."""


class Lease(Protocol):
    """How far `settled + held` of one budget may go in this worker."""

    @property
    def ceiling_nanousd(self) -> int: ...


class Whole(Struct, frozen=True):
    """The lease of a lone worker: everything."""

    ceiling_nanousd: int


class Counter:
    """Spend of one concrete scope in one window."""

    __slots__ = ("adopted", "from_ledger", "held", "scope", "sessions", "settled", "share", "span", "touched_ms")

    def __init__(
        self, scope: str, counted: Span, settled: int, held: int, from_ledger: bool, share: Share | None = None
    ) -> None:
        self.share = share
        """This worker's part, where there are several; None for a lone one."""
        self.adopted: tuple[str, ...] = ()
        """Attempts that were open before this was counted, and are held in it now."""
        self.scope = scope
        self.span = counted
        self.settled = settled
        self.held = held
        self.from_ledger = from_ledger
        """The window had begun before it was counted here."""
        self.touched_ms = counted.start_ms
        self.sessions: set[str] = set()
        """Sessions served in this window, where a budget lets those finish."""

    @property
    def is_idle(self) -> bool:
        """Nothing is held, and no money lies here that nobody else could spend."""
        return not self.held and (self.share is None or self.share.is_at_rest(self.settled, 0))


class Line:
    """One budget on one counter."""

    __slots__ = ("budget", "counter", "lease")

    def __init__(self, budget: Budget, counter: Counter) -> None:
        self.budget = budget
        self.counter = counter
        self.lease: Lease = Whole(budget.limit_nanousd) if counter.share is None else counter.share


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
    budget, counter, share = line.budget, line.counter, line.counter.share
    settled, held, idle = counter.settled, counter.held, 0
    if share is not None:
        idle = share.idle_elsewhere_nanousd + max(0, share.ceiling_nanousd - settled - held)
        settled += share.settled_elsewhere_nanousd
        held += share.held_elsewhere_nanousd
    return BudgetState(
        scope=counter.scope,
        window_id=counter.span.id,
        mode=budget.mode,
        limit_nanousd=budget.limit_nanousd,
        settled_nanousd=settled,
        held_nanousd=held,
        idle_nanousd=idle,
        reserved_nanousd=reserved,
        on_exhausted=budget.on_exhausted,
    )
