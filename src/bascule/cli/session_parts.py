"""The parts of sessions in a period: summed by the analytics where they are installed, else row by row."""

from typing import TYPE_CHECKING

from bascule.cli.progress import track
from bascule.model.row import RowFilter
from bascule.offline.parts import CELLS_BY, Part, parts, parts_of_cells
from bascule.ports import AnalyticsMissing

if TYPE_CHECKING:
    from bascule.compose import Store


def read_parts(store: "Store", where: RowFilter) -> list[Part]:
    """Both ways give the same. A runner that posts a comment need not have the extra for it."""
    try:
        return parts_of_cells(store.analytics.cells(CELLS_BY, where, distinct=False, times=True))
    except AnalyticsMissing:
        return parts(track(store.view.attempts(where), "reading the ledger"))
