"""Costs by group and nothing else: cheap enough for many dimensions at once."""

from collections.abc import Sequence

from bascule.model.cost_cell import CostCell, Cover
from bascule.model.imported import AGENTS, PLAN_TAG
from bascule.model.report import TERMS, Terms
from bascule.storage.analytics.frame import Frame, condition, framed, group_names
from bascule.storage.analytics.reports import told
from bascule.storage.analytics.schema import literal

_AGENTS = ", ".join([literal(name) for name in AGENTS])


def costs(found: Frame, by: Sequence[str], *, covers: Sequence[Cover] = (), terms: Terms = TERMS) -> list[CostCell]:
    """The cost of each group, in no order, divided by which of `covers` admit it, by user where one asks, and by
    whether it was used on a plan."""
    covered = _covered(covers)
    seated = sum([1 << place for place, cover in enumerate(covers) if cover.by_user])
    user = f'CASE WHEN ({covered}) & {seated} > 0 THEN a."user" END' if seated else "NULL"
    reads = framed(found, by, terms=terms, more=(covered, user, _on_plan(found)))
    count = max(len(reads), 1)
    lines = found.run("costs", "costs", g=group_names(count + 3))
    return [
        CostCell(
            told(reads, line[:count]), line[count + 3], line[count + 4], line[count], line[count + 1], line[count + 2]
        )
        for line in lines
    ]


def on_plan(found: Frame) -> bool:
    """Whether any row was. Makes `plan_tags`."""
    found.run("costs", "plan_tags", where=condition(found.where), agents=_AGENTS, tag=PLAN_TAG)
    ((some,),) = found.connection.execute("SELECT count(*) FROM plan_tags").fetchall()
    return bool(some)


def _covered(covers: Sequence[Cover]) -> str:
    """The bits of the covers that admit a row; as `Cover.admits`."""
    bits = []
    for place, cover in enumerate(covers):
        conditions = [f"a.provider = {literal(cover.provider)}"]
        if cover.names:
            names = ", ".join([literal(name) for name in cover.names])
            conditions.append(f"(a.client IN ({names}) OR a.model IN ({names}))")
        admitted = " AND ".join(conditions)
        if cover.names and cover.by_user:
            admitted = f"({admitted}) OR (a.provider IS NULL AND a.client IN ({names}))"
        bits.append(f"CASE WHEN {admitted} THEN {1 << place} ELSE 0 END")
    return " + ".join(bits) or "0"


def _on_plan(found: Frame) -> str:
    """Whether a row was used on a plan; as `model.imported.on_plan`."""
    if not on_plan(found):
        return "false"
    return f"a.origin IN ({_AGENTS}) AND a.tags IN (SELECT tags FROM plan_tags)"  # noqa: S608
