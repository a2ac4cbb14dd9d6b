"""Sums of budgets while the store lags: wherever each line is by then, it counts once."""

import pytest

from bascule.model.policy import Budget
from bascule.ports import Spent
from bascule.storage.memory.ledger import MemoryLedger
from bascule.storage.spent import spent_with
from bascule.testing.ledger import NOON_MS, a_decision, a_settlement, an_adjustment, an_intent, chained

BUDGET = Budget(scope="key:ci", limit_nanousd=0, window="day")
LINES = chained(
    "r-0-a",
    [
        an_intent(1),
        a_settlement(1),
        an_intent(2),
        a_decision(3),
        an_intent(3),
        a_settlement(2, charged_nanousd=500_000),
        an_adjustment(2),
        an_adjustment(1),
        an_intent(4, key="other"),
        a_settlement(4),
        a_settlement(3, cost_nanousd=None),
        an_intent(5),
    ],
)


@pytest.mark.parametrize("pending_from", range(len(LINES) + 1))
@pytest.mark.parametrize("stored", range(len(LINES) + 1))
def test_every_line_counts_once(stored: int, pending_from: int) -> None:
    """Lines that were drained while they were being looked at are in both."""
    if pending_from > stored:
        return
    store = MemoryLedger()
    store.append("r-0-a", LINES[:stored])
    found = spent_with(store, LINES[pending_from:], [BUDGET], NOON_MS)
    assert found == {("key:ci", "2026-11-21"): Spent(27_000 + 5 + 500_000 + 5 + 1_000_000, 1_000_000)}


def test_what_is_nobodys_is_nothing() -> None:
    store = MemoryLedger()
    assert spent_with(store, LINES, [Budget(scope="user:bob", limit_nanousd=0, window="day")], NOON_MS) == {}
    assert spent_with(store, [], [BUDGET], NOON_MS) == {}
