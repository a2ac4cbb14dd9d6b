"""What a mean, and a difference between two models on the same cases, are worth. Pure; no seed, nothing is drawn.

Right-or-wrong scores: Wilson's interval for one share (Wilson 1927), Newcombe's method 10 for the difference of two
shares of the same cases (Newcombe 1998, Statistics in Medicine 17:2635), McNemar's exact test on the cases where they
differ.

Any other score from 0 to 1: the betting interval of Waudby-Smith and Ramdas (2024, JRSS B 86:1, theorem 3), which
holds for every distribution and every number of cases. It is wider than a bootstrap's, whose coverage is too small
where cases are few, and which calls twenty equal scores a certainty.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from msgspec import Struct

from bascule.decide.evidence.betting import lower_mean, upper_mean

LEVEL = 0.95
"""Of two-sided intervals; each side alone is exceeded with (1 - LEVEL) / 2."""
ONE_SIDED = 0.95
"""Of the bounds that decisions hang on."""
POWER = 0.8
_MIXING = 0.618
_SIZES = (50, 100, 200, 400, 800, 1_600, 3_200)


class Estimate(Struct, frozen=True, kw_only=True):
    """A mean with its interval."""

    mean: float
    low: float
    high: float
    cases: int


class Difference(Struct, frozen=True, kw_only=True):
    """Second minus first, on the same cases; from -1 to 1."""

    mean: float
    low: float
    """Ends of the two-sided interval."""
    high: float
    at_least: float
    """One-sided bounds: with 95 in 100 the true difference is not below, or not above."""
    at_most: float
    cases: int
    better: int
    """Cases in which the second has the higher score."""
    worse: int
    p_value: float | None
    """McNemar's exact one: how often so uneven a split of `better` and `worse` would come about by chance, were the two
    equally good. None where scores are no right-or-wrong, or the two differ nowhere."""
    deviation: float
    """Standard deviation of the differences."""
    binary: bool
    """Of right-or-wrong scores."""
    gains: tuple[float, ...]
    """Case by case."""


def mean_of(scores: Sequence[float]) -> Estimate | None:
    """None of no scores."""
    if not scores:
        return None
    mean = sum(scores) / len(scores)
    alpha = (1 - LEVEL) / 2
    if _is_binary(scores):
        low, high = wilson(round(sum(scores)), len(scores), _z(1 - alpha))
    else:
        low, high = _share_bounds(scores, alpha)
    return Estimate(mean=mean, low=min(low, mean), high=max(high, mean), cases=len(scores))


def lowest(scores: Sequence[float]) -> float:
    """The mean's one-sided lower bound: with 95 in 100 the true one is not below. 0 of no scores."""
    if not scores:
        return 0.0
    alpha = 1 - ONE_SIDED
    if _is_binary(scores):
        return wilson(round(sum(scores)), len(scores), _z(1 - alpha))[0]
    return _share_bounds(scores, alpha)[0]


def difference(first: Sequence[float], second: Sequence[float]) -> Difference | None:
    """The same cases in the same order. None of no cases. Raises ValueError where the two are not of one length."""
    pairs = list(zip(first, second, strict=True))
    if not pairs:
        return None
    gains = [after - before for before, after in pairs]
    mean = sum(gains) / len(gains)
    better, worse = sum([gain > 0 for gain in gains]), sum([gain < 0 for gain in gains])
    binary = _is_binary(first) and _is_binary(second)
    deviation = math.sqrt(sum([(gain - mean) ** 2 for gain in gains]) / len(gains))
    two, one = (1 - LEVEL) / 2, 1 - ONE_SIDED
    if binary:
        low, high = newcombe(pairs, _z(1 - two))
        at_least, at_most = newcombe(pairs, _z(1 - one))
    else:
        low, high = _bounds(gains, two)
        at_least, at_most = _bounds(gains, one)
    return Difference(
        mean=mean,
        low=low,
        high=high,
        at_least=at_least,
        at_most=at_most,
        cases=len(pairs),
        better=better,
        worse=worse,
        p_value=mcnemar(better, worse) if binary and better + worse else None,
        deviation=deviation,
        binary=binary,
        gains=tuple(gains),
    )


