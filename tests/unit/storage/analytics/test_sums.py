"""Sums beside a segment say what its rows say, wherever they may be asked instead of them."""

import tempfile
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.unit.storage.analytics.reference_report import reference_report
from tests.unit.storage.analytics.test_equals_reference import HOUR_MS, MIDDLE, QUICK, ledgers

from bascule.model.row import AttemptRow, RowFilter
from bascule.storage.analytics.duck import DuckAnalytics
from bascule.storage.analytics.load import sums_path, write_segment
from bascule.storage.analytics.sources import Portion, Segment

ALIKE: dict[str, Any] = {"user": "ann", "team": None, "tags": {"k": "v"}, "rates": None, "model": "a", "branch": None}
MORNING_MS = MIDDLE - 12 * HOUR_MS
WHOLE = (MIDDLE - 2 * 24 * HOUR_MS, MIDDLE + 2 * 24 * HOUR_MS)


def alike(rows: list[AttemptRow]) -> list[AttemptRow]:
    """The same attempts, all on one day and with few labels: many of them are summed up in one."""
    return [structs.replace(row, **ALIKE, ts_start_ms=MORNING_MS + row.ts_start_ms % (8 * HOUR_MS)) for row in rows]


class Summed:
    """All rows in one segment, with sums."""

    def __init__(self, rows: list[AttemptRow], folder: Path) -> None:
        path = folder / "day.parquet"
        written = write_segment(rows, path)
        assert written.rows == len(rows)
        sums = sums_path(path)
        made = [Segment(path, None, frozenset(written.empty), sums, WHOLE)] if rows else []
        self.segments: tuple[Segment, ...] = tuple(made)

    def portion(self, where: RowFilter) -> Portion:
        return Portion(self.segments, ())


@given(
    ledgers.map(alike),
    st.lists(st.sampled_from(["task", "project", "client", "day", "role", "hour", "answers"]), max_size=2, unique=True),
    st.sampled_from([None, MIDDLE - 9 * HOUR_MS]),
    st.booleans(),
)
@settings(deadline=None, phases=QUICK, max_examples=15)
def test_a_report_of_sums_is_what_a_fold_says(
    rows: list[AttemptRow], by: list[str], until_ms: int | None, held: bool
) -> None:
    """Periods that cut the segment's day fall back to its rows, also in a question about a part of what is held."""
    where = RowFilter(until_ms=until_ms)
    with tempfile.TemporaryDirectory() as folder:
        analytics = DuckAnalytics(Summed(rows, Path(folder)))
        if held:
            with analytics.held(RowFilter()) as part:
                made = part.report(by, where)
        else:
            made = analytics.report(by, where)
        cells = analytics.cells(by, where, rates=True, times=True)
    wanted = reference_report([row for row in rows if where.admits(row)], by)
    assert structs.replace(made, groups=()) == structs.replace(wanted, groups=())
    assert {one.values: one for one in made.groups} == {one.values: one for one in wanted.groups}
    if by:
        assert {one.values: one.sums.cost_nanousd for one in cells} == {
            one.values: one.figures.sums.cost_nanousd for one in wanted.groups
        }


def a_row(number: int, **changed: Any) -> AttemptRow:
    given: dict[str, Any] = {
        "kind": "settle", "attempt_id": f"a{number}", "request_id": f"r{number}", "attempt_no": 1, "role": "primary",
        "model": "a", "session_id": "s", "ts_start_ms": MIDDLE - 12 * HOUR_MS + number, "status": 200,
        "cost_nanousd": number, "tokens_in": 1, "chain": "",
    }  # fmt: skip
    return AttemptRow(**(given | changed))


def test_sums_are_fewer_than_rows_and_are_what_is_read(tmp_path: Path) -> None:
    rows = [a_row(number) for number in range(50)] + [a_row(50, model="b")]
    source = Summed(rows, tmp_path)
    path = sums_path(source.segments[0].path)
    ((lines, attempts),) = duckdb.sql(f"SELECT count(*), sum(n) FROM '{path}'").fetchall()
    assert (lines, attempts) == (2, 51)
    other = tmp_path / "other.parquet"
    duckdb.sql(f"COPY (SELECT * REPLACE (cost_nanousd + 1 AS cost_nanousd) FROM '{path}') TO '{other}'")
    other.replace(path)
    total = sum(row.cost_nanousd or 0 for row in rows)
    read = DuckAnalytics(source)
    assert read.report(("model",)).total.sums.cost_nanousd == total + 2
    assert read.report(("hour",)).total.sums.cost_nanousd == total
    assert read.report(("model",), RowFilter(since_ms=MIDDLE - 13 * HOUR_MS)).total.sums.cost_nanousd == total


def test_a_companion_loaded_later_takes_a_request_out_of_the_sums(tmp_path: Path) -> None:
    rows = [a_row(number) for number in range(3)]
    retry = a_row(9, request_id="r1", attempt_no=2, role="retry", cost_nanousd=7)

    class Late(Summed):
        def portion(self, where: RowFilter) -> Portion:
            return Portion(self.segments, iter([retry]))

    made = DuckAnalytics(Late(rows, tmp_path)).report(("model",))
    assert made == reference_report([*rows, retry], ("model",))
    assert (made.total.sums.requests, made.total.sums.attempts) == (3, 4)
