"""Least squares and Student's t, against printed tables and worked examples."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bascule.offline.fit import fit_line, fit_lines, incomplete_beta, t_quantile, t_share

# Student's t, two-sided 95 % and 99 %, as printed in Fisher and Yates' tables.
PRINTED = [
    (0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 3, 3.182), (0.975, 4, 2.776), (0.975, 5, 2.571),
    (0.975, 6, 2.447), (0.975, 10, 2.228), (0.975, 20, 2.086), (0.975, 30, 2.042), (0.975, 60, 2.000),
    (0.975, 120, 1.980), (0.995, 1, 63.657), (0.995, 4, 4.604), (0.995, 10, 3.169), (0.95, 7, 1.895),
]  # fmt: skip


@pytest.mark.parametrize(("p", "df", "printed"), PRINTED)
def test_the_quantiles_of_the_tables(p: float, df: int, printed: float) -> None:
    assert t_quantile(p, df) == pytest.approx(printed, abs=0.0005)
    assert t_quantile(1 - p, df) == pytest.approx(-printed, abs=0.0005)


def test_one_and_two_degrees_of_freedom_have_closed_forms() -> None:
    for t in (-30.0, -1.0, 0.0, 0.3, 2.0, 500.0):
        assert t_share(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-12)
        assert t_share(t, 2) == pytest.approx(0.5 + t / (2 * math.sqrt(2 + t * t)), abs=1e-12)


@given(st.integers(1, 400), st.floats(0.001, 0.999))
def test_the_quantile_inverts_the_share(df: int, p: float) -> None:
    assert t_share(t_quantile(p, df), df) == pytest.approx(p, abs=1e-9)


@given(st.floats(0.001, 0.999), st.floats(0.1, 50), st.floats(0.1, 50))
def test_the_beta_function_is_symmetric(x: float, a: float, b: float) -> None:
    assert incomplete_beta(x, a, b) == pytest.approx(1 - incomplete_beta(1 - x, b, a), abs=1e-9)


def test_no_quantile_of_nonsense() -> None:
    for p, df in ((0.0, 3), (1.0, 3), (0.5, 0)):
        with pytest.raises(ValueError):
            t_quantile(p, df)


def test_a_worked_example() -> None:
    """Anscombe's first quartet: y = 3.00 + 0.500 x, R2 0.667, standard error of the slope 0.118."""
    xs = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0]
    ys = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    line = fit_line(xs, ys)
    assert line is not None
    assert (line.n, line.df) == (11, 9)
    assert line.slope == pytest.approx(0.50009, abs=5e-6)
    assert line.intercept == pytest.approx(3.00009, abs=5e-6)
    assert line.slope_error == pytest.approx(0.11791, abs=5e-6)
    assert line.r2 == pytest.approx(0.66654, abs=5e-6)
    assert (line.slope_low, line.slope_high) == pytest.approx((0.23337, 0.76681), abs=5e-5)


def test_too_little_for_a_line() -> None:
    assert fit_line([], []) is None
    assert fit_line([1.0, 2.0], [1.0, 2.0]) is None
    assert fit_line([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None


def test_a_perfect_line_has_no_scatter_and_a_flat_one_nothing_to_explain() -> None:
    perfect = fit_line([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0])
    assert perfect is not None
    assert (perfect.slope, perfect.slope_low, perfect.slope_high, perfect.r2) == (2.0, 2.0, 2.0, 1.0)
    flat = fit_line([0.0, 1.0, 2.0], [4.0, 4.0, 4.0])
    assert flat is not None
    assert (flat.slope, flat.r2) == (0.0, None)


def test_groups_share_a_slope_and_keep_their_levels() -> None:
    one = ([0.0, 1.0, 2.0], [0.0, -1.0, -2.0])
    far = ([5.0, 6.0], [100.0, 99.0])
    alone = ([7.0], [3.0])
    line = fit_lines([one, far, alone])
    assert line is not None
    assert line.slope == pytest.approx(-1.0)
    assert (line.n, line.df) == (5, 2)
    assert fit_lines([alone, alone]) is None


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=3, max_size=30), st.floats(-9, 9))
def test_moving_and_scaling_moves_the_answer_alike(points: list[tuple[float, float]], shift: float) -> None:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    assume(max(xs) - min(xs) > 1e-3)
    line, moved = fit_line(xs, ys), fit_line([x + shift for x in xs], [2 * y + shift for y in ys])
    assert line is not None
    assert moved is not None
    assert moved.slope == pytest.approx(2 * line.slope, rel=1e-5, abs=1e-5)
    assert line.slope_low <= line.slope <= line.slope_high
