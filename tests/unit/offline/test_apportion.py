"""Parts sum to the whole, and no part is off by a unit or more."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.offline.apportion import apportion, round_to_sum


@given(st.integers(-(10**18), 10**18), st.lists(st.integers(0, 10**12), min_size=1).filter(any))
def test_parts_sum_to_the_total_and_are_near_their_share(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


def test_units_that_are_left_go_to_whoever_lost_most_then_to_the_earlier() -> None:
    assert apportion(100, [1, 1, 1]) == [34, 33, 33]
    assert apportion(10, [5, 3, 8]) == [3, 2, 5]
    assert apportion(0, [0, 0]) == [0, 0]


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody has a share"):
        apportion(5, [0, 0])
    with pytest.raises(ValueError, match="negative"):
        apportion(5, [1, -1])
    with pytest.raises(ValueError, match="do not come to 9"):
        round_to_sum([Fraction(1), Fraction(2)], 9)
