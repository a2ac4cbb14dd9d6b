import random

import pytest

from bascule.decide.evidence.confidence import interval


def test_narrows_around_the_mean_and_says_nothing_of_little() -> None:
    assert interval(19, 0.0, 5.0) is None
    few, many = interval(100, 10.0, 30.0), interval(10_000, 1_000.0, 3_000.0)
    assert few is not None
    assert many is not None
    assert sum(few) / 2 == pytest.approx(0.1)
    assert few[1] - few[0] > 5 * (many[1] - many[0])


def test_equal_answers_alone_are_no_certainty() -> None:
    ends = interval(50, 0.0, 0.0)
    assert ends is not None
    assert ends[1] - ends[0] > 0.05


def test_holds_at_every_look_together() -> None:
    draw = random.Random(8)
    missed = 0
    for _ in range(100):
        total = squares = 0.0
        for count in range(1, 1_001):
            value = draw.choice([1.0, -1.0, 0.0, 0.0])
            total, squares = total + value, squares + value * value
            ends = interval(count, total, squares)
            if ends is not None and not ends[0] <= 0.0 <= ends[1]:
                missed += 1
                break
    assert missed <= 9  # 5 at most are expected; 9 is two standard deviations more
