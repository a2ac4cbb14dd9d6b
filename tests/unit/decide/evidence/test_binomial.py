import math

import pytest

from bascule.decide.evidence.binomial import beta_cdf, beta_quantile, clopper_pearson, student_quantile, upper_share


@pytest.mark.parametrize(("a", "b"), [(1, 9), (3, 4), (12, 2), (40, 60)])
def test_the_beta_distribution_is_the_binomial_tail(a: int, b: int) -> None:
    n = a + b - 1
    for x in (0.01, 0.2, 0.5, 0.9):
        tail = sum([math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1)])
        assert beta_cdf(x, a, b) == pytest.approx(tail, abs=1e-10)


def test_quantiles_are_the_inverse() -> None:
    for a, b in [(0.5, 0.5), (2.5, 80.0), (5_000.0, 3.0)]:
        for p in (0.005, 0.05, 0.5, 0.95):
            assert beta_cdf(beta_quantile(p, a, b), a, b) == pytest.approx(p, abs=1e-6)
    assert (beta_cdf(0.0, 1, 1), beta_cdf(1.0, 1, 1)) == (0.0, 1.0)


def test_exact_intervals_as_published() -> None:
    assert clopper_pearson(5, 10) == pytest.approx((0.18708603, 0.81291397), abs=1e-7)
    assert clopper_pearson(0, 20) == pytest.approx((0.0, 0.16843348), abs=1e-7)
    assert upper_share(0, 20) == pytest.approx(1 - 0.05 ** (1 / 20), abs=1e-7)  # the rule of three, exactly
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson(3, 2)


def test_student() -> None:
    assert student_quantile(0.975, 10) == pytest.approx(2.228139, abs=1e-5)
    assert student_quantile(0.05, 4) == pytest.approx(-2.131847, abs=1e-5)
    assert student_quantile(0.975, 1e6) == pytest.approx(1.959966, abs=1e-4)
