"""Intervals of shares: the beta distribution, without a library of statistics.

The regularised incomplete beta function by its continued fraction (Lentz's method; Press et al., "Numerical Recipes",
section 6.4), its inverse by bisection, and from it the exact binomial interval of Clopper and Pearson (Biometrika 26,
1934) and Student's t.
"""

import math

_TINY = 1e-300
_PRECISION = 1e-13
_MOST_TERMS = 100_000


def beta_cdf(x: float, a: float, b: float) -> float:
    """P(X <= x) for X ~ Beta(a, b); a, b > 0. Exact to about 1e-11."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # The fraction converges fast on this side of the mean only; on the other, mirror.
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 / _not_zero(1.0 + even * d)
        c = _not_zero(1.0 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 / _not_zero(1.0 + odd * d)
        c = _not_zero(1.0 + odd / c)
        step = d * c
        value *= step
        if abs(step - 1.0) < _PRECISION:
            return value
    raise ArithmeticError(f"the incomplete beta function of {x}, {a}, {b} does not converge")


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with P(X <= x) = p for X ~ Beta(a, b)."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact two-sided interval of a share; (0, 1) where nothing was tried."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no share")
    tail = (1.0 - confidence) / 2
    low = beta_quantile(tail, successes, trials - successes + 1) if successes else 0.0
    high = beta_quantile(1.0 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return low, high


def upper_share(successes: int, trials: int, confidence: float = 0.95) -> float:
    """The exact one-sided upper bound of a share (Clopper-Pearson); 1.0 where nothing was tried."""
    return clopper_pearson(successes, trials, 2 * confidence - 1.0)[1]


def student_quantile(p: float, degrees: float) -> float:
    """The t with P(T <= t) = p for Student's T with so many degrees of freedom, by T² as a ratio of beta variables."""
    if p < 0.5:
        return -student_quantile(1.0 - p, degrees)
    share = beta_quantile(2 * p - 1.0, 0.5, degrees / 2)
    return math.sqrt(degrees * share / (1.0 - share))
