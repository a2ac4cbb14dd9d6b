"""What a trained policy does on a set, decided blind and looked at afterwards."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bascule.learned.embedder import Embedder
from bascule.learned.features import Seen, see
from bascule.learned.hull import hull
from bascule.learned.outcomes import Floats, Outcomes, Questions, marks
from bascule.learned.policy import COST_ONLY, Decided, Policy, came_of, decided, expect, means_of, zero_prices
from bascule.learned.training import SHARES, Trained, difference, prices_of, resampled, run

_RESAMPLES = 500
_TIMED = 300


@dataclass(frozen=True)
class Point:
    """At one lambda: mean quality, and mean cost as a share of the best single model's."""

    price: float
    quality: float
    cost_share: float
    calls: float


@dataclass(frozen=True)
class Evaluated:
    """AIQ and costs as docs/routing.md explains them. `cost_at` is in shares of the best single model's cost."""

    name: str
    prompts: int
    trained_on: int
    """Of these prompts so many were trained on: where that is not 0, the figures are too good."""
    kind: str
    zero_aiq: float
    aiq: float
    gain_low: float
    gain_high: float
    best_model: str
    best_quality: float
    best_cost_usd: float
    cost_at: dict[str, float | None]
    zero_cost_at: dict[str, float | None]
    chosen_before: dict[str, Point | None]
    """At the lambda that training chose for this share of the best model's quality."""
    points: tuple[Point, ...]

    @property
    def gain(self) -> float:
        return self.aiq - self.zero_aiq


def choices(questions: Questions, made: Decided, policy: Policy) -> Iterator[dict[str, Any]]:
    """Rows of `--choices`."""
    ways, models = policy.ways, questions.models
    price = "inf" if made.price == COST_ONLY else made.price
    for row, prompt_id in enumerate(questions.prompt_ids):
        chain = ways[int(made.way[row])].models[: int(made.calls[row])]
        yield {
            "set": questions.name,
            "prompt_id": prompt_id,
            "lambda": price,
            "called": [models[model] for model in chain],
            "answer_from": models[int(made.answer_from[row])],
        }


def evaluated(
    trained: Trained,
    outcomes: Outcomes,
    seen: Seen,
    tell: Callable[[Decided], None] = lambda made: None,
    *,
    by_calls: bool = False,
) -> Evaluated:
    """Decides for every prompt at every lambda (`tell` gets each decision) and only then reads what came of it.

    The best and the cheapest single model are those of training. The interval is a paired bootstrap over prompts of
    AIQ less the zero router's, 95 %.
    """
    policy, means = trained.policy, trained.policy.means
    prices = prices_of(policy)
    made = list(decided(policy, outcomes.questions, seen, prices, by_calls=by_calls))
    for one in made:
        tell(one)
    right, spent = _came_of(made, policy, outcomes)
    zero = run(Policy(means), outcomes, seen, zero_prices(means))
    tested = means_of(outcomes)
    best_quality, best_cost = float(tested.quality[means.best]), float(tested.cost_usd[means.best])
    span = (float(tested.cost_usd[means.cheapest]), best_cost)
    draws = [difference((right, spent), zero, span, weights) for weights in resampled(len(seen), _RESAMPLES, 0)]
    low, high = np.quantile(draws, (0.025, 0.975))
    points = tuple(
        [
            Point(one.price, float(quality.mean()), float(usd.mean()) / (best_cost or 1.0), float(one.calls.mean()))
            for one, quality, usd in zip(made, right, spent, strict=True)
        ]
    )
    lines = [hull(zip(usd.mean(axis=1), quality.mean(axis=1), strict=True)) for quality, usd in ((right, spent), zero)]
    at = [{str(share): _share(line.cost_of(share * best_quality), best_cost) for share in SHARES} for line in lines]
    aiq, zero_aiq = [line.mean(*span) for line in lines]
    return Evaluated(
        name=outcomes.questions.name,
        prompts=len(seen),
        trained_on=int(np.isin(marks(outcomes.questions.prompts), trained.marks).sum()),
        kind=policy.kind,
        zero_aiq=zero_aiq,
        aiq=aiq,
        gain_low=float(low),
        gain_high=float(high),
        best_model=trained.models[means.best],
        best_quality=best_quality,
        best_cost_usd=best_cost,
        cost_at=at[0],
        zero_cost_at=at[1],
        chosen_before={} if by_calls else _chosen_before(trained, points),
        points=points,
    )


def _came_of(made: list[Decided], policy: Policy, outcomes: Outcomes) -> tuple[Floats, Floats]:
    looked = [came_of(one, policy, outcomes) for one in made]
    return np.array([quality for quality, _ in looked]), np.array([usd for _, usd in looked])


def _share(usd: float | None, of_usd: float) -> float | None:
    return None if usd is None or of_usd <= 0 else usd / of_usd


def _chosen_before(trained: Trained, points: tuple[Point, ...]) -> dict[str, Point | None]:
    gain = next((gain for gain in trained.gains if gain.kind == trained.policy.kind), None)
    if gain is None:
        return {}
    by_price = {point.price: point for point in points}
    return {share: None if price is None else by_price[price] for share, price in gain.price_at.items()}


def timed(policy: Policy, questions: Questions, embedder: Embedder) -> tuple[float, float]:
    """Milliseconds of processor time of one decision, median and 99th percentile: reading the prompt, predicting,
    choosing. What the models themselves take is not in it, nor what else the machine does."""
    took = []
    for row in range(min(len(questions), _TIMED)):
        one = questions.only(np.array([row]))
        begun = time.process_time()
        expect(policy, see(one.prompts, one.labels, embedder), 0.1)
        took.append(1e3 * (time.process_time() - begun))
    return float(np.quantile(took, 0.5)), float(np.quantile(took, 0.99))
