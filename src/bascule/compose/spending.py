"""Which budgets count, and what was spent before they were watched."""

from msgspec import structs

from bascule.decide.budget import in_force
from bascule.decide.promotion.policy import EVIDENCE_TAG
from bascule.decide.window import window_bounds
from bascule.link import Snapshot
from bascule.link.evidence import evidence_policies
from bascule.model.errors import LedgerUnavailable, StoreError
from bascule.model.policy import Budget, BudgetWindow
from bascule.ports import LedgerStore
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.memory.authority import Spent
from bascule.storage.spent import spent_with

WINDOWS: tuple[BudgetWindow, ...] = ("hour", "day", "week", "month", "total")
MAX_STORE_LAG_LINES = 2_000


def spent_in(ledger: LedgerStore, journal: JournalWriter) -> Spent:
    """What the authority asks for counters whose window began before it watched them: rare.

    Raises StoreError where the store lags so far behind the journal that looking through what it lacks would hold up
    the event loop: a sum without that would overspend.
    """

    def spent(scope: str, bounds: tuple[int, int | None]) -> int:
        if journal.backlog > MAX_STORE_LAG_LINES:
            raise StoreError("the ledger's store lags behind, so what was spent cannot be told; try again soon")
        try:
            undrained = journal.undrained()
        except LedgerUnavailable as error:
            raise StoreError(f"what was spent cannot be told: {error}") from error
        for window in WINDOWS:
            if window_bounds(window, bounds[0]) == bounds:
                budget = Budget(scope=scope, window=window, limit_nanousd=0)
                found = spent_with(ledger, undrained, [budget], bounds[0])
                return sum(one.settled_nanousd for one in found.values())
        raise StoreError(f"{bounds} is no budget window")

    return spent


def evidence_budgets(snapshot: Snapshot) -> tuple[Budget, ...]:
    """What shadows and judges of each route may cost in a day: a budget like any other, so that it holds in all workers
    and over restarts. It is on a tag that only they have."""
    return tuple(
        [
            Budget(
                scope=f"tag:{EVIDENCE_TAG}={name}",
                limit_nanousd=policy.max_nanousd_per_day,
                window="day",
                mode="strict",
            )
            for name, policy in evidence_policies(snapshot).items()
        ]
    )


def budgets_of(snapshot: Snapshot, stored: tuple[Budget, ...]) -> tuple[Budget, ...]:
    """The configuration's budgets, then those made by command for other scopes and windows.

    Observing, they all count and none refuses.
    """
    budgets = (*in_force(snapshot.budgets, stored), *evidence_budgets(snapshot))
    if snapshot.config.mode == "observe":
        return tuple([structs.replace(budget, mode="warn") for budget in budgets])
    return budgets
