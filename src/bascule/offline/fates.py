"""What became of the work that rows were spent on, for reports by outcome."""

from collections.abc import Sequence

from msgspec.structs import replace

from bascule.model.report import Cell, Fate, Terms
from bascule.model.row import RowFilter
from bascule.model.session_outcome import SessionOutcome
from bascule.offline.outcomes import state_of
from bascule.offline.parts import CELLS_BY, parts_of_cells
from bascule.offline.works import works
from bascule.ports import Analytics, OutcomeStore

SEVERAL = "several"
"""Spent on works of different fates alike, such as a session's time on the base branch."""
_UNKNOWN = {"unknown"}

_Key = tuple[str, str | None, str | None, str | None]


def with_fates(
    terms: Terms, by: Sequence[str], analytics: Analytics, outcomes: OutcomeStore, where: RowFilter
) -> Terms:
    """The terms with what is known of outcomes, where a report by these dimensions asks. Raises StoreError.

    A work is judged by all of its sessions in the period, whatever else `where` leaves out.
    """
    said = outcomes.current() if "outcome" in (*by, *terms.same) else []
    if not said:
        return terms
    period = RowFilter(since_ms=where.since_ms, until_ms=where.until_ms)
    return replace(terms, fates=fates(analytics.cells(CELLS_BY, period, distinct=False, times=True), said))


def fates(cells: Sequence[Cell], current: Sequence[SessionOutcome]) -> tuple[Fate, ...]:
    """By session and what its rows name, the fate of their work as `bascule outcomes` tells it; none where it is
    unknown. `cells` are by `parts.CELLS_BY`, with times; `current` is what is said."""
    states: dict[_Key, set[str]] = {}
    for work in works(parts_of_cells(cells), current).works:
        for part in [*work.whole, *work.split]:
            if part.session_id is not None:
                key = (part.session_id, part.pr, part.branch, part.project)
                states.setdefault(key, set()).add(state_of(work))
    return tuple(
        [
            Fate(*key, outcome=next(iter(found)) if len(found) == 1 else SEVERAL)
            for key, found in states.items()
            if found != _UNKNOWN
        ]
    )
