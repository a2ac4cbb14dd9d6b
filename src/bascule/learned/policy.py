"""Who answers a prompt, at a price of quality. Higher lambda: cheaper.

A way to answer is a model alone or a chain. The policy takes, prompt by prompt, the way with the greatest predicted
quality - lambda * predicted cost / unit, where the unit is the mean cost of the best single model in training: the
Lagrangian of "the best quality for a mean budget" (CARROT, arXiv 2502.03261, for plugging predictions in). The zero
router knows no prompt: at each lambda it is one model of the hull over the training means (RouterBench,
arXiv 2403.12031); coin flips between neighbours lie on that hull.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from bascule.learned.chains import Chain, called
from bascule.learned.features import Seen
from bascule.learned.outcomes import Floats, Ints, Outcomes, Questions
from bascule.learned.predictor import Expected, Predictor
from bascule.learned.voting import Confidence

Kind = Literal["chains", "singles", "zero"]
COST_ONLY = float("inf")
LAMBDAS = (
    0.0,
    *[round(10 ** (-3 + step / 5), 6) for step in range(5)],
    *[round(10 ** (-2 + step / 24), 6) for step in range(61)],
    *[round(10 ** (0.6 + step / 5), 6) for step in range(6)],
    COST_ONLY,
)
"""From quality alone to cost alone; 24 a decade from 0.01 to 3, where most prompts change their model, 5 elsewhere."""


@dataclass(frozen=True)
class Means:
    """Of models alone in training; (models,) each."""

    quality: Floats
    cost_usd: Floats

    @property
    def best(self) -> int:
        return int(self.quality.argmax())

    @property
    def cheapest(self) -> int:
        return int(self.cost_usd.argmin())

    @property
    def unit_usd(self) -> float:
        """The best model's mean cost, with which lambda is measured."""
        return float(self.cost_usd[self.best]) or 1.0

    @property
    def range_usd(self) -> tuple[float, float]:
        """Over which budgets AIQ is averaged."""
        return float(self.cost_usd[self.cheapest]), float(self.cost_usd[self.best])


def means_of(outcomes: Outcomes) -> Means:
    return Means(outcomes.quality.mean(axis=0), outcomes.cost_usd.mean(axis=0))


@dataclass(frozen=True)
class Policy:
    """All that is needed to decide about prompts of one pool of models. `predictor` None: the zero router."""

    means: Means
    predictor: Predictor | None = None
    chains: tuple[Chain, ...] = ()
    confidence: Confidence | None = None

    @property
    def kind(self) -> Kind:
        if self.predictor is None:
            return "zero"
        return "chains" if self.chains else "singles"

    @property
    def ways(self) -> tuple[Chain, ...]:
        """The first ones are models alone, in order of columns."""
        return (*[Chain((model,)) for model in range(len(self.means.quality))], *self.chains)


@dataclass(frozen=True)
class Decided:
    """At one lambda: the way of each prompt, (prompts,), with what was called and whose answer is given."""

    price: float
    way: Ints
    calls: Ints
    """How many of the way's models, in its order."""
    answer_from: Ints


def decided(
    policy: Policy, questions: Questions, seen: Seen, prices: Sequence[float], *, by_calls: bool = False
) -> Iterator[Decided]:
    """Decisions at each lambda. Nothing is known of a model's quality or cost here, and of answers only what the
    chain that was decided on has called for. `by_calls`: what is weighed is a call of each model at its mean cost, not
    what this very prompt costs there; a share of strong calls, as RouteLLM counts them, is bought best so."""
    ways = policy.ways
    prompts = len(questions)
    expected = None if policy.predictor is None else policy.predictor(seen)
    if expected is not None and by_calls:
        assert policy.predictor is not None
        expected = replace(expected, cost_usd=np.broadcast_to(policy.predictor.mean_cost_usd, expected.quality.shape))
    played: dict[int, tuple[Ints, Ints, Ints]] = {}
    for price in prices:
        way = _way(policy, expected, prompts, price)
        calls, answer_from = np.ones(prompts, np.int64), way.copy()
        for number in np.unique(way):
            chain, rows = ways[number], np.flatnonzero(way == number)
            if len(chain.models) == 1:
                continue
            if number not in played:  # a prompt's chain runs the same at every lambda that chooses it
                played[number] = (np.zeros(prompts, np.int64), np.zeros(prompts, np.int64), np.zeros(prompts, np.int64))
            done, counts, leaders = played[number]
            fresh = rows[done[rows] == 0]
            if len(fresh):
                assert expected is not None
                assert policy.confidence is not None
                alone = expected.quality[fresh, : len(questions.models)]
                counts[fresh], leaders[fresh] = called(chain, questions.answers[fresh], alone, policy.confidence)
                done[fresh] = 1
            calls[rows], answer_from[rows] = counts[rows], leaders[rows]
        yield Decided(price, way, calls, answer_from)


def expect(policy: Policy, seen: Seen, price: float) -> Ints:
    """The way of each prompt, before anything is called; (prompts,)."""
    return _way(policy, None if policy.predictor is None else policy.predictor(seen), len(seen), price)


def _way(policy: Policy, expected: Expected | None, prompts: int, price: float) -> Ints:
    if expected is None or price == COST_ONLY:
        return np.full(prompts, single_at(policy.means, price))
    return np.asarray((expected.quality - price * expected.cost_usd / policy.means.unit_usd).argmax(axis=1), np.int64)


def single_at(means: Means, price: float) -> int:
    """The zero router's model at this lambda."""
    if price == COST_ONLY:
        return means.cheapest
    return int((means.quality - price * means.cost_usd / means.unit_usd).argmax())


def zero_prices(means: Means) -> tuple[float, ...]:
    """Lambdas that visit every model of the zero router's hull: one between each two prices at which it changes."""
    quality, cost = means.quality, means.cost_usd / means.unit_usd
    slopes = {0.0}
    for one in range(len(quality)):
        for other in range(len(quality)):
            if cost[one] > cost[other] and quality[one] > quality[other]:
                slopes.add(float((quality[one] - quality[other]) / (cost[one] - cost[other])))
    ordered = sorted(slopes)
    return (0.0, *[(low + high) / 2 for low, high in pairwise(ordered)], COST_ONLY)


def came_of(made: Decided, policy: Policy, outcomes: Outcomes) -> tuple[Floats, Floats]:
    """Quality and summed cost in USD of each prompt, once it is decided; (prompts,) each."""
    rows = np.arange(len(made.way))
    cost = np.zeros(len(rows))
    ways = policy.ways
    for number in np.unique(made.way):
        chosen = np.flatnonzero(made.way == number)
        spent = outcomes.cost_usd[np.ix_(chosen, list(ways[number].models))].cumsum(axis=1)
        cost[chosen] = spent[np.arange(len(chosen)), made.calls[chosen] - 1]
    return outcomes.quality[rows, made.answer_from], cost
