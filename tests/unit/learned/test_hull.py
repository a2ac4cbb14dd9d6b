"""Areas under quality over cost, against figures worked out by hand."""

import pytest

from bascule.learned.hull import hull


def test_a_point_below_the_line_between_its_neighbours_is_left_out() -> None:
    line = hull([(0.0, 0.2), (0.5, 0.4), (1.0, 0.8), (2.0, 0.7)])
    assert line.cost.tolist() == [0.0, 1.0]
    assert line.mean(0.0, 1.0) == pytest.approx(0.5)
    assert line.mean(0.0, 2.0) == pytest.approx((0.5 + 0.8) / 2)


def test_the_cost_of_a_quality_is_read_off_the_line() -> None:
    line = hull([(1.0, 0.4), (3.0, 0.8)])
    assert line.cost_of(0.6) == pytest.approx(2.0)
    assert line.cost_of(0.1) == pytest.approx(1.0)
    assert line.cost_of(0.81) is None


def test_of_points_at_one_cost_the_best_counts() -> None:
    assert hull([(1.0, 0.4), (1.0, 0.5), (1.0, 0.3)]).quality.tolist() == [0.5]


def test_a_budget_below_the_first_point_has_its_quality_and_a_range_of_nothing_is_a_point() -> None:
    line = hull([(1.0, 0.4), (2.0, 0.6)])
    assert line.mean(0.0, 1.0) == pytest.approx(0.4)
    assert line.mean(1.5, 1.5) == pytest.approx(0.5)
