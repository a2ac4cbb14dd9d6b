"""From outcomes to a policy that is better than no routing, or to no routing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bascule.learned import predictor, search
from bascule.learned.chains import Chain, traced
from bascule.learned.features import Seen
from bascule.learned.hull import hull
from bascule.learned.outcomes import Floats, Outcomes, marks
from bascule.learned.policy import LAMBDAS, Kind, Means, Policy, came_of, decided, means_of, zero_prices

LEAST_PROMPTS = 100
OUTER_FOLDS, INNER_FOLDS = 3, 5
_RESAMPLES = 200
SHARES = (0.95, 0.98, 1.0)


@dataclass(frozen=True)
class Gain:
    """AIQ over the zero router's, on prompts that were kept out of fitting (3 folds), and its standard error."""

    kind: Kind
    gain: float
    error: float
    price_at: dict[str, float | None]
    """The lambda at which a share ("0.98") of the best single model's quality was reached; None where never."""


@dataclass(frozen=True)
class Trained:
    policy: Policy
    models: tuple[str, ...]
    prompts: int
    gains: tuple[Gain, ...]
    why: str
    """Why this kind of policy, in words."""
    marks: NDArray[np.uint64]
    """Of the prompts trained on (`outcomes.marks`)."""


def trained(outcomes: Outcomes, seen: Seen, seed: int, step: Callable[[], None] = lambda: None) -> Trained:
    """The policy whose cross-fitted gain, less its own standard error, is greatest; the zero router where none is
    above 0. Deterministic for a seed. `step` is called OUTER_FOLDS + 1 times."""
    means, prompts, models = means_of(outcomes), len(outcomes.questions), outcomes.questions.models
    zero = Policy(means)

    def kept(why: str, gains: tuple[Gain, ...] = (), policy: Policy = zero) -> Trained:
        return Trained(policy, models, prompts, gains, why, marks(outcomes.questions.prompts))

    if prompts < LEAST_PROMPTS or means.best == means.cheapest:
        few = f"{prompts} prompts are fewer than {LEAST_PROMPTS}"
        return kept(few if prompts < LEAST_PROMPTS else f"{models[means.best]} is both the best and the cheapest model")
    gains = _cross_fitted(outcomes, seen, seed, step)
    best = max(gains, key=lambda one: one.gain - one.error)
    told = "; ".join(f"{one.kind} {one.gain:+.4f}, error {one.error:.4f}" for one in gains)
    step()
    if best.gain <= best.error:
        return kept(f"no gain over the zero router that exceeds its own error ({told})", gains)
    return kept(
        f"the greatest gain less its error ({told})", gains, _fitted(outcomes, seen, seed, (best.kind,))[best.kind]
    )


def _fitted(outcomes: Outcomes, seen: Seen, seed: int, kinds: Sequence[Kind]) -> dict[Kind, Policy]:
    """Policies of these kinds; `chains` is left out where no two models' answers can be compared."""
    means = means_of(outcomes)
    made: dict[Kind, Policy] = {}
    if "singles" in kinds:
        made["singles"] = Policy(means, predictor.fitted(seen, outcomes.quality, outcomes.cost_usd))
    voters = search.comparable(outcomes)
    if "chains" not in kinds or len(voters) < 2:
        return made
    inner = predictor.folds(outcomes.questions.prompts, INNER_FOLDS, seed + 1)
    guessed = predictor.out_of_fold(seen, outcomes.quality, outcomes.cost_usd, inner).quality
    confidence = search.confidence_of(outcomes, guessed, voters, seed)
    ran: dict[tuple[bytes, bytes], tuple[Chain, Floats, Floats]] = {}
    for chain in search.found(outcomes, guessed, confidence, voters, seed):
        right, usd = traced(chain.models, outcomes, guessed, confidence).stopped(chain.sure)
        ran.setdefault((right.tobytes(), usd.tobytes()), (chain, right, usd))  # two that do the same are one
    chains = tuple([chain for chain, _, _ in ran.values()])
    quality = np.column_stack([outcomes.quality, *[right for _, right, _ in ran.values()]])
    cost = np.column_stack([outcomes.cost_usd, *[usd for _, _, usd in ran.values()]])
    models = outcomes.quality.shape[1]
    made["chains"] = Policy(means, predictor.fitted(seen, quality, cost, models), chains, confidence)
    return made


def _cross_fitted(outcomes: Outcomes, seen: Seen, seed: int, step: Callable[[], None]) -> tuple[Gain, ...]:
    fold_of = predictor.folds(outcomes.questions.prompts, OUTER_FOLDS, seed)
    ran: dict[Kind, list[tuple[Floats, Floats]]] = {}
    order = []
    for fold in range(OUTER_FOLDS):
        inside, outside = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        order.append(outside)
        within, tested = outcomes.only(inside), outcomes.only(outside)
        policies = _fitted(within, seen.only(inside), seed, ("singles", "chains"))
        policies["zero"] = Policy(means_of(within))
        for kind, policy in policies.items():
            ran.setdefault(kind, []).append(run(policy, tested, seen.only(outside)))
        step()
    joined = {
        kind: (np.hstack([right for right, _ in parts]), np.hstack([usd for _, usd in parts]))
        for kind, parts in ran.items()
        if len(parts) == OUTER_FOLDS
    }
    means = means_of(outcomes)
    zero = joined.pop("zero")
    return tuple([_gain(kind, quality, cost, zero, means, seed) for kind, (quality, cost) in joined.items()])


def run(policy: Policy, outcomes: Outcomes, seen: Seen, prices: Sequence[float] = LAMBDAS) -> tuple[Floats, Floats]:
    """Quality and cost in USD, (lambdas, prompts) each."""
    made = [came_of(one, policy, outcomes) for one in decided(policy, outcomes.questions, seen, prices)]
    return np.array([quality for quality, _ in made]), np.array([cost for _, cost in made])


def _gain(kind: Kind, quality: Floats, cost: Floats, zero: tuple[Floats, Floats], means: Means, seed: int) -> Gain:
    drawn = resampled(quality.shape[1], _RESAMPLES, seed)
    each = [difference((quality, cost), zero, means.range_usd, weights) for weights in drawn]
    everyone = np.full(quality.shape[1], 1 / quality.shape[1])
    best = float(means.quality[means.best])
    reached: dict[str, float | None] = {}
    for share in SHARES:
        enough = [price for price, right in zip(LAMBDAS, quality.mean(axis=1), strict=True) if right >= share * best]
        reached[str(share)] = max(enough, default=None)
    return Gain(kind, difference((quality, cost), zero, means.range_usd, everyone), float(np.std(each)), reached)


def difference(
    router: tuple[Floats, Floats], zero: tuple[Floats, Floats], span_usd: tuple[float, float], weights: Floats
) -> float:
    """AIQ of one less that of the other over prompts with these weights; (lambdas, prompts) pairs."""
    one, other = [
        hull(zip((cost @ weights).tolist(), (quality @ weights).tolist(), strict=True)).mean(*span_usd)
        for quality, cost in (router, zero)
    ]
    return one - other


def resampled(prompts: int, times: int, seed: int) -> list[Floats]:
    """Weights of a bootstrap: the same prompts for both routers, so that what is common to them cancels."""
    random = np.random.default_rng(seed)
    return [random.multinomial(prompts, np.full(prompts, 1 / prompts)) / prompts for _ in range(times)]


def prices_of(policy: Policy) -> tuple[float, ...]:
    """The lambdas at which a policy is worth looking at."""
    return tuple(sorted({*LAMBDAS, *zero_prices(policy.means)})) if policy.kind == "zero" else LAMBDAS
