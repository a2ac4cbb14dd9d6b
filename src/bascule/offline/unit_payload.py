"""Units of a business as a document."""

from typing import Any

from bascule.model.money import usd_text
from bascule.offline.chargeback import MEANINGS
from bascule.offline.moment import iso_time
from bascule.offline.paid import PaidReport
from bascule.offline.paid_payload import number
from bascule.offline.percentile import share
from bascule.offline.unit import FreeTier, Unit, Units


def units_payload(made: Units, report: PaidReport, top: int | None = None) -> dict[str, Any]:
    """`{by, units, apart, free, …}`; the units' costs and `unsplit_usd` come to `paid_usd`."""
    shown = made.units if top is None else made.units[:top]
    return {
        "since": iso_time(report.since_ms),
        "until": iso_time(report.until_ms),
        "by": made.kind.name,
        "unit_is": made.kind.says,
        "units_total": len(made.units),
        "units_below_zero": sum([unit.is_below_zero for unit in made.units]),
        "units_with_unknown_revenue": sum([unit.revenue_nanousd is None for unit in made.units]),
        "cost_usd": usd_text(made.cost_nanousd),
        "cost_p50_usd": usd_text(made.cost_p50_nanousd),
        "cost_p90_usd": usd_text(made.cost_p90_nanousd),
        "margin_usd": usd_text(made.margin_nanousd),
        "apart": {
            "requests": made.apart_requests,
            "list_usd": usd_text(made.apart.list_nanousd),
            "effective_usd": usd_text(made.apart.effective_nanousd),
            "on_plan_list_usd": usd_text(made.apart.on_plan_nanousd),
            "unpriced_attempts": made.apart.unpriced_attempts,
        },
        "fixed_usd": usd_text(made.fixed_nanousd),
        "rule": made.rule,
        "rule_means": MEANINGS[made.rule],
        "unsplit_usd": usd_text(made.unsplit_nanousd),
        "paid_usd": usd_text(report.paid_nanousd),
        "free": None if made.free is None else _free(made.free),
        "units": [unit_keys(unit) for unit in shown],
    }


UNIT_KEYS = (
    "unit", "plan", "requests", "sessions", "list_usd", "effective_usd", "on_plan_list_usd", "shared_usd", "cost_usd",
    "unpriced_attempts", "cost_per_request_usd", "cost_per_session_usd", "revenue_usd", "margin_usd", "margin_share",
)  # fmt: skip


def unit_keys(unit: Unit) -> dict[str, Any]:
    margin = unit.margin_nanousd
    return {
        "unit": unit.name,
        "plan": unit.plan,
        "requests": unit.requests,
        "sessions": unit.sessions,
        "list_usd": usd_text(unit.paid.list_nanousd),
        "effective_usd": usd_text(unit.paid.effective_nanousd),
        "on_plan_list_usd": usd_text(unit.paid.on_plan_nanousd),
        "shared_usd": usd_text(unit.shared_nanousd),
        "cost_usd": usd_text(unit.cost_nanousd),
        "unpriced_attempts": unit.unknown_attempts,
        "cost_per_request_usd": usd_text(unit.cost_per_request),
        "cost_per_session_usd": usd_text(unit.cost_per_session),
        "revenue_usd": usd_text(unit.revenue_nanousd),
        "margin_usd": usd_text(margin),
        "margin_share": None if margin is None else share(margin, unit.revenue_nanousd or 0),
    }


def _free(free: FreeTier) -> dict[str, Any]:
    return {
        "units": free.units,
        "cost_usd": usd_text(free.cost_nanousd),
        "cost_share": number(free.cost_share),
        "cost_per_unit_usd": usd_text(free.per_unit_nanousd),
        "paying_units": free.paying_units,
        "cost_per_paying_unit_usd": usd_text(free.per_paying_unit_nanousd),
        "share_of_revenue": number(free.share_of_revenue),
    }
