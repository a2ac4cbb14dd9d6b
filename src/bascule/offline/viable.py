"""Value x volume: what a deferred use case may cost, which models cost no more today, and when one will. Pure.

A task that is worth V, N times a month, beside fixed costs F a month, breaks even where its tokens cost V - F/N, and
leaves a margin m of its value where they cost V (1 - m) - F/N. When the price falls to that is read from a trend: the
months that log10(price today / price needed) takes at its slope, with the slope's interval. What the slope's interval
does not rule out (no decline at all) makes the date `never`: a hope is not a date.

Costs are of uncached, standard-tier tokens at list price, with one call per task.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from msgspec import Struct, structs

from bascule.decide.price import rates_for
from bascule.model.money import PriceTimeline
from bascule.offline.catalog import Line
from bascule.offline.market import Job, Offered
from bascule.offline.offers import MAKERS
from bascule.offline.trend import Decline, months_to_fall

HORIZON_MONTHS = 600
"""Half a century: beyond that a date by trend says nothing."""
LEAST_SPAN_MONTHS = 12
"""A trend over less than a year is not carried on into others: too short to tell a slope from a single step."""
_DAYS_PER_MONTH = 365.2425 / 12
_NANO = Decimal("0.000000001")


class UseCase(Struct, frozen=True, kw_only=True):
    """What a task is worth and how often it comes. Money in US dollars."""

    value_usd: Decimal
    """Of one task."""
    volume: int
    """Tasks a month."""
    fixed_usd: Decimal = Decimal(0)
    """A month, whatever the volume."""
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def tokens(self) -> int | None:
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    @property
    def fixed_per_task_usd(self) -> Decimal:
        return self.fixed_usd / self.volume


class Needed(Struct, frozen=True, kw_only=True):
    """The most that tokens may cost; rounded down to the nano-dollar. Zero or less: no price is low enough."""

    margin: Decimal
    usd_per_task: Decimal
    usd_per_month: Decimal
    usd_per_mtok: Decimal | None
    """At the task's own mix of input and output; None where its tokens are not known."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A model on this task."""

    offer: Offered
    usd_per_task: Decimal
    usd_per_month: Decimal
    margin: float
    """The share of the task's value that is left, fixed costs taken off."""
    unmet: str | None
    """Why it is not adequate; None where it is."""


class Reached(Struct, frozen=True, kw_only=True):
    """When a price is reached by one trend. Months from now; None is never, or not by this trend."""

    verdict: Literal["today", "by trend", "never", "unknown"]
    months: float | None = None
    earliest_months: float | None = None
    latest_months: float | None = None
    why: str | None = None


def needed(use: UseCase, margin: Decimal) -> Needed:
    """What the tokens of a task may cost so that `margin` of its value is left."""
    per_task = (use.value_usd * (1 - margin) - use.fixed_per_task_usd).quantize(_NANO, ROUND_FLOOR)
    tokens = use.tokens
    return Needed(
        margin=margin,
        usd_per_task=per_task,
        usd_per_month=per_task * use.volume,
        usd_per_mtok=None if not tokens else (per_task * 1_000_000 / tokens).quantize(_NANO, ROUND_FLOOR),
    )


def candidates(use: UseCase, offers: Iterable[Offered], job: Job) -> tuple[Candidate, ...]:
    """Every offer whose price of this task is known, cheapest first; of equals the makers' own."""
    found = []
    for offer in offers:
        cost = _task_cost(use, offer)
        if cost is not None:
            found.append(
                Candidate(
                    offer=offer,
                    usd_per_task=cost,
                    usd_per_month=cost * use.volume,
                    margin=float((use.value_usd - use.fixed_per_task_usd - cost) / use.value_usd),
                    unmet=job.unmet(offer),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.usd_per_task, one.offer.provider not in MAKERS)))


def reached(price_usd: Decimal | None, need: Needed, trend: Decline) -> Reached:
    """When `price_usd` a task (None: nobody's is known) falls to what is needed, by this trend."""
    if price_usd is None:
        return Reached(verdict="unknown", why="no adequate model with a known price to start from")
    if need.usd_per_task <= 0:
        return Reached(verdict="never", why="the fixed costs and the margin take the whole value")
    if price_usd <= need.usd_per_task:
        return Reached(verdict="today", months=0.0, earliest_months=0.0, latest_months=0.0)
    line = trend.line
    if line is None:
        return Reached(verdict="unknown", why=trend.why_not)
    if not trend.stated and trend.span_months < LEAST_SPAN_MONTHS:
        why = f"{trend.span_months:.0f} months of points are too few to carry on"
        return Reached(verdict="unknown", why=why)
    powers = math.log10(price_usd / need.usd_per_task)
    found = [_within_horizon(months_to_fall(powers, slope)) for slope in (line.slope, line.slope_low, line.slope_high)]
    middle, earliest, latest = found
    if line.slope_high >= 0:
        why = "it is no decline" if trend.stated else "its interval includes no decline"
        return Reached(verdict="never", earliest_months=None if trend.stated else earliest, why=why)
    if middle is None:
        return Reached(verdict="never", earliest_months=earliest, why=f"not within {HORIZON_MONTHS // 12} years")
    if trend.stated:
        return Reached(verdict="by trend", months=middle)
    return Reached(verdict="by trend", months=middle, earliest_months=earliest, latest_months=latest)


def month_after(now_ms: int, months: float | None) -> str | None:
    """The calendar month so many months after a moment, as `2027-03`: a trend does not know days."""
    if months is None:
        return None
    moment = datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(days=months * _DAYS_PER_MONTH)
    return f"{moment.year:04d}-{moment.month:02d}"


def at_length(
    lines: Iterable[Line], timeline_of: Callable[[Line], PriceTimeline | None], at_ms: int, input_tokens: int
) -> Sequence[Line]:
    """The lines at the rates of a request with so many input tokens: of tiered prices not always the lowest."""
    found = []
    for line in lines:
        timeline = timeline_of(line) if line.has_tiers and input_tokens else None
        rates = None if timeline is None else rates_for(timeline, at_ms, input_tokens=input_tokens)
        found.append(line if rates is None else structs.replace(line, rates=rates))
    return found


def _within_horizon(months: float | None) -> float | None:
    return None if months is None or months > HORIZON_MONTHS else months


def _task_cost(use: UseCase, offer: Offered) -> Decimal | None:
    if use.tokens is None or (use.output_tokens and offer.output is None):
        return None
    picousd = (use.input_tokens or 0) * offer.input + (use.output_tokens or 0) * (offer.output or 0)
    return Decimal(picousd).scaleb(-12)
