"""Which budget counters a ledger row is in, and what it adds to them."""

from collections.abc import Iterable, Sequence

from bascule.decide.budget import BudgetIndex
from bascule.decide.window import span, span_of
from bascule.model.policy import Budget
from bascule.model.row import AttemptRow

CounterId = tuple[str, str]
"""(concrete scope, window_id)."""


def counters_of(row: AttemptRow, index: BudgetIndex) -> set[CounterId]:
    """Every counter that the row is in: that of its hold, and where it held nothing in that scope (the budget is
    younger than the row) that of the window which it started in.
    """
    taken = {(one.scope, span_of(one.window_id).window): one.window_id for one in row.held}
    return {
        (scope, taken.get((scope, budget.window)) or span(budget.window, row.ts_start_ms).id)
        for budget, scope in index.matching(row.attribution)
    }


def counted(rows: Iterable[AttemptRow], budgets: Sequence[Budget], now_ms: int) -> dict[CounterId, tuple[int, int]]:
    """(settled, held) nano-USD in the current window of each budget, from rows. Counters at zero may be among them.

    What others recorded is in no budget. Raises ValueError for a malformed scope.
    """
    index = BudgetIndex(tuple(budgets))
    current = {span(budget.window, now_ms).id for budget in budgets}
    sums: dict[CounterId, tuple[int, int]] = {}
    for row in rows:
        if row.kind == "import":
            continue
        for where in counters_of(row, index):
            if where[1] in current:
                settled, held = sums.get(where, (0, 0))
                open_nanousd = (row.hold_nanousd or 0) if row.kind == "intent" else 0
                sums[where] = settled + row.charged_nanousd, held + open_nanousd
    return sums
