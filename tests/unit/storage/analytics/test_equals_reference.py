"""The analytics say what a plain fold over the rows says, however the rows lie in segments."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.unit.storage.analytics.reference_report import reference_report, reference_sessions

from bascule.model.money import Rates
from bascule.model.report import TERMS, Fate, Terms
from bascule.model.row import EVERY_ROW, AttemptRow, RowFilter
from bascule.storage.analytics import reports
from bascule.storage.analytics.duck import DuckAnalytics
from bascule.storage.analytics.load import sums_path, write_segment
from bascule.storage.analytics.sources import Portion, Segment

FATES = (
    Fate("s1", None, "main", "web", "reverted"),
    Fate("s1", None, None, None, "useful"),
    Fate("s2", "#7", "main", None, "abandoned"),
    Fate("s2", "#8", None, "web", "several"),
)
HOUR_MS = 3_600_000
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Shrinking takes minutes here: each example makes a database."""
MIDDLE = 1_795_262_400_000

count = st.none() | st.integers(0, 10**6)
labels = {
    "task": st.sampled_from([None, "chat", "summarization"]),
    "project": st.sampled_from([None, "web", "back end"]),
    "client": st.sampled_from([None, "codex"]),
    "user": st.sampled_from([None, "ann", "bob"]),
    "team": st.sampled_from([None, "'; DROP TABLE attempts; --", "ünï\x00code"]),
    "branch": st.sampled_from([None, "main"]),
    "pr": st.sampled_from([None, None, "", "#7"]),
    "tags": st.sampled_from(
        [{}, {"pr": "#8"}, {"k": "v"}, {"k": "w", 'a"b': "c"}, {"outcome": "merged", "department": "R&D"}]
    ),
}
attempts = st.builds(
    AttemptRow,
    kind=st.sampled_from(["settle", "settle", "settle", "import", "intent"]),
    attempt_id=st.uuids().map(str),
    request_id=st.just(""),
    attempt_no=st.just(1),
    role=st.sampled_from(["primary", "primary", "hedge", "judge", "shadow", "worker", "cache"]),
    model=st.sampled_from([None, "a", "b"]),
    error_class=st.sampled_from([None, None, "reset", "client_gone"]),
    status=st.sampled_from([None, 200, 200, 500]),
    ts_start_ms=st.integers(MIDDLE - 40 * 24 * HOUR_MS, MIDDLE + HOUR_MS),
    ts_first_ms=st.none() | st.integers(0, 900),
    ts_end_ms=st.none() | st.integers(0, 2_000),
    tokens_in=count,
    tokens_cache_read=count,
    tokens_out=count,
    tokens_reasoning=count,
    web_searches=st.none() | st.integers(0, 3),
    tool_fees_nanousd=count,
    usage_source=st.sampled_from(["reported", "estimated", "none"]),
    recovered=st.booleans(),
    cost_nanousd=st.none() | st.integers(0, 10**6) | st.integers(-(10**9), 10**13),
    adjusted_nanousd=st.none() | st.integers(-5, 5),
    hold_nanousd=count,
    baseline_nanousd=count,
    saved_nanousd=st.none() | st.integers(-(10**6), 10**6),
    rates=st.sampled_from([None, Rates(input=1), Rates(input=10**5, output=10**5), Rates(input=10**8, output=10**8)]),
    agent_id=st.sampled_from([None, "sub"]),
    parent_id=st.sampled_from([None, "root"]),
    chain=st.just(""),
    **labels,
)
UNTOLD_WHILE_OPEN = (
    "error_class", "status", "ts_first_ms", "ts_end_ms", "tokens_in", "tokens_cache_read", "tokens_out",
    "tokens_reasoning", "web_searches", "tool_fees_nanousd", "cost_nanousd", "adjusted_nanousd", "baseline_nanousd",
    "saved_nanousd", "rates",
)  # fmt: skip


