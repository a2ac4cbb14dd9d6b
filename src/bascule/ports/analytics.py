"""Sums over all rows."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from bascule.model.billed import BilledPeriod
from bascule.model.cost_cell import CostCell, Cover
from bascule.model.errors import BasculeError
from bascule.model.report import TERMS, Cell, Report, Sort, Terms
from bascule.model.row import EVERY_ROW, AttemptRow, RowFilter
from bascule.model.session import Sessions


class AnalyticsMissing(BasculeError):
    """The extra `analytics` is not installed."""


class Analytics(Protocol):
    """Rows of the whole ledger and of imports, summed. Raises StoreError; AnalyticsMissing where its extra is not
    installed.

    Dimensions are the names of `offline.dimensions`, checked there. Any thread may call it; each call reads anew.
    """

    def report(
        self,
        by: Sequence[str],
        where: RowFilter = EVERY_ROW,
        *,
        terms: Terms = TERMS,
        sort: Sort = "cost",
        top: int | None = None,
    ) -> Report:
        """Figures in total and by group; `top` takes the first of the groups alone, the total stays of all."""
        ...

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
        """Sums by group without percentiles, in no order.

        `rates` divides them by what they were priced at too, `distinct` counts users and sessions (which takes about
        as long as the rest), `times` tells when each began and ended. Without dimensions one cell, or none where
        there are no rows.
        """
        ...

    def costs(
        self,
        by: Sequence[str],
        where: RowFilter = EVERY_ROW,
        *,
        covers: Sequence[Cover] = (),
        terms: Terms = TERMS,
    ) -> list[CostCell]:
        """What settled attempts cost by group, in no order, divided by which of `covers` admit it, by user where one
        of them asks, and by whether it was used on a plan."""
        ...

    def on_plan(self, where: RowFilter) -> bool:
        """Whether anything was used on a plan: whether `costs` would tell such a cell."""
        ...

    def held(self, where: RowFilter) -> "AbstractContextManager[Analytics]":
        """The same for several questions about rows that are read once; each may ask for a part of `where`."""
        ...

    def billed(self, where: RowFilter) -> BilledPeriod:
        """What settled attempts with a known cost were billed for, as a bridge between two periods needs it."""
        ...

    def sessions(self, where: RowFilter = EVERY_ROW, *, sort: Literal["start", "cost"] = "start", top: int) -> Sessions:
        """The latest or the dearest sessions; what belongs to none is one session without an id."""
        ...

    def rows(self, where: RowFilter) -> list[AttemptRow]:
        """Rows themselves, oldest first, for one session or one attempt: all are held in memory.

        They have what reports need; raw usage, holds and links stay in the ledger.
        """
        ...
