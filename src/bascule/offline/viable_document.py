"""`bascule viable` as a document with stable keys; money as decimal text. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from bascule.offline.amounts import at_least_nano, plain
from bascule.offline.trend import Decline
from bascule.offline.trend_document import decline_payload
from bascule.offline.viable import Candidate, Needed, Reached, UseCase, month_after, reached

LISTED = 20


class Yardstick(Struct, frozen=True):
    """A trend that a date is read from: its name, what it holds constant, and the fit."""

    name: str
    holds: str
    decline: Decline


def viable_document(
    use: UseCase,
    needs: Sequence[Needed],
    found: Sequence[Candidate],
    known_usd_per_task: Decimal | None,
    yardsticks: Sequence[Yardstick],
    now_ms: int,
    *,
    floor: float | None,
) -> dict[str, Any]:
    """`known_usd_per_task` is what a task costs today where the user says so instead of naming its tokens."""
    adequate = [one for one in found if one.unmet is None]
    unknown = [one for one in found if one.unmet == "quality unknown"]
    start = known_usd_per_task if known_usd_per_task is not None else adequate[0].usd_per_task if adequate else None
    return {
        "value_usd": plain(use.value_usd),
        "volume": use.volume,
        "fixed_usd": plain(use.fixed_usd),
        "worth_usd_per_month": plain(use.value_usd * use.volume),
        "input_tokens": use.input_tokens,
        "output_tokens": use.output_tokens,
        "quality": floor,
        "needed": [_needed(need) for need in needs],
        "price_today_usd_per_task": None if start is None else at_least_nano(start),
        "price_today_from": "given" if known_usd_per_task is not None else None if not adequate else _name(adequate[0]),
        "models": None if use.tokens is None else {
            "priced": len(found),
            "adequate": len(adequate),
            "quality_unknown": len(unknown),
            "meet": [_candidate(one, needs) for one in adequate if _meets(one, needs[0])][:LISTED],
            "meet_count": len([one for one in adequate if _meets(one, needs[0])]),
            "meet_at_margin_count": len([one for one in adequate if _meets(one, needs[-1])]),
            "nearest": [_candidate(one, needs) for one in adequate if not _meets(one, needs[0])][:3],
            "meet_with_quality_unknown": [_candidate(one, needs) for one in unknown if _meets(one, needs[0])][:LISTED],
            "meet_with_quality_unknown_count": len([one for one in unknown if _meets(one, needs[0])]),
        },
        "reached": [
            {
                "trend": yardstick.name,
                "margin": plain(need.margin),
                **_reached(reached(start, need, yardstick.decline), now_ms),
            }
            for yardstick in yardsticks
            for need in needs
        ],
        "trends": [
            {"trend": one.name, "fit": decline_payload(one.decline, one.holds)} for one in yardsticks
        ],
    }  # fmt: skip


def _needed(need: Needed) -> dict[str, Any]:
    return {
        "margin": plain(need.margin),
        "usd_per_task": at_least_nano(need.usd_per_task),
        "usd_per_month": at_least_nano(need.usd_per_month),
        "usd_per_mtok": None if need.usd_per_mtok is None else plain(need.usd_per_mtok),
        "possible": need.usd_per_task > 0,
    }


def _candidate(one: Candidate, needs: Sequence[Needed]) -> dict[str, Any]:
    return {
        "model": one.offer.model,
        "provider": one.offer.provider,
        "usd_per_task": at_least_nano(one.usd_per_task),
        "usd_per_month": at_least_nano(one.usd_per_month),
        "margin": round(one.margin, 6),
        "meets": [plain(need.margin) for need in needs if _meets(one, need)],
        "quality": one.offer.quality,
        "quality_source": one.offer.quality_source,
    }


def _reached(found: Reached, now_ms: int) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "date": month_after(now_ms, found.months),
        "earliest": month_after(now_ms, found.earliest_months),
        "latest": month_after(now_ms, found.latest_months),
        "months": None if found.months is None else round(found.months, 1),
        "why": found.why,
    }


def _meets(one: Candidate, need: Needed) -> bool:
    return one.usd_per_task <= need.usd_per_task


def _name(one: Candidate) -> str:
    return one.offer.model if one.offer.provider is None else f"{one.offer.provider}/{one.offer.model}"