def request(found: tuple[int, str | None, list[AttemptRow]]) -> list[AttemptRow]:
    """Attempts as those of one request: one session and agent, numbered, times after one another."""
    number, session_id, made = found
    rows = []
    for no, row in enumerate(made, start=1):
        start = made[0].ts_start_ms + row.ts_start_ms % (3 * HOUR_MS) * (no - 1)
        changed: dict[str, Any] = {
            "request_id": f"r{number}", "session_id": session_id, "attempt_no": no, "ts_start_ms": start,
            "agent_id": made[0].agent_id, "role": row.role if no == 1 or row.role != "primary" else "retry",
            "ts_first_ms": None if row.ts_first_ms is None else start + row.ts_first_ms,
            "ts_end_ms": None if row.ts_end_ms is None else start + row.ts_end_ms,
        }  # fmt: skip
        if row.kind == "intent":
            changed |= dict.fromkeys(UNTOLD_WHILE_OPEN)
            changed |= {"usage_source": "none", "recovered": False}
        rows.append(structs.replace(row, **changed))
    return rows


sessions = st.sampled_from([None, "s1", "s2", "s3"])
requests = st.tuples(st.integers(0, 10**6), sessions, st.lists(attempts, min_size=1, max_size=3)).map(request)
ledgers = st.lists(requests, max_size=12, unique_by=lambda rows: rows[0].request_id).map(
    lambda found: [row for rows in found for row in rows]
)
dimensions = st.lists(
    st.sampled_from(
        ["model", "team", "session", "agent", "user", "tag:k", 'tag:a"b', "department", "outcome", "market", "role",
         "hour", "day", "week", "month", "origin", "priced", "answers"]
    ),
    max_size=3,
    unique=True,
)  # fmt: skip


