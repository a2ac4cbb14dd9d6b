"""How much runs of the same work differ: cost per run at p10, p50 and p90.

A run is a session. The same agent on the same task can cost many times as much from one run to the next, so a mean
says little and the spread (p90 / p10) says how little.
"""

from collections.abc import Iterable

from msgspec import Struct

from bascule.offline.percentile import percentile


class Spread(Struct, frozen=True, kw_only=True):
    """Cost of runs. Money in nano-USD."""

    runs: int
    p10_nanousd: int | None
    p50_nanousd: int | None
    p90_nanousd: int | None
    p90_over_p10: float | None
    """None with fewer than two runs, or where the tenth percentile costs nothing."""


def spread(costs_nanousd: Iterable[int]) -> Spread:
    """The spread of runs' costs; each cost is one run's whole sum."""
    ascending = sorted(costs_nanousd)
    p10, p90 = percentile(ascending, 10), percentile(ascending, 90)
    told = len(ascending) >= 2 and p10 is not None and p90 is not None and p10 > 0
    return Spread(
        runs=len(ascending),
        p10_nanousd=p10,
        p50_nanousd=percentile(ascending, 50),
        p90_nanousd=p90,
        p90_over_p10=round(p90 / p10, 3) if told and p10 and p90 is not None else None,
    )