def wilson(good: int, cases: int, z: float) -> tuple[float, float]:
    """The interval of a share. (0, 1) of no cases."""
    if not cases:
        return 0.0, 1.0
    share, square = good / cases, z * z
    middle = (share + square / (2 * cases)) / (1 + square / cases)
    half = z * math.sqrt(share * (1 - share) / cases + square / (4 * cases * cases)) / (1 + square / cases)
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(pairs: Sequence[tuple[float, float]], z: float) -> tuple[float, float]:
    """The interval of a difference of two shares of the same cases, second minus first; pairs of 0 and 1."""
    cases = len(pairs)
    both = sum([before == after == 1 for before, after in pairs])
    neither = sum([before == after == 0 for before, after in pairs])
    lost = sum([before > after for before, after in pairs])
    won = sum([after > before for before, after in pairs])
    before, after = (both + lost) / cases, (both + won) / cases
    before_low, before_high = wilson(both + lost, cases, z)
    after_low, after_high = wilson(both + won, cases, z)
    tie = _correlation(both, won, lost, neither)
    down, up = after - after_low, before_high - before
    delta = math.sqrt(max(0.0, down * down - 2 * tie * down * up + up * up))
    rise, drop = after_high - after, before - before_low
    epsilon = math.sqrt(max(0.0, rise * rise - 2 * tie * rise * drop + drop * drop))
    return max(-1.0, after - before - delta), min(1.0, after - before + epsilon)


def _correlation(both: int, won: int, lost: int, neither: int) -> float:
    """Phi, corrected for continuity as Newcombe has it."""
    margins = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    if not margins:
        return 0.0
    cross: float = both * neither - won * lost
    if cross > 0:
        cross = max(0.0, cross - (both + won + lost + neither) / 2)
    return cross / math.sqrt(margins)


def mcnemar(better: int, worse: int) -> float:
    """Two-sided, exact: the binomial test of `better` against `worse` at one half."""
    differ = better + worse
    tail = sum([math.comb(differ, count) for count in range(min(better, worse) + 1)])
    return float(min(1.0, 2 * tail / 2**differ))


def cases_needed(found: Difference, gap: float) -> int | None:
    """How many cases like these show, with a power of 80 %, that a difference is on one side of a line that it lies
    `gap` away from. None where the gap is 0 or less: no number of cases is enough.

    Differences that were all equal are no proof that all are: at least as much spread as one more differing case.
    """
    if gap <= 0:
        return None
    deviation = max(found.deviation, 1 / math.sqrt(found.cases))
    return min(
        [
            max(size, math.ceil(((max(reach, deviation) + _z(POWER) * deviation) / gap) ** 2))
            for size, reach in reaches(found)
        ]
    )


def reaches(found: Difference) -> tuple[tuple[int, float], ...]:
    """How far a one-sided bound lies from the mean of so many such cases, or more, times the root of their number.

    The betting bound takes its stakes from what it has seen and so reaches further where that is little: it is asked of
    the same gains again and again, in an order that mixes them.
    """
    if found.binary:
        return ((1, _z(ONE_SIDED) * found.deviation),)
    count = found.cases
    stride = next(step for step in range(round(count * _MIXING) or 1, 2 * count + 1) if math.gcd(step, count) == 1)
    made = []
    for size in _SIZES:
        many = [found.gains[place * stride % count] for place in range(size)]
        bound = lower_mean(many, 1 - ONE_SIDED)
        made.append((size, (sum(many) / size - bound) * math.sqrt(size)))
    return tuple(made)


def _bounds(gains: Sequence[float], alpha: float) -> tuple[float, float]:
    """One-sided bounds of a mean of values from -1 to 1, each exceeded with `alpha`."""
    return lower_mean(gains, alpha), upper_mean(gains, alpha)


def _share_bounds(scores: Sequence[float], alpha: float) -> tuple[float, float]:
    """The same of values from 0 to 1."""
    low, high = _bounds([2 * score - 1 for score in scores], alpha)
    return (low + 1) / 2, (high + 1) / 2


def _is_binary(scores: Sequence[float]) -> bool:
    return all(score in (0, 1) for score in scores)


def _z(level: float) -> float:
    return NormalDist().inv_cdf(level)
