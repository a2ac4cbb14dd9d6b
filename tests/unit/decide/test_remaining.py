"""Expected remaining turns against what the counts say."""

import pytest

from bascule.decide.remaining import MOST_TURNS_LEFT, PRIOR_TURNS, hazard, no_lengths, turns_left


def test_before_anything_is_known_it_is_the_prior() -> None:
    assert hazard(no_lengths(), 1) == pytest.approx(1 / PRIOR_TURNS)
    assert turns_left(no_lengths(), 1) == pytest.approx(PRIOR_TURNS - 1, abs=0.02)


def test_sessions_that_always_end_at_three_have_two_one_and_no_turns_left() -> None:
    lengths = no_lengths()
    lengths.went_on[1] = lengths.went_on[2] = lengths.ended[3] = 100_000
    assert [round(turns_left(lengths, turn), 1) for turn in (1, 2, 3)] == [2.0, 1.0, 0.0]


def test_endless_sessions_are_bounded() -> None:
    lengths = no_lengths()
    lengths.went_on = [10**9] * len(lengths.went_on)
    assert turns_left(lengths, 300) <= MOST_TURNS_LEFT
    assert turns_left(lengths, 300) > MOST_TURNS_LEFT - 1
