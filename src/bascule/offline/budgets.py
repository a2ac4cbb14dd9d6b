"""What every budget has left, from ledger rows. Pure: rows in, values out.

The rows are the store's and the journals' tails together, so the open holds of a running server are among them.
"""

from collections.abc import Iterable

from bascule.decide.budget import BudgetIndex
from bascule.decide.counters import counted
from bascule.decide.window import span
from bascule.model.budget import BudgetState
from bascule.model.policy import Budget
from bascule.model.row import AttemptRow

EDGE_MS = 600_000
"""How far the start of an attempt may lie from the moment that its hold was taken, at the edge of a window."""


def rows_since_ms(budgets: tuple[Budget, ...], now_ms: int) -> int | None:
    """From when on rows matter to the current windows; None where all of them do."""
    starts = [span(budget.window, now_ms) for budget in budgets]
    if not starts or any(found.end_ms is None for found in starts):
        return None
    return min(found.start_ms for found in starts) - EDGE_MS


def budget_states(budgets: tuple[Budget, ...], rows: Iterable[AttemptRow], now_ms: int) -> list[BudgetState]:
    """Every budget in its current window: those of one scope always, patterns (`user:*`) once for each value seen.

    A row counts where its hold was taken; where it held nothing in that scope (the budget is younger than the row),
    in the window that it started in. An unknown cost counts as its hold. Raises ValueError for a malformed scope.
    """
    index = BudgetIndex(budgets)
    current = {budget.window: span(budget.window, now_ms).id for budget in budgets}
    sums = {(scope, current[budget.window]): (0, 0) for scope in index.named for budget in index.on(scope)}
    sums |= counted(rows, budgets, now_ms)
    return [
        BudgetState(
            scope=scope,
            window_id=window,
            mode=budget.mode,
            limit_nanousd=budget.limit_nanousd,
            settled_nanousd=settled,
            held_nanousd=held,
            on_exhausted=budget.on_exhausted,
        )
        for (scope, window), (settled, held) in sums.items()
        for budget in index.on(scope)
        if current[budget.window] == window
    ]
