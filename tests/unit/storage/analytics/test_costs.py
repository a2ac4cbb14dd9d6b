"""Costs by group are what the cells say of them."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.storage.analytics.test_equals_reference import QUICK, Lying, dimensions, ledgers

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
