"""A bridge between two bills as a document: parts in nano-dollars that sum, and in cents that sum as printed."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from bascule.model.money import usd_text
from bascule.offline.apportion import round_to_sum
from bascule.offline.bridge import Bridge
from bascule.offline.moment import iso_time

CENT = 10_000_000
"""In nano-USD."""

_FACTORS = {"list": "eight", "effective": "nine"}


MEANING = {
    "users": "distinct users (the key where no user is named)",
    "sessions_per_user": "sessions per user; a request outside any session is one of its own",
    "tokens_per_session": "input and output tokens per session, each by itself, of attempts that answered",
    "model_mix": "which models the tokens went to; models that came or went count here",
    "cache_share": "how a model's tokens split into cached, written, plain and other classes",
    "price": "what a model's tokens cost, class by class",
    "contract_terms": "which part of the list price the meter charges after discounts and credits; nothing of what "
    "seats, capacity or a subscription cover",
    "fees": "of seats and capacity, used or not",
    "unused_commitments": "what was left of commitments on their last day",
    "retries": "what was paid for attempts whose answer nobody got",
    "known_prices": "tokens that had a known price in one period and not in the other",
    "residual": "adjustments, fees and rounding: what no token explains",
}


def cost_is(found: Bridge) -> str:
    """Which cost the bills are of, in the words of reports."""
    return "list" if found.charged is None else "effective"


def method(found: Bridge) -> str:
    """How the change was split."""
    count = _FACTORS[cost_is(found)]
    return f"Shapley value of {count} factors: the mean effect of each over all orders in which they could have moved"


def bridge_payload(found: Bridge, before: tuple[int, int], after: tuple[int, int]) -> dict[str, Any]:
    """`before` and `after` are the periods, [start, end) in milliseconds."""
    change, unknown = found.change_nanousd, None in known_bills(found)
    return {
        "before": _side(found, 0, before),
        "after": _side(found, 1, after),
        "change_usd": None if unknown else usd_text(change),
        "parts": [
            {
                "cause": part.cause,
                "usd": usd_text(nanousd),
                "share": None if unknown or change == 0 else round(part.nanousd / change, 4),
                "before": _number(part.before),
                "after": _number(part.after),
                "meaning": MEANING[part.cause],
            }
            for part, nanousd in zip(found.parts, known_parts(found), strict=True)
        ],
        "cost_is": cost_is(found),
        "method": method(found),
    }


def in_cents(found: Bridge) -> tuple[int, list[int], int]:
    """The bill before, each part and the bill after, in cents: before + parts = after in whole cents."""
    before, after = [_cents(nanousd) for nanousd in found.bills_nanousd]
    parts = [Fraction(part.nanousd, CENT) for part in found.parts]
    # Both ends were rounded, so the parts miss their difference by up to a cent; the largest part does not feel it.
    largest = max(range(len(parts)), key=lambda place: abs(parts[place]))
    parts[largest] += after - before - sum(parts)
    return before, round_to_sum(parts, after - before), after


def _cents(nanousd: int) -> int:
    return (nanousd + CENT // 2) // CENT


CONTRACTUAL = frozenset({"fees", "unused_commitments"})
"""Parts that contracts alone say, whatever is known of the use."""


def known_parts(found: Bridge) -> list[int | None]:
    """Each part; None for those of a change that is not known."""
    unknown = None in known_bills(found)
    return [None if unknown and part.cause not in CONTRACTUAL else part.nanousd for part in found.parts]


def known_bills(found: Bridge) -> list[int | None]:
    """Both bills; None for one of which nothing is known."""
    sides = zip((found.before, found.after), found.bills_nanousd, strict=True)
    return [None if side.is_unknown and not bill else bill for side, bill in sides]


def _side(found: Bridge, number: int, period: tuple[int, int]) -> dict[str, Any]:
    side, bill = (found.before, found.after)[number], known_bills(found)[number]
    document = {
        "since": iso_time(period[0]),
        "until": iso_time(period[1]),
        "cost_usd": None if bill is None else usd_text(bill),
        "users": side.users,
        "sessions": side.sessions,
        "attempts": side.attempts,
        "unknown_costs": side.unknown,
    }
    if found.charged is None:
        return document
    charged = found.charged[number]
    return document | {
        "list_usd": None if side.is_unknown else usd_text(side.cost_nanousd),
        "on_plan_usd": usd_text(charged.on_plan_nanousd),
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else round(float(value), 6)
