"""The mean difference with an interval, for people to read.

An asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory
and asymptotic confidence sequences", Annals of Statistics 52(6), 2024): good at every look together, once some dozens
were observed. It decides nothing: the tests do, which need no such approximation.
"""

import math

_LEAST = 20
_TIGHTEST = 300.0
"""Observations at which the interval is at its tightest for what it costs."""


def interval(count: int, total: float, squares: float, alpha: float = 0.05) -> tuple[float, float] | None:
    """Both ends for the mean of differences with this sum and sum of squares, at confidence 1 - `alpha`.

    None where too few were seen.
    """
    if count < _LEAST:
        return None
    mean = total / count
    # As if one pair had been decided: where all were equal, that is not yet certainty.
    variance = max(0.0, squares / count - mean * mean) + 1 / count
    scale = (2 * math.log(1 / alpha) + math.log(1 + 2 * math.log(1 / alpha))) / _TIGHTEST
    inside = (count * scale + 1) / (count * count * scale) * 2 * math.log(math.sqrt(count * scale + 1) / alpha)
    reach = math.sqrt(variance * inside)
    return max(-1.0, mean - reach), min(1.0, mean + reach)
