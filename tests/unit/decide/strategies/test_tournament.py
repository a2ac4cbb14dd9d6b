import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.judge import Preference, Unreadable
from bascule.decide.strategies.tournament import comparisons, pairs, survivors


def won(winner: str) -> Preference:
    return Preference(winner=winner, consistent=winner != "tie", reason="")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left", "meet"), [([0], []), ([0, 1], [(0, 1)]), ([0, 1, 2], [(0, 1)]), ([3, 1, 2, 5], [(3, 1), (2, 5)])]
)
def test_who_meets_whom(left: list[int], meet: list[tuple[int, int]]) -> None:
    assert pairs(left) == meet


def test_the_better_goes_on_and_in_doubt_the_earlier() -> None:
    assert survivors([0, 1, 2], [won("b")]) == [1, 2]
    assert survivors([0, 1], [won("tie")]) == [0]
    assert survivors([0, 1, 2, 3], [Unreadable("?"), won("b")]) == [0, 3]


@given(st.integers(1, 8), st.data())
def test_one_is_left_after_as_many_comparisons_as_are_held_for(count: int, data: st.DataObject) -> None:
    left, made = list(range(count)), 0
    best = data.draw(st.integers(0, count - 1))
    while len(left) > 1:
        meet = pairs(left)
        made += len(meet)
        left = survivors(left, [won("a" if a == best else "b" if b == best else "tie") for a, b in meet])
    assert left == [best]
    assert made == comparisons(count)
