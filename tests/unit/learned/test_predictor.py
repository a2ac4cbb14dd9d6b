"""Ridge and label means: what they find, and what they leave alone."""

from dataclasses import replace

import numpy as np
from tests.unit.learned.made_outcomes import made

from bascule.learned import labels, predictor, ridge
from bascule.learned.features import Seen


def linear(prompts: int, noise: float, seed: int = 1) -> tuple[Seen, np.ndarray]:
    random = np.random.default_rng(seed)
    meaning = random.uniform(-0.4, 0.4, size=(prompts, 8)).astype(np.float32)
    seen = Seen(meaning, np.zeros((prompts, 4), np.float32), np.zeros((prompts, 2)), ("one",) * prompts)
    signal = meaning[:, 0].astype(np.float64)
    return seen, np.column_stack([signal, -2 * signal]) + noise * random.normal(size=(prompts, 2))


def test_what_depends_on_the_prompt_is_found() -> None:
    seen, outcomes = linear(400, noise=0.1)
    fitted = ridge.fitted(seen, [outcomes])
    fresh, expected = linear(200, noise=0.0, seed=2)
    assert np.abs(fitted(fresh) - expected).max() < 0.15


def test_what_is_noise_is_left_near_the_mean() -> None:
    seen, _ = linear(400, noise=0.0)
    noise = np.random.default_rng(3).normal(size=(400, 2))
    assert ridge.fitted(seen, [noise])(seen).std() < 0.2


def test_label_means_that_differ_by_chance_alone_become_one() -> None:
    random = np.random.default_rng(0)
    names = tuple([f"label{row % 40}" for row in range(400)])
    outcome = (random.random(size=(400, 1)) < 0.5).astype(np.float64)
    raw = np.array([outcome[[row for row in range(400) if row % 40 == label]].mean() for label in range(40)])
    shrunk = labels.fitted(names, outcome).of_label[:, 0]
    assert shrunk.std() < 0.4 * raw.std()


def test_label_means_that_differ_truly_are_kept() -> None:
    outcomes, _ = made()
    found = labels.fitted(outcomes.questions.labels, outcomes.quality)
    assert found(("hard",))[0, 0] < 0.35 < 0.8 < found(("easy",))[0, 0]


def test_an_unknown_label_gets_what_is_true_of_all() -> None:
    outcomes, seen = made()
    fitted = predictor.fitted(seen, outcomes.quality, outcomes.cost_usd)
    strange = Seen(seen.meaning[:50], seen.words[:50], seen.surface[:50], ("never seen",) * 50)
    assert np.abs(fitted(strange).quality.mean(axis=0) - outcomes.quality.mean(axis=0)).max() < 0.06


def test_no_prompt_is_predicted_by_what_was_fitted_on_it() -> None:
    outcomes, seen = made(prompts=300)
    fold_of = predictor.folds(outcomes.questions.prompts, 3, seed=0)
    before = predictor.out_of_fold(seen, outcomes.quality, outcomes.cost_usd, fold_of)
    changed = outcomes.quality.copy()
    changed[fold_of == 0] = 1 - changed[fold_of == 0]
    after = predictor.out_of_fold(seen, changed, outcomes.cost_usd, fold_of)
    assert np.array_equal(before.quality[fold_of == 0], after.quality[fold_of == 0])
    assert not np.allclose(before.quality[fold_of == 1], after.quality[fold_of == 1])


def test_equal_texts_are_in_one_fold() -> None:
    fold_of = predictor.folds(tuple([f"text {row % 10}" for row in range(100)]), 5, seed=0)
    assert all(len(set(fold_of[row::10])) == 1 for row in range(10))
    assert set(fold_of) == {0, 1, 2, 3, 4}


def test_what_makes_a_prompt_hard_in_one_task_alone_is_learned_there() -> None:
    """The same property helps in one task and harms in the other: what all prompts share says nothing of it."""
    count = 2 * predictor.LEAST_OWN
    random = np.random.default_rng(5)
    meaning = random.uniform(-0.5, 0.5, size=(2 * count, 8)).astype(np.float32)
    names = ("one",) * count + ("other",) * count
    seen = Seen(meaning, np.zeros((2 * count, 4), np.float32), np.zeros((2 * count, 2)), names)
    turned = np.where(np.array(names) == "one", 1.0, -1.0) * meaning[:, 0]
    quality = np.column_stack([0.5 + 0.8 * turned, np.full(2 * count, 0.5)])
    cost = np.ones((2 * count, 2))
    fitted = predictor.fitted(seen, quality, cost)
    assert set(fitted.own) == {"one", "other"}
    with_own, without = fitted(seen).quality[:, 0], replace(fitted, own={})(seen).quality[:, 0]
    wanted = quality[:, 0]
    assert np.corrcoef(with_own, wanted)[0, 1] > 0.9
    assert np.abs(with_own - wanted).mean() < 0.8 * np.abs(without - wanted).mean()


def test_a_task_with_few_prompts_has_none_of_its_own() -> None:
    seen, outcomes = linear(predictor.LEAST_OWN - 1, noise=0.1)
    assert not predictor.fitted(seen, np.clip(outcomes, 0, 1), np.ones_like(outcomes)).own
