"""Chains: who is called, when enough is enough, whose answer is given."""

import numpy as np
import pytest
from tests.unit.learned.made_outcomes import made

from bascule.learned import chains, search
from bascule.learned.chains import Chain
from bascule.learned.outcomes import NO_ANSWER
from bascule.learned.voting import Confidence, calibrated, counted

AGREED = Confidence(np.array([0.0, 0, 0, 10.0, 0, 0, 0, 0, 0, -15.0]))
"""Sure as soon as two answers agree."""


def test_a_chain_stops_where_two_agree_and_gives_the_likelier_ones_answer() -> None:
    answers = np.array([[7, 7, 8], [7, 8, 8], [7, 8, 9]])
    quality = np.array([[0.5, 0.6, 0.9]] * 3)
    calls, answer_from = chains.called(Chain((0, 1, 2), 0.9), answers, quality, AGREED)
    assert calls.tolist() == [2, 3, 3]
    assert answer_from.tolist() == [1, 2, 2]


def test_an_answer_is_not_looked_at_before_its_model_is_called() -> None:
    answers = np.array([[7, 7, 8]])
    quality = np.full((1, 3), 0.6)
    told = [
        chains.called(Chain((0, 1, 2), 0.9), np.array([[7, 7, other]]), quality, AGREED) for other in (7, 8, NO_ANSWER)
    ]
    assert {(int(calls[0]), int(answer_from[0])) for calls, answer_from in told} == {(2, 0)}
    assert answers[0, 2] == 8


def test_no_answer_agrees_with_nothing() -> None:
    votes = counted(np.array([[NO_ANSWER, NO_ANSWER, 3]]), np.array([[0.9, 0.8, 0.3]]))
    assert votes.leader[0].tolist() == [0, 1, 2]
    assert votes.features[0, 1, 3] == 0


def test_two_weak_votes_lose_to_a_strong_one() -> None:
    votes = counted(np.array([[1, 1, 2]]), np.array([[0.05, 0.05, 0.95]]))
    assert votes.leader[0, 2] == 2


def test_what_is_traced_is_what_is_called() -> None:
    outcomes, _ = made()
    quality = np.tile(outcomes.quality.mean(axis=0), (600, 1))
    models = (0, 1, 2)
    confidence = search.confidence_of(outcomes, quality, list(models), seed=0)
    right, usd = chains.traced(models, outcomes, quality, confidence).stopped(0.8)
    calls, answer_from = chains.called(Chain(models, 0.8), outcomes.questions.answers, quality, confidence)
    rows = np.arange(600)
    assert np.array_equal(right, outcomes.quality[rows, answer_from])
    assert usd == pytest.approx(outcomes.cost_usd.cumsum(axis=1)[rows, calls - 1])
    assert len(set(calls)) > 1


def test_confidence_says_how_often_it_is_right() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(4000, 9))
    truth = 1 / (1 + np.exp(-(2 * features[:, 0] - 1)))
    found = calibrated(features, (random.random(4000) < truth).astype(np.float64))
    assert np.abs(found(features) - truth).mean() < 0.03


def test_a_model_whose_answers_cannot_be_compared_is_in_no_chain() -> None:
    outcomes, _ = made()
    outcomes.questions.answers[:200, 1] = NO_ANSWER
    assert 1 not in search.comparable(outcomes)
    assert search.comparable(made(answered=False)[0]) == []
