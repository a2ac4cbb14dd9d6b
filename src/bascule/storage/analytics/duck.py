"""Implements `ports.Analytics` with DuckDB."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

import msgspec

from bascule.model.billed import BilledPeriod
from bascule.model.cost_cell import CostCell, Cover
from bascule.model.report import TERMS, Cell, Report, Sort, Terms
from bascule.model.row import EVERY_ROW, AttemptRow, RowFilter
from bascule.model.session import Sessions
from bascule.storage.analytics.billed import billed
from bascule.storage.analytics.cells import cells
from bascule.storage.analytics.costs import costs, on_plan
from bascule.storage.analytics.frame import Frame, Loaded, asked, condition, loaded, opened
from bascule.storage.analytics.reports import report
from bascule.storage.analytics.schema import STAGED, quoted
from bascule.storage.analytics.sessions import sessions
from bascule.storage.analytics.sources import Sources

_JSON = ("tags", "rates")


class DuckAnalytics:
    """Each call opens a database in memory and closes it: what it reads is what there is then."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def _opened(self, where: RowFilter) -> AbstractContextManager[Frame]:
        return opened(self._sources.portion(where), where)

    @contextmanager
    def held(self, where: RowFilter) -> Iterator["DuckAnalytics"]:
        with loaded(self._sources.portion(where)) as rows:
            yield _Held(self._sources, rows, where)

    def report(
        self,
        by: Sequence[str],
        where: RowFilter = EVERY_ROW,
        *,
        terms: Terms = TERMS,
        sort: Sort = "cost",
        top: int | None = None,
    ) -> Report:
        with self._opened(where) as found:
            return report(found, by, terms, sort, top)

    def cells(
        self,
        by: Sequence[str],
        where: RowFilter = EVERY_ROW,
        *,
        rates: bool = False,
        distinct: bool = True,
        times: bool = False,
        terms: Terms = TERMS,
    ) -> list[Cell]:
        with self._opened(where) as found:
            return cells(found, by, rates=rates, distinct=distinct, times=times, terms=terms)

    def costs(
        self,
        by: Sequence[str],
        where: RowFilter = EVERY_ROW,
        *,
        covers: Sequence[Cover] = (),
        terms: Terms = TERMS,
    ) -> list[CostCell]:
        with self._opened(where) as found:
            return costs(found, by, covers=covers, terms=terms)

    def on_plan(self, where: RowFilter) -> bool:
        with self._opened(where) as found:
            return on_plan(found)

    def billed(self, where: RowFilter) -> BilledPeriod:
        with self._opened(where) as found:
            return billed(found)

    def sessions(self, where: RowFilter = EVERY_ROW, *, sort: Literal["start", "cost"] = "start", top: int) -> Sessions:
        with self._opened(where) as found:
            return sessions(found, sort, top)

    def rows(self, where: RowFilter) -> list[AttemptRow]:
        with self._opened(where) as found:
            return _rows(found)


class _Held(DuckAnalytics):
    """Rows that were read once, for several questions."""

    def __init__(self, sources: Sources, rows: Loaded, where: RowFilter) -> None:
        super().__init__(sources)
        self._rows = rows
        self._where = where

    def _opened(self, where: RowFilter) -> AbstractContextManager[Frame]:
        if not _within(where, self._where):
            raise ValueError(f"{where} asks for more than was read, {self._where}")
        return asked(self._rows, where)


def _within(inner: RowFilter, outer: RowFilter) -> bool:
    """Whether every row of one filter is one of the other, whose rows were read."""
    since = outer.since_ms is None or (inner.since_ms is not None and inner.since_ms >= outer.since_ms)
    until = outer.until_ms is None or (inner.until_ms is not None and inner.until_ms <= outer.until_ms)
    others = ("key", "session_id", "model", "attempt_id", "request_id")
    narrower = all(getattr(outer, name) in (None, getattr(inner, name)) for name in others)
    # Who names an origin is also shown rows that restate others, which are not read otherwise.
    return since and until and narrower and inner.origin == outer.origin


def _rows(found: Frame) -> list[AttemptRow]:
    columns = ", ".join([quoted(name) for name in STAGED])
    lines = found.connection.execute(
        f"SELECT {columns} FROM attempts AS a WHERE {condition(found.where)} ORDER BY ts_start_ms, attempt_id"  # noqa: S608
    ).fetchall()
    return [_row(line) for line in lines]


def _row(line: tuple[Any, ...]) -> AttemptRow:
    given = dict(zip(STAGED, line, strict=True))
    for name in _JSON:
        given[name] = None if given[name] is None else msgspec.json.decode(given[name])
    return msgspec.convert({**given, "chain": ""}, AttemptRow)
