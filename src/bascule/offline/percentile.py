"""Percentiles by nearest rank: always one of the values, never a number in between."""

from collections.abc import Sequence


def percentile(ascending: Sequence[int], percent: int) -> int | None:
    """The smallest value that at least `percent` per cent of the values do not exceed; None without values.

    `ascending` is sorted. Hyndman and Fan's definition 1 ("Sample Quantiles in Statistical Packages", 1996).
    """
    if not ascending:
        return None
    rank = -(-len(ascending) * percent // 100)
    return ascending[max(rank, 1) - 1]


def share(part: int, whole: int) -> float | None:
    """`part` of `whole` to six places; None where there is no whole."""
    return round(part / whole, 6) if whole else None
