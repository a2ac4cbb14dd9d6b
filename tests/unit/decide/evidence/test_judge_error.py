import random

import pytest

from bascule.decide.evidence.judge_error import EXACT, Labelled, judge_error, labels_needed


def sample(count: int, *, flatters: float, seed: int = 1) -> list[Labelled]:
    """Even pairs of which the judge gives some to the challenger."""
    draw = random.Random(seed)
    return [Labelled(judged=1.0 if draw.random() < flatters else 0.0, true=0.0) for _ in range(count)]


def test_a_flattering_judge_is_found_out_and_more_labels_tell_more() -> None:
    few, many = judge_error(sample(100, flatters=0.1), 0.01), judge_error(sample(2_000, flatters=0.1), 0.01)
    assert few.low < many.low < 0.1 < many.high < few.high
    assert many.for_promotion == many.high
    assert many.for_demotion == 0.0  # it does not belittle


def test_a_judge_against_the_challenger_earns_it_no_credit() -> None:
    against = [Labelled(judged=-one.judged, true=0.0) for one in sample(2_000, flatters=0.2)]
    error = judge_error(against, 0.01)
    assert error.high < 0.0
    assert error.for_promotion == 0.0
    assert error.for_demotion == error.low < -0.15


def test_without_labels_everything_is_possible() -> None:
    error = judge_error([], 0.01)
    assert error.labels == 0
    assert [error.low, error.high] == pytest.approx([-2.0, 2.0])
    assert (EXACT.for_promotion, EXACT.for_demotion) == (0.0, 0.0)


def test_grades_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="from -1 to 1"):
        judge_error([Labelled(judged=2.0, true=0.0)], 0.01)


def test_labels_still_needed() -> None:
    needed = labels_needed(sample(200, flatters=0.02), 0.1, 0.01)
    assert needed is not None
    assert judge_error(sample(needed, flatters=0.02, seed=9), 0.01).high < 0.06
    assert labels_needed(sample(200, flatters=0.3), 0.1, 0.01) is None
    assert labels_needed([], 0.1, 0.01) is None
