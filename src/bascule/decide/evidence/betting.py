"""May a challenger be promoted? A test of paired differences that may be looked at after every observation.

The null hypothesis says that the mean of the next difference, given all before, is at most `null` (in [-1, 1]). A
gambler who starts with 1 and stakes a share of the capital on each difference being larger cannot expect to gain while
it holds; so the chance that the capital ever reaches 1/alpha is at most alpha, however often one looks (Ville, 1939).
The stakes are those of Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (JRSS B
86(1), 2024): half of the capital follows a predictable plug-in, which is the near log-optimal stake where the
true mean is `target`, given the spread that was seen so far; half is spread over constant stakes, each half the one
before, for a truth that lies elsewhere. Any mixture of stakes that do not look ahead keeps the guarantee.
"""

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

_BOLDEST = 0.9
"""Of the largest stake that cannot be lost more than whole."""
_STEADY = tuple([0.5**halving for halving in range(7)])
"""The constant stakes, as shares of the boldest."""
_ADAPTIVE_SHARE = 0.5
_PRIOR_PAIRS = 10.0
_PRIOR_VARIANCE = 0.25
"""Of differences before any was seen: every fourth pair is decided for one side."""
_PRECISION = 1e-5
_MOST = 1e200
"""Where capital stops growing, long after the question is decided, so that it stays a number."""


class Bets(Struct, frozen=True):
    """What is tested: the mean is at most `null`. Growth is fastest where it is `target`. Both in (-1, 1)."""

    null: float
    target: float = 0.0

    def __post_init__(self) -> None:
        if not -1.0 < self.null < self.target < 1.0:
            raise ValueError(f"a null of {self.null} does not lie below {self.target}, both between -1 and 1")


class Capital(Struct, frozen=True):
    """What the gambler has after `count` differences; `Capital()` is the start."""

    count: int = 0
    adaptive: float = 1.0
    steady: tuple[float, ...] = (1.0,) * len(_STEADY)
    total: float = 0.0
    """Sum of the differences."""
    squares: float = 0.0
    """Sum of their squares."""

    @property
    def e_value(self) -> float:
        """The capital in all: evidence against the null. 20 is what a test at 5 % asks for."""
        return _ADAPTIVE_SHARE * self.adaptive + (1.0 - _ADAPTIVE_SHARE) * sum(self.steady) / len(_STEADY)

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None


def observed(before: Capital, difference: float, bets: Bets) -> Capital:
    """The capital after one more difference (challenger less incumbent, in [-1, 1]). Raises ValueError outside."""
    if not -1.0 <= difference <= 1.0:  # NaN, too, is not between
        raise ValueError(f"a difference of qualities lies between -1 and 1, not {difference}")
    gain = difference - bets.null
    boldest = gain * _BOLDEST / (1.0 + bets.null)
    return Capital(
        count=before.count + 1,
        adaptive=min(_MOST, before.adaptive * (1.0 + _plug_in(before, bets) * gain)),
        steady=tuple([min(_MOST, one * (1.0 + boldest * _STEADY[at])) for at, one in enumerate(before.steady)]),
        total=before.total + difference,
        squares=before.squares + difference * difference,
    )


def observed_all(differences: Iterable[float], bets: Bets) -> Capital:
    """The capital after these differences, in this order."""
    capital = Capital()
    for difference in differences:
        capital = observed(capital, difference, bets)
    return capital


def _plug_in(before: Capital, bets: Bets) -> float:
    """Gap over second moment around the null: the stake that maximises expected log growth to second order."""
    gap = bets.target - bets.null
    seen = before.squares - 2 * bets.null * before.total + before.count * bets.null * bets.null
    moment = (_PRIOR_PAIRS * (_PRIOR_VARIANCE + gap * gap) + seen) / (_PRIOR_PAIRS + before.count)
    return min(_BOLDEST / (1.0 + bets.null), gap / moment)


def lower_mean(values: Sequence[float], alpha: float) -> float:
    """A bound under which the mean of values in [-1, 1], drawn alike, does not lie, but with probability `alpha`.

    The largest null that the capital of these values refutes, at stakes for a sample of this size that look only back
    (the predictable plug-in of the paper above). -1.0 where nothing is refuted: so few values tell nothing.
    """
    stakes = _stakes(values, alpha)
    low, high = -1.0, 1.0
    while high - low > _PRECISION:
        null = (low + high) / 2
        capital = 1.0
        for value, stake in zip(values, stakes, strict=True):
            capital = min(_MOST, capital * (1.0 + min(stake, _BOLDEST / (1.0 + null)) * (value - null)))
        low, high = (null, high) if capital >= 1 / alpha else (low, null)
    return low


def upper_mean(values: Sequence[float], alpha: float) -> float:
    """The same from above; 1.0 where nothing is refuted."""
    return -lower_mean([-value for value in values], alpha)


def _stakes(values: Sequence[float], alpha: float) -> list[float]:
    total, spread, stakes = 0.0, _PRIOR_VARIANCE, []
    for count, value in enumerate(values, 1):
        stakes.append(math.sqrt(2 * math.log(1 / alpha) * count / (len(values) * spread)))
        total += value
        spread += (value - total / (count + 1)) ** 2
    return stakes
