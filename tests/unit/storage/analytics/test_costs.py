"""Costs by group are what the cells say of them."""

import tempfile
from itertools import product
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.storage.analytics.test_equals_reference import QUICK, Lying, dimensions, ledgers

from bascule.model.cost_cell import Cover
from bascule.model.imported import PLAN_TAG
from bascule.model.report import Terms
from bascule.model.row import AttemptRow, RowFilter
from bascule.storage.analytics.duck import DuckAnalytics


@given(ledgers, dimensions, st.integers(0, 2**16 - 1))
@settings(deadline=None, phases=QUICK, max_examples=15)
def test_costs_are_those_of_cells(rows: list[AttemptRow], by: list[str], places: int) -> None:
    terms = Terms(departments=(("web", "Sales"),))
    with tempfile.TemporaryDirectory() as folder:
        analytics = DuckAnalytics(Lying(rows, Path(folder), places))
        found = analytics.costs(by, RowFilter(), terms=terms)
        cells = analytics.cells(by, terms=terms)
    assert {one.values: (one.cost_nanousd, one.unpriced_attempts) for one in found} == {
        cell.values: (cell.sums.cost_nanousd, cell.sums.unpriced_attempts) for cell in cells
    }


COVERS = [
    Cover(provider="anthropic", names=("claude-code",), by_user=True),
    Cover(provider="anthropic", names=("claude-code", "big")),
    Cover(provider="anthropic", by_user=True),
]


def test_what_is_covered_is_what_covers_admit(tmp_path: Path) -> None:
    """Of everybody and of nobody who is known."""
    given = {"kind": "import", "request_id": "r", "attempt_no": 1, "role": "primary", "chain": "", "ts_start_ms": 1}
    seen = list(product(("anthropic", "openai", None), ("claude-code", "app", None), ("big", "claude-code", None)))
    rows = [
        AttemptRow(attempt_id=str(n), provider=provider, client=client, model=model, **given)
        for n, (provider, client, model) in enumerate(seen)
    ]
    found = DuckAnalytics(Lying(rows, tmp_path, 0)).costs(("provider", "client", "model"), RowFilter(), covers=COVERS)
    wanted = {one: sum([1 << n for n, cover in enumerate(COVERS) if cover.admits(*one)]) for one in seen}
    assert {cell.values: cell.covered for cell in found} == wanted
    assert wanted[None, "claude-code", "big"] == 1
    assert wanted[None, "app", "claude-code"] == wanted[None, None, "big"] == 0


def test_whether_anything_was_on_a_plan(tmp_path: Path) -> None:
    given = {"kind": "import", "request_id": "r", "attempt_no": 1, "role": "primary", "chain": ""}
    logged = AttemptRow(attempt_id="a", origin="codex", ts_start_ms=5, tags={PLAN_TAG: "pro"}, **given)
    live = AttemptRow(attempt_id="b", origin="gateway", ts_start_ms=1, tags={PLAN_TAG: "pro"}, **given)
    metered = AttemptRow(attempt_id="c", origin="codex", ts_start_ms=2, tags={"k": "v"}, **given)
    analytics = DuckAnalytics(Lying([live, metered, logged], tmp_path, 0))
    for where, wanted in ((RowFilter(), True), (RowFilter(until_ms=5), False), (RowFilter(since_ms=5), True)):
        assert analytics.on_plan(where) is wanted
        assert any(cell.on_plan for cell in analytics.costs((), where)) is wanted
