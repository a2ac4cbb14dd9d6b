"""Costs as the analytics port gives them, from a few attempts that a test writes down."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from bascule.decide.window import window_id
from bascule.model.cost_cell import CostCell, Cover
from bascule.model.imported import on_plan
from bascule.model.report import TERMS, Terms
from bascule.model.row import RowFilter

USD = 1_000_000_000


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


class Spent(Struct):
    ts_ms: int
    cost_nanousd: int | None
    seen: dict[str, str | None]


def spent(when: str, usd: float | None, **seen: Any) -> Spent:
    """An attempt; a tag is given as `tag_K`."""
    named = {name.replace("tag_", "tag:"): value for name, value in seen.items()}
    cost = None if usd is None else round(usd * USD)
    return Spent(at(when), cost, {"origin": "gateway", "provider": "openai", **named})


class Ledger:
    """`Analytics.costs` over these attempts; `asked` remembers the questions."""

    def __init__(self, attempts: Sequence[Spent]) -> None:
        self.attempts = attempts
        self.asked: list[tuple[tuple[str, ...], RowFilter]] = []

    def costs(
        self, by: Sequence[str], where: RowFilter, *, covers: Sequence[Cover] = (), terms: Terms = TERMS
    ) -> list[CostCell]:
        self.asked.append((tuple(by), where))
        cells: dict[tuple[Any, ...], CostCell] = {}
        for one in self.attempts:
            if where.since_ms is not None and one.ts_ms < where.since_ms:
                continue
            if where.until_ms is not None and one.ts_ms >= where.until_ms:
                continue
            if where.origin is not None and one.seen["origin"] != where.origin:
                continue
            seen = {**one.seen, "month": window_id("month", one.ts_ms), "day": window_id("day", one.ts_ms)}
            values = tuple([seen.get(name) for name in by])
            bits, user = _covered(covers, one)
            plan = on_plan(one.seen["origin"], one.seen.get("tag:plan"))
            before = cells.get((values, bits, user, plan), CostCell(values, None, 0, bits, user, plan))
            known = before.cost_nanousd
            if one.cost_nanousd is not None:
                known = (known or 0) + one.cost_nanousd
            unpriced = before.unpriced_attempts + (one.cost_nanousd is None)
            cells[values, bits, user, plan] = CostCell(values, known, unpriced, bits, user, plan)
        return list(cells.values())


def _covered(covers: Sequence[Cover], one: Spent) -> tuple[int, str | None]:
    bits, user = 0, None
    for place, cover in enumerate(covers):
        if cover.admits(one.seen["provider"], one.seen.get("client"), one.seen.get("model")):
            bits |= 1 << place
            user = one.seen.get("user") if cover.by_user else user
    return bits, user
