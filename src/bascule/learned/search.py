"""Which chains are worth offering: beam search on training prompts, at prices of quality from dear to cheap."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bascule.learned.chains import Chain, traced
from bascule.learned.outcomes import NO_ANSWER, Floats, Outcomes
from bascule.learned.voting import Confidence, calibrated, counted

LONGEST = 5
WIDTH = 6
"""Chains that are extended at each length."""
PRICES = (0.01, 0.03, 0.06, 0.1, 0.16, 0.25, 0.4, 0.7, 1.2)
"""Lambda: how much quality a best model's mean cost is worth."""
SURE = (0.5, 0.6, 0.7, 0.75, 0.8, 0.84, 0.87, 0.9, 0.92, 0.94, 0.96, 0.98)
_MOST_PROMPTS = 3_000
_LEAST_PROMPTS = 300
"""Of a label that gets a search of its own."""
_SAMPLED_CHAINS = 80
_EMPTY = 0.2
"""A model that answers more of its prompts with nothing comparable votes in no chain."""
MOST_MODELS = 14


def comparable(outcomes: Outcomes) -> list[int]:
    """Models that may stand in chains: whose answers can be compared, the best for their price first."""
    empty = (outcomes.questions.answers == NO_ANSWER).mean(axis=0)
    quality, cost = outcomes.quality.mean(axis=0), outcomes.cost_usd.mean(axis=0)
    error = np.sqrt(quality * (1 - quality) / len(outcomes.questions))
    usable = [model for model in range(len(quality)) if empty[model] <= _EMPTY]

    def behind(model: int) -> float:
        """By how many errors a cheaper one is better: noise alone puts a model behind by one or two."""
        cheaper = [one for one in usable if cost[one] <= cost[model]]
        return max(float(quality[one] - quality[model]) / max(float(error[model]), 1e-9) for one in cheaper)

    return sorted(usable, key=lambda model: (behind(model), cost[model]))[:MOST_MODELS]


def confidence_of(outcomes: Outcomes, quality: Floats, models: list[int], seed: int) -> Confidence:
    """Calibrated on the states that random chains of these models go through; `quality` out of fold."""
    random = np.random.default_rng(seed)
    features, right = [], []
    prompts = min(len(outcomes.questions), 1_500)
    for _ in range(_SAMPLED_CHAINS):
        chain = random.permutation(models)[: random.integers(1, min(LONGEST, len(models)) + 1)]
        rows = random.permutation(len(outcomes.questions))[:prompts]
        picked = np.ix_(rows, chain)
        votes = counted(outcomes.questions.answers[picked], quality[picked])
        led = np.take_along_axis(outcomes.quality[picked], votes.leader, axis=1)
        features.append(votes.features[:, -1])
        right.append(led[:, -1])
    return calibrated(np.concatenate(features), np.concatenate(right))


@dataclass(frozen=True)
class _Found:
    worth: float
    chain: Chain


def found(outcomes: Outcomes, quality: Floats, confidence: Confidence, models: list[int], seed: int) -> list[Chain]:
    """The best chains of at least two models at each price, over all prompts and over each label with enough."""
    unit = float(outcomes.cost_usd.mean(axis=0)[int(outcomes.quality.mean(axis=0).argmax())])
    labels = np.array(outcomes.questions.labels)
    names, counts = np.unique(labels, return_counts=True)
    groups = [np.arange(len(labels))]
    if len(names) > 1:
        enough = names[counts >= _LEAST_PROMPTS]
        groups += [np.flatnonzero(labels == name) for name in enough]
    kept: set[Chain] = set()
    for rows in groups:
        drawn = np.random.default_rng(seed).permutation(rows)[:_MOST_PROMPTS]
        kept |= _searched(outcomes.only(drawn), quality[drawn], confidence, models, unit)
    return sorted(kept)


def _searched(
    outcomes: Outcomes, quality: Floats, confidence: Confidence, models: list[int], unit: float
) -> set[Chain]:
    known: dict[tuple[int, ...], list[tuple[float, float, float]]] = {}

    def figures(chain: tuple[int, ...]) -> list[tuple[float, float, float]]:
        """(sure, mean quality, mean cost in units)"""
        if chain not in known:
            trace = traced(chain, outcomes, quality, confidence)
            means = []
            for sure in SURE if len(chain) > 1 else (1.0,):
                right, cost = trace.stopped(sure)
                means.append((sure, float(right.mean()), float(cost.mean()) / unit))
            known[chain] = means
        return known[chain]

    def best(chain: tuple[int, ...], price: float) -> _Found:
        worth, sure = max((right - price * cost, sure) for sure, right, cost in figures(chain))
        return _Found(worth, Chain(chain, sure))

    kept: set[Chain] = set()
    for price in PRICES:
        beam = _top([best((model,), price) for model in models])
        seen: list[_Found] = []
        for _ in range(LONGEST - 1):
            longer = [
                best((*one.chain.models, model), price)
                for one in beam
                for model in models
                if model not in one.chain.models
            ]
            if not longer:
                break
            beam = _top(longer)
            seen += beam
        kept |= {one.chain for one in _top(seen)[:2]}
    return kept


def _top(found: Iterable[_Found]) -> list[_Found]:
    return sorted(found, key=lambda one: (-one.worth, one.chain))[:WIDTH]
