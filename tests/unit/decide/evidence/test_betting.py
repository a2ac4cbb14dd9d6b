import math
import random

import pytest

from bascule.decide.evidence.betting import Bets, Capital, lower_mean, observed, observed_all, upper_mean

BETS = Bets(-0.05)


def test_capital_follows_by_hand() -> None:
    first = observed(Capital(), 1.0, BETS)
    boldest = 0.9 / 0.95
    # The plug-in's first stake knows the prior alone: a gap of 0.05 over a second moment of 0.25 + 0.05².
    assert first.adaptive == pytest.approx(1 + 0.05 / 0.2525 * 1.05)
    assert first.steady == pytest.approx([1 + boldest / 2**k * 1.05 for k in range(7)])
    assert first.e_value == pytest.approx(0.5 * first.adaptive + 0.5 * sum(first.steady) / 7)
    assert (first.count, first.mean) == (1, 1.0)


def test_a_stake_looks_only_back() -> None:
    """The same past and another present: the gain is linear in the present, so the stake is the same."""
    past = observed_all([0.0, 1.0, -1.0, 0.0], BETS)
    low, middle, high = [observed(past, value, BETS).adaptive for value in (-1.0, 0.0, 1.0)]
    assert high - middle == pytest.approx(middle - low)


def test_at_the_null_no_capital_is_gained_on_average() -> None:
    """Over all sequences of five differences, weighed by their chances: the mean of the capital is 1 or less."""
    chances = {1.0: 0.10, 0.0: 0.75, -1.0: 0.15}
    total = 0.0
    reached: list[tuple[tuple[float, ...], float]] = [((), 1.0)]
    for _ in range(5):
        reached = [((*path, value), weight * chances[value]) for path, weight in reached for value in chances]
    for path, weight in reached:
        total += weight * observed_all(path, BETS).e_value
    assert total == pytest.approx(1.0, abs=1e-9)


def test_worse_than_the_margin_loses_and_equal_wins() -> None:
    draw = random.Random(3)
    equal = [draw.choice([1.0, -1.0, 0.0, 0.0, 0.0, 0.0]) for _ in range(2_000)]
    worse = [draw.choice([1.0, -1.0, -1.0, 0.0, 0.0, 0.0]) for _ in range(2_000)]
    assert observed_all(equal, BETS).e_value > 20
    assert observed_all(worse, BETS).e_value < 0.01


def test_capital_stays_a_number() -> None:
    capital = observed_all([1.0] * 2_000, BETS)
    assert math.isfinite(capital.e_value)
    assert observed_all([-1.0] * 2_000, BETS).e_value >= 0.0


@pytest.mark.parametrize("difference", [1.1, -1.1, math.nan, math.inf])
def test_what_is_no_difference_is_refused(difference: float) -> None:
    with pytest.raises(ValueError, match="between -1 and 1"):
        observed(Capital(), difference, BETS)


@pytest.mark.parametrize(("null", "target"), [(0.0, 0.0), (-1.0, 0.0), (0.1, 0.0), (-0.1, 1.0)])
def test_a_null_lies_below_its_target(null: float, target: float) -> None:
    with pytest.raises(ValueError, match="does not lie below"):
        Bets(null, target)


def test_bounds_of_a_mean_enclose_it_and_narrow() -> None:
    draw = random.Random(5)
    values = [draw.choice([0.5, -0.5, 0.0, 0.0]) + 0.1 for _ in range(1_600)]
    mean = sum(values) / len(values)
    wide = upper_mean(values[:100], 0.01) - lower_mean(values[:100], 0.01)
    low, high = lower_mean(values, 0.01), upper_mean(values, 0.01)
    assert low < mean < high
    assert high - low < 0.4 * wide
    assert lower_mean([], 0.01) == pytest.approx(-1.0)
    assert upper_mean([], 0.01) == pytest.approx(1.0)


def test_bounds_miss_the_mean_no_more_often_than_they_say() -> None:
    draw = random.Random(7)
    missed = sum(
        [lower_mean([draw.choice([1.0, -1.0, -1.0, 0.0]) for _ in range(60)], 0.2) > -0.25 for _ in range(300)]
    )
    assert missed <= 75  # 60 are expected at most; 75 is two standard deviations more
