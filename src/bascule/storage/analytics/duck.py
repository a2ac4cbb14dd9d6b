"""Implements `ports.Analytics` with DuckDB."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from bascule.model.billed import BilledPeriod
from bascule.model.cost_cell import CostCell
from bascule.model.report import TERMS, Cell, Report, Sort, Terms
from bascule.model.row import EVERY_ROW, AttemptRow, RowFilter
from bascule.model.session import Sessions
from bascule.storage.analytics.billed import billed
from bascule.storage.analytics.cells import cells
from bascule.storage.analytics.costs import costs
from bascule.storage.analytics.frame import Frame, condition, opened
from bascule.storage.analytics.reports import report
from bascule.storage.analytics.schema import STAGED, quoted
from bascule.storage.analytics.sessions import sessions
from bascule.storage.analytics.sources import Sources

_JSON = ("tags", "rates")


class DuckAnalytics:
    """Each call opens a database in memory and closes it: what it reads is what there is then."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def report(
        self,
        by: Sequence[str],
        where: RowFilter = EVERY_ROW,
        *,
        terms: Terms = TERMS,
        sort: Sort = "cost",
        top: int | None = None,
    ) -> Report:
        with opened(self._sources.portion(where), where) as found:
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
        with opened(self._sources.portion(where), where) as found:
            return cells(found, by, rates=rates, distinct=distinct, times=times, terms=terms)

    def costs(self, by: Sequence[str], where: RowFilter = EVERY_ROW, *, terms: Terms = TERMS) -> list[CostCell]:
        with opened(self._sources.portion(where), where) as found:
            return costs(found, by, terms=terms)

    def billed(self, where: RowFilter) -> BilledPeriod:
        with opened(self._sources.portion(where), where) as found:
            return billed(found)

    def sessions(self, where: RowFilter = EVERY_ROW, *, sort: Literal["start", "cost"] = "start", top: int) -> Sessions:
        with opened(self._sources.portion(where), where) as found:
            return sessions(found, sort, top)

    def rows(self, where: RowFilter) -> list[AttemptRow]:
        with opened(self._sources.portion(where), where) as found:
            return _rows(found)


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
