"""Figures of the router's benchmark on outcomes whose figures are known by hand."""

import numpy as np
import pytest
from benchmarks.routing import thin
from benchmarks.routing.crossfit import CrossFitted, Curve, chosen_by, oracle
from benchmarks.routing.figures import figures, pair_figures

from bascule.learned.outcomes import NO_ANSWER, Outcomes, Questions
from bascule.learned.policy import LAMBDAS


def outcomes(quality: list[list[float]], cost_usd: list[list[float]]) -> Outcomes:
    rows, models = len(quality), len(quality[0])
    questions = Questions(
        name="made",
        prompt_ids=tuple(map(str, range(rows))),
        prompts=tuple([f"prompt {row}" for row in range(rows)]),
        labels=("task",) * rows,
        models=tuple([f"model{column}" for column in range(models)]),
        answers=np.full((rows, models), NO_ANSWER, np.int64),
    )
    return Outcomes(questions=questions, quality=np.array(quality), cost_usd=np.array(cost_usd))


PROMPTS = 200
FOUND = outcomes([[1, 1], [0, 1]] * (PROMPTS // 2), [[1, 4]] * PROMPTS)
"""The cheap model is right on every second prompt, the dear one always."""


def crossfitted(router: Curve, from_best: list[list[bool]]) -> CrossFitted:
    zero = Curve(FOUND.quality.T.copy(), FOUND.cost_usd.T.copy())
    chosen = {"1.0": (router.quality[0], router.cost_usd[0])}
    return CrossFitted(FOUND, {"router": router, "zero": zero}, np.array(from_best), chosen, ("singles",))


def test_a_perfect_router_pays_the_dear_model_only_where_it_is_needed() -> None:
    perfect = oracle(FOUND)
    told = figures(crossfitted(perfect, [[False, True] * (PROMPTS // 2)] * len(LAMBDAS)))
    # No routing: from 0.5 at 1 to 1.0 at 4, on average 0.75. The oracle: to 1.0 at 2.5, then level: 0.875.
    assert told.zero_aiq == pytest.approx(0.75)
    assert told.gain.value == pytest.approx(0.125)
    assert told.closed.value == pytest.approx(1.0)
    assert told.cost_at["1.0"].value == pytest.approx(2.5 / 4)
    assert told.zero_cost_at["1.0"].value == pytest.approx(1.0)


def test_the_zero_router_gains_nothing_over_itself() -> None:
    zero = Curve(FOUND.quality.T.copy(), FOUND.cost_usd.T.copy())
    told = figures(crossfitted(zero, [[False] * PROMPTS, [True] * PROMPTS]))
    assert told.gain.value == pytest.approx(0.0)
    assert told.gain.low == pytest.approx(0.0)


def test_a_level_that_is_never_reached_is_said_to_be_so() -> None:
    cheap = Curve(FOUND.quality[:, :1].T.copy(), FOUND.cost_usd[:, :1].T.copy())
    assert figures(crossfitted(cheap, [[False] * PROMPTS])).cost_at["1.0"].value is None


def test_apgr_of_a_coin_is_a_half_and_of_knowing_better_more() -> None:
    rows = np.ones(PROMPTS, dtype=bool)
    coin = Curve(FOUND.quality.T.copy(), FOUND.cost_usd.T.copy())
    assert pair_figures(crossfitted(coin, [[False] * PROMPTS, [True] * PROMPTS]), rows).apgr.value == pytest.approx(0.5)
    knowing = Curve(np.array([[1.0] * PROMPTS]), np.array([[1.0, 4.0] * (PROMPTS // 2)]))
    told = pair_figures(crossfitted(knowing, [[False, True] * (PROMPTS // 2)]), rows)
    # Half of the calls cover the whole way, the other half stays there.
    assert told.apgr.value == pytest.approx(0.75)
    assert told.cpt50.value == pytest.approx(0.25)


def test_choosing_at_no_price_is_by_quality_and_at_any_price_by_cost() -> None:
    made = chosen_by(FOUND.quality, FOUND.cost_usd, FOUND, 4.0)
    assert made.quality[0].tolist() == [1] * PROMPTS
    assert made.cost_usd[-1].tolist() == [1] * PROMPTS


def test_the_thin_set_has_nothing_to_be_learned_from() -> None:
    found = thin.made_up(2_000, 40, 1)
    mean = found.quality.mean(axis=0)
    assert mean.min() > 0.55
    assert mean.max() < 0.67
    labels = np.array(found.questions.labels)
    by_label = [found.quality[labels == label].mean() for label in sorted(set(labels))]
    assert max(by_label) - min(by_label) < 0.02
