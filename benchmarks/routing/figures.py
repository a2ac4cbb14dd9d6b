"""Figures of routers on prompts with known outcomes, with intervals: AIQ, cost at a share of quality, APGR.

Intervals are those of a paired bootstrap over prompts, 95 %: the same prompts are drawn for all routers, so that what
is common to them cancels. Definitions: docs/routing.md; AIQ after RouterBench (arXiv 2403.12031), APGR and CPT after
RouteLLM (arXiv 2406.18665).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bascule.learned.hull import Hull, hull
from bascule.learned.outcomes import Floats, Outcomes
from bascule.learned.training import resampled
from benchmarks.routing.crossfit import CrossFitted, Curve, oracle

RESAMPLES = 500


@dataclass(frozen=True)
class Figure:
    """`value` None: never reached."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SetFigures:
    gain: Figure
    """AIQ less the zero router's."""
    closed: Figure
    """Of the way from the zero router's AIQ to the oracle's."""
    cost_at: dict[str, Figure]
    """Share of the best single model's quality to the share of its cost, on the router's hull."""
    zero_cost_at: dict[str, Figure]
    references: dict[str, Figure]
    """AIQ less the zero router's of simple routers."""
    chosen: dict[str, tuple[Figure, Figure]]
    """Share to (quality, cost), as shares of the best single model's, at the lambda that training chose."""
    zero_aiq: float
    oracle_aiq: float


def figures(made: CrossFitted, seed: int = 0) -> SetFigures:
    found, perfect = made.outcomes, oracle(made.outcomes)
    mean = found.cost_usd.mean(axis=0)
    best, cheapest = int(found.quality.mean(axis=0).argmax()), int(mean.argmin())

    def measured(weights: Floats) -> dict[str, float]:
        span = float(found.cost_usd[:, cheapest] @ weights), float(found.cost_usd[:, best] @ weights)
        top = float(found.quality[:, best] @ weights)
        lines = {name: _line(curve, weights) for name, curve in made.curves.items()}
        aiq = {name: line.mean(*span) for name, line in lines.items()}
        ideal = _line(perfect, weights).mean(*span)
        said = {"aiq zero": aiq["zero"], "aiq oracle": ideal, "gain": aiq["router"] - aiq["zero"]}
        said["closed"] = said["gain"] / (ideal - aiq["zero"])
        for name in lines:
            said[f"gain of {name}"] = aiq[name] - aiq["zero"]
        for share, (right, usd) in made.chosen.items():
            said[f"router at {share}"] = _cost(lines["router"], float(share) * top, span[1])
            said[f"zero at {share}"] = _cost(lines["zero"], float(share) * top, span[1])
            said[f"quality chosen {share}"] = float(right @ weights) / top
            said[f"cost chosen {share}"] = float(usd @ weights) / span[1]
        return said

    told = bootstrapped(measured, len(found.questions), seed)
    return SetFigures(
        gain=told["gain"],
        closed=told["closed"],
        cost_at={share: told[f"router at {share}"] for share in made.chosen},
        zero_cost_at={share: told[f"zero at {share}"] for share in made.chosen},
        references={name: told[f"gain of {name}"] for name in made.curves if name not in ("router", "zero")},
        chosen={share: (told[f"quality chosen {share}"], told[f"cost chosen {share}"]) for share in made.chosen},
        zero_aiq=told["aiq zero"].value or 0.0,
        oracle_aiq=told["aiq oracle"].value or 0.0,
    )


def bootstrapped(measured: Callable[[Floats], dict[str, float]], prompts: int, seed: int) -> dict[str, Figure]:
    """`measured` of all prompts alike, and between what bounds it lies where others of their kind had been asked."""
    whole = measured(np.full(prompts, 1 / prompts))
    draws = [measured(weights) for weights in resampled(prompts, RESAMPLES, seed)]
    return {name: _figure(value, [draw[name] for draw in draws]) for name, value in whole.items()}


def _figure(value: float, draws: Sequence[float]) -> Figure:
    low, high = np.quantile(np.array(draws), (0.025, 0.975), method="nearest")
    return Figure(_finite(value), _finite(float(low)), _finite(float(high)))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _line(curve: Curve, weights: Floats) -> Hull:
    return hull(zip((curve.cost_usd @ weights).tolist(), (curve.quality @ weights).tolist(), strict=True))


def _cost(line: Hull, quality: float, of_usd: float) -> float:
    usd = line.cost_of(quality)
    return float("inf") if usd is None else usd / of_usd


@dataclass(frozen=True)
class PairFigures:
    """Of two models: how much of the way from the weak one to the strong one, over shares of strong calls."""

    prompts: int
    apgr: Figure
    cpt50: Figure
    cpt80: Figure
    """The share of strong calls that covers 50 and 80 % of the way."""


def pair_figures(made: CrossFitted, rows: NDArray[np.bool_], seed: int = 0) -> PairFigures:
    """On those prompts for which `rows` is true, (prompts,). Raises ValueError for another number of models than 2."""
    found = made.outcomes
    if found.quality.shape[1] != 2:
        raise ValueError("APGR is defined for two models")
    strong = int(found.quality.mean(axis=0).argmax())
    asked = made.from_best[:, rows].astype(float)
    strong_right, weak_right = found.quality[rows, strong], found.quality[rows, 1 - strong]
    right = np.where(made.from_best[:, rows], strong_right, weak_right)

    def measured(weights: Floats) -> dict[str, float]:
        low, high = float(weak_right @ weights), float(strong_right @ weights)
        shares = np.concatenate([[0.0], asked @ weights, [1.0]])
        covered = np.concatenate([[0.0], (right @ weights - low) / (high - low), [1.0]])
        order = np.argsort(shares, kind="stable")
        shares, covered = shares[order], covered[order]
        return {
            "apgr": float(np.trapezoid(covered, shares)),
            "cpt50": _first(shares, covered, 0.5),
            "cpt80": _first(shares, covered, 0.8),
        }

    told = bootstrapped(measured, int(rows.sum()), seed)
    return PairFigures(int(rows.sum()), told["apgr"], told["cpt50"], told["cpt80"])


def _first(shares: Floats, covered: Floats, wanted: float) -> float:
    at = int(np.argmax(covered >= wanted))
    if at == 0:
        return float(shares[0])
    rise = covered[at] - covered[at - 1]
    return float(shares[at - 1] + (shares[at] - shares[at - 1]) * (wanted - covered[at - 1]) / rise)


def best_single(found: Outcomes) -> str:
    return found.questions.models[int(found.quality.mean(axis=0).argmax())]
