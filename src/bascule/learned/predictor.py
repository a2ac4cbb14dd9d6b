"""Quality and cost of every way to answer, for prompts not seen before: ridge and label means, blended.

Label means carry most of what can be known (which task it is), ridge adds the prompt itself; together they beat each
alone on every set measured. A task with many prompts also gets a ridge of its own, for what makes a prompt hard is not
the same in every task. k nearest neighbours added nothing beside the two and cost most of the time, so there are none
(docs/routing.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bascule.learned import labels, ridge
from bascule.learned.features import Seen
from bascule.learned.outcomes import Floats, Ints
from bascule.learned.ridge import Ridge

_RIDGE_SHARE = 2 / 3
_OWN_SHARE, _OWN_SHARE_OF_TWO = 0.25, 0.5
"""Of a task's own ridge: the more models the best is chosen among, the more its noise counts."""
LEAST_OWN = 300
"""Prompts of a task before it has a ridge of its own."""
_LEAST_COST = 0.1
"""Of a way's mean cost: no prompt is expected to be cheaper than that."""


@dataclass(frozen=True)
class Expected:
    """(prompts, ways) each; cost in USD."""

    quality: Floats
    cost_usd: Floats


@dataclass(frozen=True)
class Predictor:
    ridge: Ridge
    by_label: labels.LabelMeans
    mean_cost_usd: Floats
    """(ways,)"""
    own: Mapping[str, Ridge]
    """By label; of meaning and surface only."""
    own_share: float

    def __call__(self, seen: Seen) -> Expected:
        blended = _RIDGE_SHARE * self.ridge(seen) + (1 - _RIDGE_SHARE) * self.by_label(seen.labels)
        labels = np.array(seen.labels)
        for label, fitted_to in self.own.items():
            rows = np.flatnonzero(labels == label)
            if len(rows):
                blended[rows] += self.own_share * (fitted_to(seen.only(rows).without_words()) - blended[rows])
        ways = len(self.mean_cost_usd)
        quality, ratio = blended[:, :ways], blended[:, ways:]
        return Expected(np.clip(quality, 0.0, 1.0), np.maximum(ratio, _LEAST_COST) * self.mean_cost_usd)


def fitted(seen: Seen, quality: Floats, cost_usd: Floats, models: int | None = None) -> Predictor:
    """From outcomes (prompts, ways). Costs are learned as multiples of each way's mean, which may be 0. `models`: how
    many of the ways are models alone; all where it is left out."""
    mean_cost = cost_usd.mean(axis=0)
    ratio = cost_usd / np.where(mean_cost > 0, mean_cost, 1.0)
    both = np.hstack([quality, ratio])
    own = {}
    names = np.array(seen.labels)
    for label in sorted(set(seen.labels)):
        rows = np.flatnonzero(names == label)
        if len(rows) >= LEAST_OWN:
            own[label] = ridge.fitted(seen.only(rows).without_words(), [quality[rows], ratio[rows]])
    return Predictor(
        ridge.fitted(seen, [quality, ratio]),
        labels.fitted(seen.labels, both),
        mean_cost,
        own,
        _OWN_SHARE_OF_TWO if (models or quality.shape[1]) == 2 else _OWN_SHARE,
    )


def out_of_fold(seen: Seen, quality: Floats, cost_usd: Floats, fold_of: Ints) -> Expected:
    """Each prompt predicted by what was fitted without its fold."""
    made = Expected(np.empty_like(quality), np.empty_like(cost_usd))
    for fold in np.unique(fold_of):
        inside, outside = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        found = fitted(seen.only(inside), quality[inside], cost_usd[inside])(seen.only(outside))
        made.quality[outside], made.cost_usd[outside] = found.quality, found.cost_usd
    return made


def folds(prompts: tuple[str, ...], count: int, seed: int) -> Ints:
    """A fold of each prompt; equal texts are in one, so that none is tested by itself."""
    texts, of = np.unique(np.array(prompts), return_inverse=True)
    return np.asarray(np.random.default_rng(seed).permutation(len(texts))[of] % count, np.int64)
