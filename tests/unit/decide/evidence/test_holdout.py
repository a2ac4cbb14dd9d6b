import random

import pytest

from bascule.decide.evidence.holdout import Spent, is_held_out, saving, share_of


def test_a_share_is_held_out_for_good_and_a_salt_shuffles() -> None:
    sessions = [f"s{number}" for number in range(4_000)]
    held = {session for session in sessions if is_held_out(session, "a", 0.1)}
    assert 320 < len(held) < 480
    assert held == {session for session in sessions if is_held_out(session, "a", 0.1)}
    others = {session for session in sessions if is_held_out(session, "b", 0.1)}
    assert len(held & others) < 80
    assert not [session for session in sessions if is_held_out(session, "a", 0.0)]
    assert all(0.0 <= share_of(session, "a") < 1.0 for session in sessions)


def spent(costs: list[int]) -> Spent:
    part = Spent()
    for cost in costs:
        part = part.plus(cost)
    return part


def test_the_saving_by_hand() -> None:
    found = saving(spent([100, 300] * 50), spent([900, 1_100] * 20), 1_000)
    assert found is not None
    # 800 a session, 100 sessions, less what evidence cost.
    assert found.nanousd == 79_000
    # Variances 10101 and 10256, of means 101.0 and 256.4: an error of 18.9, and t for 65 degrees is 2.00.
    assert found.high_nanousd - found.nanousd == pytest.approx(100 * 1.997 * 18.906, rel=0.002)
    assert found.nanousd - found.low_nanousd == pytest.approx(found.high_nanousd - found.nanousd, abs=1)


def test_few_sessions_say_nothing() -> None:
    assert saving(spent([1] * 100), spent([2] * 29), 0) is None
    assert saving(spent([1] * 29), spent([2] * 100), 0) is None


def test_without_a_difference_the_interval_holds_zero_nineteen_times_of_twenty() -> None:
    draw = random.Random(2)
    inside = 0
    for _ in range(200):
        found = saving(
            spent([round(draw.expovariate(1e-6)) for _ in range(80)]),
            spent([round(draw.expovariate(1e-6)) for _ in range(60)]),
            0,
        )
        assert found is not None
        inside += found.low_nanousd <= 0 <= found.high_nanousd
    assert 180 <= inside <= 199
