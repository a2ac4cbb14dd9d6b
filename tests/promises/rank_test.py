"""The Mann-Whitney test: do two samples come from the same distribution?"""

from collections import Counter
from collections.abc import Sequence
from math import erfc, sqrt


def mann_whitney_p(one: Sequence[float], other: Sequence[float]) -> float:
    """Two-sided p by the normal approximation, with the correction for ties; for samples of 20 and more."""
    pooled = sorted([*one, *other])
    size = len(pooled)
    rank_of: dict[float, float] = {}
    first = 0
    while first < size:
        last = first
        while last + 1 < size and pooled[last + 1] == pooled[first]:
            last += 1
        rank_of[pooled[first]] = (first + last) / 2 + 1
        first = last + 1
    n, m = len(one), len(other)
    u = sum(rank_of[value] for value in one) - n * (n + 1) / 2
    ties = sum(count**3 - count for count in Counter(pooled).values())
    variance = n * m / 12 * (size + 1 - ties / (size * (size - 1)))
    if variance == 0:
        return 1.0
    z = (abs(u - n * m / 2) - 0.5) / sqrt(variance)
    return min(1.0, erfc(z / sqrt(2)))
