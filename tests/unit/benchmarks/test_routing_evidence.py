"""The streams of the benchmark are what it says of them: else its figures would be of something else."""

import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.routing import evidence, streams
from benchmarks.routing.streams import Judge, World

from bascule.decide.promotion.trial import Rules

WORLD = World(rules=Rules(), sessions=60_000)


@pytest.mark.parametrize("make", [streams.at_margin, streams.drifting, streams.clustered])
def test_a_challenger_at_the_margin_is_worse_by_the_margin(make: evidence.Maker) -> None:
    seen = np.array(make(WORLD, np.random.default_rng(1)).differences)
    reach = 4 * seen.std() / math.sqrt(seen.size)
    assert abs(seen.mean() + WORLD.rules.margin) < reach


def test_late_outcomes_count_against_the_challenger_and_as_they_come_for_it() -> None:
    world = replace(WORLD, sessions=3_000)
    assert np.mean(streams.late(world, np.random.default_rng(1)).differences) < -world.rules.margin
    assert np.mean(streams.late_by_arrival(world, np.random.default_rng(1)).differences) > 0


def test_the_judge_flatters() -> None:
    rng = np.random.default_rng(1)
    truth = streams.plain(WORLD, 0.0, rng)
    said = Judge().differences(truth, rng)
    assert 0.02 < said.mean() < 0.06
    fair = Judge(flatters=0.0).differences(truth, rng)
    assert abs(fair.mean()) < 0.01


def test_the_divergence_is_that_of_the_best_stake() -> None:
    # Without ties, to a mean of 0: the divergence of a coin from a fair one.
    coin = 0.6 * math.log(0.6 / 0.5) + 0.4 * math.log(0.4 / 0.5)
    assert evidence.divergence(0.6, 0.4, 0.0) == pytest.approx(coin)
    stakes = np.linspace(0, 1 / 0.95 - 1e-6, 200_001)
    growth = 0.1 * np.log1p(stakes * 1.05) + 0.1 * np.log1p(-stakes * 0.95) + 0.8 * np.log1p(stakes * 0.05)
    assert evidence.divergence(0.1, 0.1, -0.05) == pytest.approx(growth.max(), rel=1e-6)


def test_a_mistake_is_found_out(capsys: pytest.CaptureFixture[str]) -> None:
    found = evidence.false_promotions(seed=1, count=40, looks=600)
    assert {one.name: one.promoted > 8 for one in found} == {one.name: one.mistake for one in found}
