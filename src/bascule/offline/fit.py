"""Straight lines through points by ordinary least squares, with the interval of the slope.

Formulas: Draper and Smith, Applied Regression Analysis, 3rd ed., chapter 1. The t quantile is found by bisection on
the exact distribution function, I_x(df/2, 1/2) with x = df / (df + t^2) (Abramowitz and Stegun 26.5.27 and 26.7.1);
the incomplete beta function is its continued fraction (DLMF 8.17.22), evaluated by Lentz' method as in Press et al.,
Numerical Recipes, 3rd ed., section 6.4. Tests compare it with the printed tables.
"""

import math
from collections.abc import Sequence

from msgspec import Struct

CONFIDENCE = 0.95
LEAST_POINTS = 3
"""A line through two points leaves nothing to judge it by."""

_STEPS = 300
_TINY = 1e-300
_EPSILON = 1e-15


class Line(Struct, frozen=True, kw_only=True):
    """y = intercept + slope * x, with what is known of the slope."""

    slope: float
    intercept: float
    """At x = 0; of the first group where there are several."""
    slope_low: float
    slope_high: float
    """The interval at `CONFIDENCE`, errors taken to be independent and normal."""
    slope_error: float
    """Standard error."""
    n: int
    df: int
    r2: float | None
    """None where all y are the same: there is nothing to explain."""


def fit_line(xs: Sequence[float], ys: Sequence[float]) -> Line | None:
    """The line of least squares; None with fewer than three points or without spread in x."""
    return fit_lines([(xs, ys)])


def fit_lines(groups: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Line | None:
    """One slope for several groups that each have a level of their own (analysis of covariance).

    Groups of a single point say nothing about a slope and are left out. `r2` is the share of what is left within
    the groups. None where fewer than one degree of freedom remains.
    """
    used = [(xs, ys) for xs, ys in groups if len(xs) > 1]
    n = sum([len(xs) for xs, _ in used])
    df = n - len(used) - 1
    if df < 1:
        return None
    sxx = sxy = syy = 0.0
    for xs, ys in used:
        mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
        sxx += math.fsum([(x - mean_x) ** 2 for x in xs])
        sxy += math.fsum([(x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)])
        syy += math.fsum([(y - mean_y) ** 2 for y in ys])
    if sxx == 0:
        return None
    slope = sxy / sxx
    unexplained = max(syy - slope * sxy, 0.0)
    if unexplained < syy * 1e-14:
        unexplained = 0.0  # rounding, not scatter
    error = math.sqrt(unexplained / df / sxx)
    reach = t_quantile(0.5 + CONFIDENCE / 2, df) * error
    first_x, first_y = used[0]
    return Line(
        slope=slope,
        intercept=math.fsum(first_y) / len(first_y) - slope * math.fsum(first_x) / len(first_x),
        slope_low=slope - reach,
        slope_high=slope + reach,
        slope_error=error,
        n=n,
        df=df,
        r2=None if syy == 0 else 1 - unexplained / syy,
    )


def t_quantile(p: float, df: int) -> float:
    """Student's t with `df` degrees of freedom: the value that a share `p` of it does not exceed; 0 < p < 1."""
    if not 0 < p < 1 or df < 1:
        raise ValueError(f"no quantile {p} of Student's t with {df} degrees of freedom")
    if p < 0.5:
        return -t_quantile(1 - p, df)
    low, high = 0.0, 1.0
    while t_share(high, df) < p:
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if t_share(middle, df) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_share(t: float, df: int) -> float:
    """Student's distribution function: the share of it that does not exceed `t`."""
    tail = 0.5 * incomplete_beta(df / (df + t * t), df / 2, 0.5)
    return tail if t < 0 else 1 - tail


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(scale) * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, two terms a turn."""
    c = 1.0
    d = 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _EPSILON:
            return value
    raise ArithmeticError(f"I_{x}({a}, {b}) did not converge in {_STEPS} steps")


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
