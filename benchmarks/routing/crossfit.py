"""A set of outcomes in five folds: each prompt is decided on by what was trained without it, as `router train` does it.

Operating points are chosen by the training inside a fold, and prompts of the same text are in the same fold. Folds are
run side by side, each in a process of its own.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bascule.learned import labels, outcomes, predictor
from bascule.learned.embedder import Embedder
from bascule.learned.features import Seen, see
from bascule.learned.outcomes import Floats, Ints, Outcomes
from bascule.learned.policy import LAMBDAS, Policy, came_of, decided, means_of
from bascule.learned.training import SHARES, Trained, run, trained

FOLDS = 5
NEIGHBOURS = 100
_PROCESSES = 2


@dataclass(frozen=True)
class Curve:
    """What came of a router at each lambda; (lambdas, prompts) each."""

    quality: Floats
    cost_usd: Floats


@dataclass(frozen=True)
class CrossFitted:
    """All prompts of a set, in the order of `outcomes`, each as it was when its fold was kept out."""

    outcomes: Outcomes
    curves: dict[str, Curve]
    """By name: `router`, `zero`, and the references."""
    from_best: NDArray[np.bool_]
    """(lambdas, prompts): whether the answer is the best single model's, where calls are weighed and not their cost."""
    chosen: dict[str, tuple[Floats, Floats]]
    """Share of the best model's quality to (quality, cost in USD) of each prompt at the lambda that training chose."""
    kinds: tuple[str, ...]
    """Of each fold's policy."""


@dataclass(frozen=True)
class _Fold:
    rows: Ints
    curves: dict[str, Curve]
    from_best: NDArray[np.bool_]
    chosen: dict[str, tuple[Floats, Floats]]
    kind: str


def read(folder: Path, name: str) -> tuple[Outcomes, Seen]:
    """Raises BadOutcomes."""
    found = outcomes.read(folder, name)
    return found, see(found.questions.prompts, found.questions.labels, Embedder())


def crossfitted(found: Outcomes, seen: Seen, seed: int, tell: Callable[[], None] = lambda: None) -> CrossFitted:
    fold_of = predictor.folds(found.questions.prompts, FOLDS, seed)
    # Spawned, so that no thread of a linear algebra library is copied half way through its work.
    with ProcessPoolExecutor(_PROCESSES, multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(_fold, found, seen, np.flatnonzero(fold_of == fold), seed) for fold in range(FOLDS)]
        folds = []
        for one in running:
            folds.append(one.result())
            tell()
    return _joined(found, folds)


def _fold(found: Outcomes, seen: Seen, rows: Ints, seed: int) -> _Fold:
    inside = np.setdiff1d(np.arange(len(seen)), rows)
    within, tested, shown = found.only(inside), found.only(rows), seen.only(rows)
    made = trained(within, seen.only(inside), seed)
    policy, prices = made.policy, LAMBDAS
    steps = list(decided(policy, tested.questions, shown, prices))
    pair = len(tested.questions.models) == 2
    by_calls = list(decided(policy, tested.questions, shown, prices, by_calls=True)) if pair else steps
    right, usd = [np.array(each) for each in zip(*[came_of(step, policy, tested) for step in steps], strict=True)]
    curves = {"router": Curve(right, usd), "zero": Curve(*run(Policy(policy.means), tested, shown))}
    for name, quality, cost in references(within, seen.only(inside), shown):
        curves[name] = chosen_by(quality, cost, tested, policy.means.unit_usd)
    best = np.array([step.answer_from == policy.means.best for step in by_calls])
    chosen = {share: (right[at], usd[at]) for share, at in _points(made).items()}
    return _Fold(rows, curves, best, chosen, policy.kind)


def _points(made: Trained) -> dict[str, int]:
    """The lambda that training chose for each share; where it found none, quality alone."""
    gain = next((gain for gain in made.gains if gain.kind == made.policy.kind), None)
    prices = gain.price_at if gain is not None else {}
    return {str(share): LAMBDAS.index(prices.get(str(share)) or 0.0) for share in SHARES}


def references(within: Outcomes, known: Seen, shown: Seen) -> list[tuple[str, Floats, Floats]]:
    """(name, predicted quality, predicted cost in USD) of simple routers over single models; (prompts, models) each."""
    both = np.hstack([within.quality, within.cost_usd])
    models = within.quality.shape[1]
    by_label = labels.fitted(known.labels, both)(shown.labels)
    alike = shown.meaning @ known.meaning.T
    count = min(NEIGHBOURS, len(known) - 1)
    nearest = np.argpartition(-alike, count, axis=1)[:, :count]
    by_neighbours = np.array([both[near].mean(axis=0) for near in nearest])
    return [
        ("task label alone", by_label[:, :models], by_label[:, models:]),
        (f"{NEIGHBOURS} nearest neighbours", by_neighbours[:, :models], by_neighbours[:, models:]),
    ]


def chosen_by(quality: Floats, cost_usd: Floats, tested: Outcomes, unit_usd: float) -> Curve:
    """The curve of choosing one model for each prompt by such predictions."""
    rows = np.arange(len(quality))
    ways = [
        (quality - price * cost_usd / unit_usd).argmax(axis=1)
        if np.isfinite(price)
        else np.full(len(rows), tested.cost_usd.mean(axis=0).argmin())
        for price in LAMBDAS
    ]
    return Curve(
        np.array([tested.quality[rows, way] for way in ways]), np.array([tested.cost_usd[rows, way] for way in ways])
    )


def oracle(found: Outcomes) -> Curve:
    """Of knowing beforehand which model is right: a bound that counts lucky guesses."""
    return chosen_by(found.quality, found.cost_usd, found, means_of(found).unit_usd)


def _joined(found: Outcomes, folds: Sequence[_Fold]) -> CrossFitted:
    order = np.argsort(np.concatenate([fold.rows for fold in folds]))

    def all_of(parts: list[Floats]) -> Floats:
        return np.concatenate(parts, axis=-1)[..., order]

    names = folds[0].curves
    return CrossFitted(
        outcomes=found,
        curves={
            name: Curve(
                all_of([fold.curves[name].quality for fold in folds]),
                all_of([fold.curves[name].cost_usd for fold in folds]),
            )
            for name in names
        },
        from_best=np.concatenate([fold.from_best for fold in folds], axis=-1)[..., order],
        chosen={
            share: (
                all_of([fold.chosen[share][0] for fold in folds]),
                all_of([fold.chosen[share][1] for fold in folds]),
            )
            for share in folds[0].chosen
        },
        kinds=tuple([fold.kind for fold in folds]),
    )
