"""Areas under quality over cost: AIQ (RouterBench, arXiv 2403.12031), cost at a share of the best model's quality."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bascule.learned.outcomes import Floats


@dataclass(frozen=True)
class Hull:
    """The concave, never falling line over points (cost, quality): mixing neighbouring points by a coin reaches it."""

    cost: Floats
    quality: Floats

    def mean(self, low: float, high: float) -> float:
        """Quality averaged over budgets from `low` to `high` (AIQ). Below the first point it is that point's."""
        if high <= low:
            return float(np.interp(high, self.cost, self.quality))
        inside = self.cost[(self.cost > low) & (self.cost < high)]
        budgets = np.concatenate([[low], inside, [high]])
        return float(np.trapezoid(np.interp(budgets, self.cost, self.quality), budgets) / (high - low))

    def cost_of(self, quality: float) -> float | None:
        """The least mean cost at which this quality is reached; None where it never is."""
        if self.quality[-1] < quality:
            return None
        return float(np.interp(quality, self.quality, self.cost))


def hull(points: Iterable[tuple[float, float]]) -> Hull:
    """Of (cost, quality) points, at least one."""
    kept: list[tuple[float, float]] = []
    for cost, quality in sorted(points, key=lambda point: (point[0], -point[1])):
        if kept and quality <= kept[-1][1]:
            continue
        while len(kept) >= 2 and _below(kept[-2], kept[-1], (cost, quality)):
            kept.pop()
        kept.append((cost, quality))
    return Hull(np.array([cost for cost, _ in kept]), np.array([quality for _, quality in kept]))


def _below(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    rise = (middle[1] - first[1]) * (last[0] - first[0])
    return rise <= (last[1] - first[1]) * (middle[0] - first[0])
