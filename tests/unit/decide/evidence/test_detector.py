import math
import random

import pytest

from bascule.decide.evidence.detector import Alarm, Watch, watched

WATCH = Watch(-0.05)


def level(differences: list[float], alarm: Alarm = Alarm()) -> Alarm:  # noqa: B008 it is frozen
    for difference in differences:
        alarm = watched(alarm, difference, WATCH)
    return alarm


def test_a_gambler_begins_at_every_observation() -> None:
    boldest = 0.9 / 1.05
    one = level([-1.0])
    assert one.sums == pytest.approx([1 + boldest / 2**k * 0.95 for k in range(4)])
    two = level([0.0], one)
    assert two.sums == pytest.approx([(one.sums[k] + 1) * (1 - boldest / 2**k * 0.05) for k in range(4)])
    assert (two.count, two.total, two.squares, two.mean) == (2, -1.0, 1.0, -0.5)


def test_at_the_null_the_level_grows_by_one_an_observation() -> None:
    """Exactly so in expectation, which is what bounds the time to a false alarm."""
    chances = {1.0: 0.10, 0.0: 0.75, -1.0: 0.15}
    reached: list[tuple[tuple[float, ...], float]] = [((), 1.0)]
    for _ in range(5):
        reached = [((*path, value), weight * chances[value]) for path, weight in reached for value in chances]
    assert sum([weight * level(list(path)).level for path, weight in reached]) == pytest.approx(5.0)


def test_a_long_good_past_does_not_delay_the_alarm() -> None:
    draw = random.Random(4)
    good = [draw.choice([1.0, -1.0, 0.0, 0.0, 0.0, 0.0]) for _ in range(3_000)]
    bad = [draw.choice([-1.0, -1.0, 0.0, 0.0, 1.0]) for _ in range(400)]

    def until_alarm(alarm: Alarm) -> int:
        for count, difference in enumerate(bad, 1):
            alarm = watched(alarm, difference, WATCH)
            if alarm.level >= 5_000:
                return count
        raise AssertionError("no alarm")

    assert level(good).level < 5_000
    assert until_alarm(level(good)) <= until_alarm(Alarm()) + 5


@pytest.mark.parametrize("difference", [1.1, -1.1, math.nan])
def test_what_is_no_difference_is_refused(difference: float) -> None:
    with pytest.raises(ValueError, match="between -1 and 1"):
        watched(Alarm(), difference, WATCH)


def test_a_null_is_a_mean_of_differences() -> None:
    with pytest.raises(ValueError, match="no mean"):
        Watch(-1.0)
