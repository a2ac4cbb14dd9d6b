"""Costs by group and nothing else: cheap enough for many dimensions at once."""

from collections.abc import Sequence

from bascule.model.cost_cell import CostCell
from bascule.model.report import TERMS, Terms
from bascule.storage.analytics.frame import Frame, frame, group_names
from bascule.storage.analytics.reports import told


def costs(found: Frame, by: Sequence[str], *, terms: Terms = TERMS) -> list[CostCell]:
    """The cost of each group, in no order."""
    reads = frame(found, by, terms=terms)
    count = max(len(reads), 1)
    lines = found.run("costs", "costs", g=group_names(count))
    return [CostCell(told(reads, line[:count]), line[count], line[count + 1]) for line in lines]
