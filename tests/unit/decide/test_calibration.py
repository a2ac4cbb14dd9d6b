import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.calibration import (
    Calibration,
    input_tokens,
    mean_output_tokens,
    observe_input,
    observe_output,
    output_p99_tokens,
    output_tokens_per_byte,
)


def workload(seed: int, count: int, noise: float):
    """Bodies of many sizes whose tokens are a constant and a share of the bytes, with relative noise."""
    dice = random.Random(seed)
    for _ in range(count):
        size = int(10 ** dice.uniform(2.3, 5.3))
        yield size, max(1, round((40 + 0.21 * size) * dice.uniform(1 - noise, 1 + noise)))


def test_learns_constant_and_slope_over_all_sizes():
    learned = Calibration()
    for size, tokens in workload(1, 500, 0.05):
        learned = observe_input(learned, size, tokens)
    for size in (200, 2_000, 20_000, 200_000):
        assert input_tokens(learned, size) == pytest.approx(40 + 0.21 * size, rel=0.05)


def test_upper_covers_nineteen_of_twenty_and_not_much_more():
    learned = Calibration()
    covered = 0
    for number, (size, tokens) in enumerate(workload(2, 6_000, 0.2)):
        if number >= 2_000:
            covered += tokens <= input_tokens(learned, size) * learned.upper
        learned = observe_input(learned, size, tokens)
    assert 0.93 <= covered / 4_000 <= 0.975
    assert learned.upper < 1.35


def test_follows_a_change_of_tokenizer():
    learned = Calibration()
    for size, tokens in workload(3, 300, 0.05):
        learned = observe_input(learned, size, tokens)
    for size, tokens in workload(4, 600, 0.05):
        learned = observe_input(learned, size, 2 * tokens)
    assert input_tokens(learned, 10_000) == pytest.approx(2 * (40 + 2_100), rel=0.05)


def test_one_size_only_is_learned_too():
    learned = Calibration()
    for _ in range(3_000):
        learned = observe_input(learned, 1_000, 200)
    assert input_tokens(learned, 1_000) == pytest.approx(200, rel=0.01)
    assert 0 < input_tokens(learned, 100_000) <= 100_000


def test_absurd_counts_teach_nothing():
    fresh = Calibration()
    assert observe_input(fresh, 1_000, 10**9) is fresh
    assert observe_input(fresh, 1_000, 0) is fresh
    assert observe_input(fresh, 0, 10) is fresh
    assert observe_output(fresh, 0, 10) is fresh


@given(st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 10**7)), max_size=60), st.integers(1, 10**7))
def test_estimates_stay_sane_whatever_was_reported(seen, size):
    learned = Calibration()
    for observed, tokens in seen:
        learned = observe_input(learned, observed, tokens)
    assert 1 <= input_tokens(learned, size) <= 2 * size + 10_000
    assert 1.02 <= learned.upper <= 3


def test_output_ratio_is_learned_from_a_few_answers():
    learned = Calibration()
    for _ in range(20):
        learned = observe_output(learned, 2_000, 800)
    assert output_tokens_per_byte(learned) == pytest.approx(0.4, rel=0.03)
    assert mean_output_tokens(learned) == pytest.approx(800, rel=0.05)


def test_p99_needs_history_and_is_never_under_the_truth():
    learned = Calibration()
    dice = random.Random(5)
    lengths = [int(dice.lognormvariate(6, 1)) + 1 for _ in range(3_000)]
    for number, tokens in enumerate(lengths):
        assert (output_p99_tokens(learned) is None) == (number < 200)
        learned = observe_output(learned, 4 * tokens, tokens)
    truth = sorted(lengths)[int(0.99 * len(lengths))]
    found = output_p99_tokens(learned)
    assert found is not None
    assert truth <= found <= 1.6 * truth


def test_a_cap_made_of_the_p99_does_not_creep_down():
    learned = Calibration()
    for _ in range(1_000):
        learned = observe_output(learned, 4_000, 1_000)
    first = output_p99_tokens(learned)
    assert first is not None
    for _ in range(20_000):
        learned = observe_output(learned, 4_000, min(first, 5_000))
    assert output_p99_tokens(learned) == first


def test_an_answer_longer_than_any_can_be_teaches_nothing():
    assert observe_output(Calibration(), 500, 1_000_000_000) == Calibration()
