"""A policy that is better than no routing, or no routing; and a file that gives back what was put in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.learned.made_outcomes import made

from bascule.learned.evaluating import choices, evaluated
from bascule.learned.file import BadModelFile, ModelFile, load, save
from bascule.learned.outcomes import Outcomes
from bascule.learned.policy import COST_ONLY, LAMBDAS, Policy, came_of, decided, means_of, zero_prices
from bascule.learned.training import Trained, trained


@pytest.fixture(scope="module")
def learned() -> Trained:
    return trained(*made(), seed=0)


def test_where_tasks_differ_routing_is_learned_and_holds_on_prompts_not_seen(learned: Trained) -> None:
    assert learned.policy.kind != "zero"
    outcomes, seen = made(seed=1)
    found = evaluated(learned, outcomes, seen)
    assert found.gain_low > 0.02
    half = found.cost_at["0.98"]
    assert half is not None
    assert half < 0.75


def test_where_models_differ_by_chance_alone_the_zero_router_stays() -> None:
    flat = tuple([0.6] * 8)
    cost = tuple([0.001 * (1 + number) for number in range(8)])
    made_of = trained(*made(easy=flat, hard=flat, prompts=200, answered=False, cost_usd=cost), seed=0)
    assert made_of.policy.kind == "zero"
    assert "error" in made_of.why
    outcomes, seen = made(easy=flat, hard=flat, prompts=400, answered=False, cost_usd=cost, seed=5)
    found = evaluated(made_of, outcomes, seen)
    assert found.gain == pytest.approx(0.0, abs=1e-12)


def test_few_prompts_teach_nothing() -> None:
    assert "fewer than" in trained(*made(prompts=60), seed=0).why


def test_without_comparable_answers_there_is_no_chain() -> None:
    found = trained(*made(answered=False), seed=0)
    assert found.policy.kind == "singles"
    assert [gain.kind for gain in found.gains] == ["singles"]


def test_nothing_is_decided_by_what_is_not_known_yet(learned: Trained) -> None:
    outcomes, seen = made(seed=2)
    policy, questions = learned.policy, outcomes.questions
    several = 0
    for price in LAMBDAS:
        (first,) = decided(policy, questions, seen, [price])
        blind = np.arange(questions.answers.size).reshape(questions.answers.shape) + 10_000_000
        for row in range(len(questions)):
            called = list(policy.ways[int(first.way[row])].models[: int(first.calls[row])])
            blind[row, called] = questions.answers[row, called]
            several += len(called) > 1
        (again,) = decided(policy, replace(questions, answers=blind), seen, [price])
        assert np.array_equal(again.calls, first.calls)
        assert np.array_equal(again.answer_from, first.answer_from)
    assert policy.kind != "chains" or several


def test_rows_name_who_was_called_in_order_and_answers_come_from_those(learned: Trained) -> None:
    outcomes, seen = made(seed=2)
    for made_now in decided(learned.policy, outcomes.questions, seen, (0.0, 0.05, COST_ONLY)):
        rows = list(choices(outcomes.questions, made_now, learned.policy))
        right, usd = came_of(made_now, learned.policy, outcomes)
        for number, row in enumerate(rows):
            assert row["answer_from"] in row["called"]
            columns = [outcomes.questions.models.index(model) for model in row["called"]]
            assert usd[number] == pytest.approx(outcomes.cost_usd[number, columns].sum())
            assert right[number] == outcomes.quality[number, outcomes.questions.models.index(row["answer_from"])]
    assert all(row["called"] == ["cheap"] for row in rows)  # at cost alone


def test_the_zero_router_visits_its_whole_hull() -> None:
    outcomes, seen = made(easy=(0.5, 0.7, 0.8), hard=(0.5, 0.7, 0.8))
    policy = Policy(means_of(outcomes))
    ways = {int(one.way[0]) for one in decided(policy, outcomes.questions, seen, zero_prices(policy.means))}
    assert ways == {0, 1, 2}


def test_a_file_gives_back_what_was_put_in(learned: Trained, tmp_path: Path) -> None:
    save(tmp_path / "m.npz", ModelFile({"made": learned}, 0))
    back = load(tmp_path / "m.npz").of("made", learned.models)
    outcomes, seen = made(seed=3)
    for one, other in zip(
        decided(learned.policy, outcomes.questions, seen, LAMBDAS),
        decided(back.policy, outcomes.questions, seen, LAMBDAS),
        strict=True,
    ):
        assert np.array_equal(one.way, other.way)
        assert np.array_equal(one.answer_from, other.answer_from)
    assert (back.gains, back.why, back.prompts) == (learned.gains, learned.why, 600)


def test_the_same_data_and_seed_give_the_same_policy(learned: Trained) -> None:
    again = trained(*made(), seed=0)
    assert again.gains == learned.gains
    assert again.policy.chains == learned.policy.chains


@pytest.mark.parametrize("damage", [b"", b"no npz at all", b"PK\x03\x04 cut"])
def test_a_damaged_file_says_what_to_do(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.npz").write_bytes(damage)
    with pytest.raises(BadModelFile, match="router train"):
        load(tmp_path / "m.npz")
    with pytest.raises(BadModelFile, match="is not there"):
        load(tmp_path / "none.npz")


def test_other_models_are_refused_by_name(learned: Trained, tmp_path: Path) -> None:
    model = ModelFile({"made": learned}, 0)
    with pytest.raises(BadModelFile, match="dear"):
        model.of("made", ("cheap", "fair"))
    with pytest.raises(BadModelFile, match="nothing was trained for 'other'"):
        model.of("other", ("cheap", "fair"))
    assert model.of("other", learned.models) is learned


def test_prompts_that_were_trained_on_are_counted(learned: Trained) -> None:
    outcomes, seen = made()
    assert evaluated(learned, outcomes, seen).trained_on == 600
    fresh = replace(outcomes.questions, prompts=tuple([f"fresh {row}" for row in range(600)]))
    assert (
        evaluated(
            learned, Outcomes(questions=fresh, quality=outcomes.quality, cost_usd=outcomes.cost_usd), seen
        ).trained_on
        == 0
    )


def test_where_calls_are_weighed_what_a_prompt_costs_decides_nothing(learned: Trained) -> None:
    outcomes, seen = made(seed=3)
    assert learned.policy.predictor is not None
    expected = learned.policy.predictor(seen)
    mean = learned.policy.predictor.mean_cost_usd / learned.policy.means.unit_usd
    for one in decided(learned.policy, outcomes.questions, seen, (0.0, 0.1, 1.0), by_calls=True):
        assert np.array_equal(one.way, (expected.quality - one.price * mean).argmax(axis=1))
