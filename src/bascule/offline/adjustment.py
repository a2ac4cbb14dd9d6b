"""Corrections of an attempt's cost: which attempt, what is kept of it, and what whoever made it is told."""

from typing import Any

from bascule.model.entry import Adjustment
from bascule.model.money import usd_text
from bascule.model.row import GATEWAY, AttemptRow, RowFilter
from bascule.ports import Governance, LedgerReader


def attempt_of(reader: LedgerReader, attempt_id: str) -> AttemptRow | None:
    """The attempt of this id, None where the ledger has none: what was imported is
    corrected where it came from. Raises StoreError."""
    return next(reader.attempts(RowFilter(attempt_id=attempt_id, origin=GATEWAY)), None)


def record_adjustment(governance: Governance, line: Adjustment) -> None:
    """The audit entry. After the line: the trail must not tell of what did not happen. Raises StoreError."""
    detail = {"adjustment_id": line.adjustment_id, "delta_nanousd": line.delta_nanousd, "reason": line.reason}
    governance.record(ts_ms=line.ts_ms, by=line.by, action="ledger.adjust", target=line.attempt_id, detail=detail)


def adjusted_cost_nanousd(before: AttemptRow, line: Adjustment) -> int:
    """What the attempt costs with the line; an unknown cost becomes the correction."""
    return (before.cost_nanousd or 0) + line.delta_nanousd


def adjustment_payload(before: AttemptRow, line: Adjustment) -> dict[str, Any]:
    """Stable keys; `cost_usd` is the attempt's cost from now on."""
    return {
        "adjustment_id": line.adjustment_id,
        "attempt_id": line.attempt_id,
        "delta_usd": usd_text(line.delta_nanousd),
        "cost_usd": usd_text(adjusted_cost_nanousd(before, line)),
        "reason": line.reason,
        "by": line.by,
    }