class Lying:
    """Rows that lie where a number says: in the segment of their day's half, or loaded."""

    def __init__(self, rows: Sequence[AttemptRow], folder: Path, places: int) -> None:
        self.rows = [row for row in rows if not self._stored(row, places)]
        self.segments = []
        for half in {row.ts_start_ms // (12 * HOUR_MS) for row in rows}:
            path = folder / f"{half}.parquet"
            part = [row for row in rows if row.ts_start_ms // (12 * HOUR_MS) == half]
            hours = {row.ts_start_ms // HOUR_MS for row in part if self._stored(row, places)}
            written = write_segment(part, path)
            if written.rows:
                spans = tuple([(hour * HOUR_MS, (hour + 1) * HOUR_MS) for hour in hours])
                whole = all(self._stored(row, places) for row in part)
                span = (half * 12 * HOUR_MS, (half + 1) * 12 * HOUR_MS)
                sums = sums_path(path) if places % 3 else None
                fresh = None if whole else spans
                self.segments.append(Segment(path, fresh, frozenset(written.empty), sums, span))

    @staticmethod
    def _stored(row: AttemptRow, places: int) -> bool:
        return bool(places >> (row.ts_start_ms // HOUR_MS % 16) & 1)

    def portion(self, where: RowFilter) -> Portion:
        return Portion(tuple(self.segments), iter(self.rows))


@given(ledgers, dimensions, st.integers(0, 2**16 - 1), st.sampled_from([None, MIDDLE - 24 * HOUR_MS]))
@settings(deadline=None, phases=QUICK, max_examples=15)
def test_a_report_is_what_a_fold_says(rows: list[AttemptRow], by: list[str], places: int, since_ms: int | None) -> None:
    where = RowFilter(since_ms=since_ms)
    terms = Terms(departments=(("web", "Sales"),), fates=FATES)
    with tempfile.TemporaryDirectory() as folder:
        analytics = DuckAnalytics(Lying(rows, Path(folder), places))
        made = analytics.report(by, where, terms=terms)
    wanted = reference_report([row for row in rows if where.admits(row)], by, terms)
    assert structs.replace(made, groups=()) == structs.replace(wanted, groups=())
    assert {one.values: one for one in made.groups} == {one.values: one for one in wanted.groups}
    costs = [one.figures.sums.cost_nanousd or 0 for one in made.groups]
    assert costs == sorted(costs, reverse=True)


@given(ledgers, st.sampled_from([("user",), ("task", "project"), ()]))
@settings(deadline=None, phases=QUICK, max_examples=8)
def test_runs_are_the_same_by_what_one_says(rows: list[AttemptRow], same: tuple[str, ...]) -> None:
    terms = Terms(same=same)
    with tempfile.TemporaryDirectory() as folder:
        made = DuckAnalytics(Lying(rows, Path(folder), 0)).report((), terms=terms)
    assert made == reference_report(rows, (), terms)


@given(
    ledgers,
    st.integers(0, 2**16 - 1),
    st.integers(1, 3),
    st.sampled_from(["requests", "cost"]),
    st.sampled_from([0, 5, 1000]),
)
@settings(deadline=None, phases=QUICK, max_examples=12)
def test_the_first_groups_and_the_total_of_all(
    rows: list[AttemptRow], places: int, top: int, sort: Any, few: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(reports, "FEW", few)
        patch.setattr(reports, "COUNTED", few // 2)
        analytics = DuckAnalytics(Lying(rows, Path(folder), places))
        made = analytics.report(("user", "task"), top=top, sort=sort)
    wanted = reference_report(rows, ("user", "task"))
    assert (made.total, made.groups_total) == (wanted.total, len(wanted.groups))
    known = {one.values: one for one in wanted.groups}
    assert all(one == known[one.values] for one in made.groups)
    size = {"requests": lambda one: one.figures.sums.requests, "cost": lambda one: one.figures.sums.cost_nanousd or 0}
    sizes = sorted([size[sort](one) for one in wanted.groups], reverse=True)
    assert [size[sort](one) for one in made.groups] == sizes[:top]


@given(ledgers, st.booleans())
@settings(deadline=None, phases=QUICK, max_examples=8)
def test_cells_are_the_sums_of_a_report(rows: list[AttemptRow], rates: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cells = DuckAnalytics(Lying(rows, Path(folder), 0)).cells(("model", "day"), rates=rates, distinct=True)
    for cell in cells:
        part = [row for row in rows if not rates or row.rates == cell.rates]
        part = [row for row in part if (row.model, _day(row)) == cell.values]
        assert cell.users == len({row.user for row in part} - {None})
        assert cell.sessions == len({row.session_id for row in part} - {None})
        assert cell.sums.attempts + cell.sums.cache_hits == len(part)
        assert cell.sums.tokens_in == _sum([row.tokens_in for row in part])
        assert cell.sums.cost_nanousd == _sum([row.cost_nanousd for row in part])
    assert sum(cell.sums.attempts + cell.sums.cache_hits for cell in cells) == len(rows)


def _day(row: AttemptRow) -> str | None:
    return reference_report([row], ("day",)).groups[0].values[0]


def _sum(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


@given(ledgers, st.integers(0, 2**16 - 1))
@settings(deadline=None, phases=QUICK, max_examples=8)
def test_sessions_are_what_a_fold_says(rows: list[AttemptRow], places: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        analytics = DuckAnalytics(Lying(rows, Path(folder), places))
        made = analytics.sessions(top=100)
    wanted = reference_sessions(rows)
    assert (list(made.found), made.total) == (wanted, len(wanted))


@given(ledgers)
@settings(deadline=None, phases=QUICK, max_examples=5)
def test_rows_come_back(rows: list[AttemptRow]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = DuckAnalytics(Lying(rows, Path(folder), 2**16 - 1)).rows(EVERY_ROW)
    assert found == sorted(rows, key=lambda row: (row.ts_start_ms, row.attempt_id))


def test_nothing_is_a_report_too(tmp_path: Path) -> None:
    analytics = DuckAnalytics(Lying([], tmp_path, 0))
    made = analytics.report(("model",))
    assert (made.groups, made.total.sums.requests, made.total.sums.cost_nanousd) == ((), 0, None)
    assert made == reference_report([], ("model",), TERMS)
    assert analytics.sessions(top=5).found == ()
    assert analytics.cells(("model",)) == []
