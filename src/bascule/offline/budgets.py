"""What every budget has left, from ledger rows. Pure: rows in, values out.

The rows are the store's and the journals' tails together, so the open holds of a running server are among them.
"""

from collections.abc import Iterable

from bascule.decide.budget import BudgetIndex
from bascule.decide.window import span, span_of
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
    settled: dict[tuple[str, str], int] = {}
    held: dict[tuple[str, str], int] = {}
    for scope in index.named:
        for budget in index.on(scope):
            settled[scope, current[budget.window]] = 0
    for row in rows:
        for where in _counters(row, index):
            if where[1] not in current.values():
                continue
            settled[where] = settled.get(where, 0) + row.charged_nanousd
            if row.kind == "intent":
                held[where] = held.get(where, 0) + (row.hold_nanousd or 0)
    return [
        BudgetState(
            scope=scope,
            window_id=window,
            mode=budget.mode,
            limit_nanousd=budget.limit_nanousd,
            settled_nanousd=spent,
            held_nanousd=held.get((scope, window), 0),
            on_exhausted=budget.on_exhausted,
        )
        for (scope, window), spent in settled.items()
        for budget in index.on(scope)
        if current[budget.window] == window
    ]


def _counters(row: AttemptRow, index: BudgetIndex) -> set[tuple[str, str]]:
    """(concrete scope, window_id) of every counter that the row is in."""
    taken = {(one.scope, span_of(one.window_id).window): one.window_id for one in row.held}
    return {
        (scope, taken.get((scope, budget.window)) or span(budget.window, row.ts_start_ms).id)
        for budget, scope in index.matching(row.attribution)
    }
