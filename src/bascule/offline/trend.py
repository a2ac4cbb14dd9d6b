"""How fast prices decline: a straight line through the logarithm of prices over time. Pure.

Two questions are kept apart. *At stated capability*: on each date, what did the cheapest model cost that was at least
so capable? Those prices are steps that only ever fall. *As listed*: how did the prices of the named models move,
whatever each could do? A trend of the second kind mixes price with progress.

Prices are US dollars per million tokens, input and output blended by a stated share. Folds are how many times cheaper
a year makes it; below 1 it makes it dearer.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from bascule.offline.fit import LEAST_POINTS, Line, fit_line, fit_lines
from bascule.prices.calendar import CalendarDate
from bascule.prices.published import PricePoint

USUAL_INPUT_SHARE = Decimal("0.75")
"""Three input tokens to one of output: the common blend (artificialanalysis.ai/methodology)."""
_HUGE = 300.0
"""Powers of ten beyond what a float holds are left out instead."""


class Step(Struct, frozen=True):
    """The cheapest adequate model on a date, and what it cost: blended USD per million tokens."""

    date: CalendarDate
    model: str
    usd: Decimal


class Decline(Struct, frozen=True, kw_only=True):
    """What a fit says, or why there is none. Intervals are at `fit.CONFIDENCE`; None is without bound."""

    n: int
    line: Line | None
    span_months: float
    """From the first point to the last."""
    why_not: str | None = None
    stated: bool = False
    """Somebody's figure, not a fit: without points and without an interval."""

    @property
    def fold_per_year(self) -> float | None:
        return None if self.line is None else power_of_ten(-self.line.slope)

    @property
    def fold_low(self) -> float | None:
        return None if self.line is None or self.stated else power_of_ten(-self.line.slope_high)

    @property
    def fold_high(self) -> float | None:
        return None if self.line is None or self.stated else power_of_ten(-self.line.slope_low)

    @property
    def declines(self) -> bool | None:
        """True or False where the whole interval says so, None where it holds both."""
        if self.line is None:
            return None
        return True if self.line.slope_high < 0 else False if self.line.slope_low > 0 else None

    @property
    def halving_months(self) -> float | None:
        return None if self.line is None else months_to_fall(math.log10(2), self.line.slope)

    @property
    def halving_low(self) -> float | None:
        return None if self.line is None or self.stated else months_to_fall(math.log10(2), self.line.slope_low)

    @property
    def halving_high(self) -> float | None:
        return None if self.line is None or self.stated else months_to_fall(math.log10(2), self.line.slope_high)


def blended_usd(point: PricePoint, input_share: Decimal) -> Decimal:
    """USD per million tokens of which `input_share` are input; exact."""
    return (input_share * point.input + (1 - input_share) * point.output).scaleb(-6)


def first_capability(points: Sequence[PricePoint]) -> float | None:
    """What the most capable model of the first date could do: the usual level to hold constant. None: not given."""
    known = [point for point in points if point.capability is not None]
    if not known:
        return None
    first = min([point.date.middle for point in known])
    return max([point.capability or 0.0 for point in known if point.date.middle == first])


def frontier(points: Iterable[PricePoint], capability: float, input_share: Decimal) -> tuple[Step, ...]:
    """On each date of the table, from the first adequate model on, the cheapest one that was there by then.

    Models whose capability is not given are not adequate. A model is taken to stay on sale at its price.
    """
    steps: list[Step] = []
    best: tuple[str, Decimal] | None = None
    for point in sorted(points, key=lambda point: point.date.middle):
        if point.capability is not None and point.capability >= capability:
            usd = blended_usd(point, input_share)
            if best is None or usd < best[1]:
                best = (point.model, usd)
        if best is None:
            continue
        if steps and steps[-1].date.middle == point.date.middle:
            steps.pop()
        steps.append(Step(point.date, *best))
    return tuple(steps)


def listed(points: Iterable[PricePoint], input_share: Decimal) -> tuple[Step, ...]:
    """Every model at its own date and price."""
    found = [Step(point.date, point.model, blended_usd(point, input_share)) for point in points]
    return tuple(sorted(found, key=lambda step: step.date.middle))


def decline(steps: Sequence[Step]) -> Decline:
    """Least squares on log10 of the price over years."""
    xs, ys = _coordinates(steps)
    line = fit_line(xs, ys)
    return Decline(n=len(steps), line=line, span_months=_span(xs), why_not=None if line is not None else _too_few(xs))


def common_decline(series: Sequence[Sequence[Step]]) -> Decline:
    """One yearly decline for several series, each at a level of its own."""
    groups = [_coordinates(steps) for steps in series]
    line = fit_lines(groups)
    used = [xs for xs, _ in groups if len(xs) > 1]
    n = sum([len(xs) for xs in used])
    why_not = None if line is not None else f"too few points: {n} in {len(used)} series"
    return Decline(n=n, line=line, span_months=_span([x for xs in used for x in xs]), why_not=why_not)


def stated_decline(fold_per_year: float) -> Decline:
    """A decline that somebody states: without points, and without an interval of its own."""
    slope = -math.log10(fold_per_year)
    line = Line(slope=slope, intercept=0.0, slope_low=slope, slope_high=slope, slope_error=0.0, n=0, df=0, r2=None)
    return Decline(n=0, line=line, span_months=0.0, stated=True)


def price_on(line: Line, date_years: float) -> float | None:
    """What the line gives for a moment (in years, see `CalendarDate.years`), USD per million tokens."""
    return power_of_ten(line.intercept + line.slope * date_years)


def months_to_fall(powers_of_ten: float, slope: float) -> float | None:
    """How long a price takes to fall by so many powers of ten at `slope` a year; None: it never does."""
    if powers_of_ten <= 0:
        return 0.0
    return 12 * powers_of_ten / -slope if slope < 0 else None


def power_of_ten(exponent: float) -> float | None:
    return math.pow(10, exponent) if abs(exponent) < _HUGE else None


def _coordinates(steps: Sequence[Step]) -> tuple[list[float], list[float]]:
    return [step.date.years for step in steps], [math.log10(step.usd) for step in steps]


def _span(xs: Sequence[float]) -> float:
    return (max(xs) - min(xs)) * 12 if xs else 0.0


def _too_few(xs: Sequence[float]) -> str:
    if len(xs) < LEAST_POINTS:
        return f"too few points: {len(xs)}, and a line with an interval takes at least {LEAST_POINTS}"
    return f"all {len(xs)} points are of one date, which shows no movement"
