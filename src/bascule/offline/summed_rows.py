"""Requests of a report where some of its rows are sums of many: those that providers report of a whole account."""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bascule.model.report import Cell, Figures, Report, Terms
from bascule.model.row import RowFilter
from bascule.offline.imports.account import CALL, COST_ORIGINS, REQUESTS_TAG, SPAN_TAG, USAGE_ORIGINS
from bascule.ports import Analytics

ORIGINS = frozenset({*USAGE_ORIGINS, *COST_ORIGINS})
_MORE = ("origin", f"tag:{SPAN_TAG}", f"tag:{REQUESTS_TAG}")


class _Summed(Struct):
    rows: int = 0
    uncounted: int = 0
    requests: int = 0


def with_requests(made: Report, analytics: Analytics, where: RowFilter, terms: Terms) -> Report:
    """The report with the requests that such rows sum up for each of them, as far as they tell, and without medians
    per request where there are any: of many requests together none is known. Raises StoreError."""
    if not any(cell.values[0] in ORIGINS for cell in analytics.costs(("origin",), where)):
        return made
    cells = analytics.cells((*made.by, *_MORE), where, distinct=False, terms=terms)
    found: dict[Sequence[str | None], _Summed] = {}
    whole = _Summed()
    for values, cell in _summed(cells):
        for summed in (found.setdefault(values, _Summed()), whole):
            _add(summed, cell)
    return replace(
        made,
        total=_counted(made.total, whole),
        groups=tuple([replace(one, figures=_counted(one.figures, found.get(one.values))) for one in made.groups]),
    )


def _summed(cells: Iterable[Cell]) -> Iterable[tuple[Sequence[str | None], Cell]]:
    for cell in cells:
        *values, origin, span, _ = cell.values
        if origin in ORIGINS and span != CALL:
            yield tuple(values), cell


def _add(summed: _Summed, cell: Cell) -> None:
    rows, told = cell.sums.requests, cell.values[-1]
    summed.rows += rows
    if told is not None and told.isdigit():
        summed.requests += rows * int(told)
    else:
        summed.uncounted += rows


def _counted(figures: Figures, summed: _Summed | None) -> Figures:
    if summed is None or not summed.rows:
        return figures
    return replace(
        figures,
        sums=replace(figures.sums, requests=figures.sums.requests - summed.rows + summed.requests),
        summed_rows=summed.rows,
        uncounted_rows=summed.uncounted,
        request_cost_p50_nanousd=None,
        request_tokens_p50=None,
    )
