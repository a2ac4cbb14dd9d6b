"""Cells: sums by group and nothing else, for what is computed beyond reports."""

from collections.abc import Sequence

import msgspec

from bascule.model.money import Rates
from bascule.model.report import TERMS, Cell, Terms
from bascule.storage.analytics.frame import Frame, frame, group_names, sum_up
from bascule.storage.analytics.reports import fetch_sums, told


def cells(
    found: Frame,
    by: Sequence[str],
    *,
    rates: bool = False,
    distinct: bool = True,
    times: bool = False,
    terms: Terms = TERMS,
) -> list[Cell]:
    """The sums of each group; with `rates` also divided by what attempts were priced at, with `distinct` told how many
    users and sessions each has, with `times` when it began and ended."""
    reads = frame(found, by, terms=terms, rates=rates)
    count = max(len(reads), 1) + rates
    sum_up(found, count, times=times)
    lines = found.run("cells", "distinct", g=group_names(count)) if distinct else []
    counted = {line[:count]: line[count:] for line in lines}
    made = []
    for key, sums in fetch_sums(found, count):
        users, sessions = counted.get(key, (None, None))
        priced = _rates(key[-1]) if rates else None
        made.append(Cell(values=told(reads, key), rates=priced, sums=sums, users=users, sessions=sessions))
    return made


def _rates(text: str | None) -> Rates | None:
    return None if text is None else msgspec.json.decode(text, type=Rates)
