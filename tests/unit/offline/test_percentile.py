from hypothesis import given
from hypothesis import strategies as st

from bascule.model.report import spread_of
from bascule.offline.percentile import percentile


@given(st.lists(st.integers(), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_and_covers_its_share(values: list[int], percent: int) -> None:
    found = percentile(sorted(values), percent)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 50) is None


def test_a_spread_needs_two_runs_and_something_to_divide_by() -> None:
    assert spread_of(10, 1, 5, 9).p90_over_p10 == 9.0
    assert spread_of(1, 5, 5, 5).p90_over_p10 is None
    assert spread_of(2, 0, 0, 5).p90_over_p10 is None
