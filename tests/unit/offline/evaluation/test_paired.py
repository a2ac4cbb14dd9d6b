import math
import random

import pytest

from bascule.offline.evaluation.paired import cases_needed, difference, mcnemar, mean_of, newcombe, reaches, wilson


def pairs(both: int, lost: int, won: int, neither: int) -> tuple[list[float], list[float]]:
    first = [1.0] * (both + lost) + [0.0] * (won + neither)
    second = [1.0] * both + [0.0] * lost + [1.0] * won + [0.0] * neither
    return first, second


def test_wilson_as_published() -> None:
    """Newcombe 1998 (Statistics in Medicine 17:857), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for good, cases, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(good, cases, 1.959964) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((36, 14, 0, 0), 0.1528, 0.4167),
    ],
)
def test_newcombe_as_published(cells: tuple[int, int, int, int], low: float, high: float) -> None:
    """Newcombe 1998 (Statistics in Medicine 17:2635), table of examples, method 10; theirs is first minus second."""
    first, second = pairs(*cells)
    found = newcombe(list(zip(second, first, strict=True)), 1.959964)
    assert found == pytest.approx((low, high), abs=2e-3)


@pytest.mark.parametrize("cells", [(0.6, 0.1, 0.1, 0.2), (0.85, 0.05, 0.02, 0.08), (0.4, 0.25, 0.05, 0.3)])
def test_newcombe_covers(cells: tuple[float, float, float, float]) -> None:
    """Every table of 20 cases, weighed by its probability: the interval misses about 1 in 20."""
    cases, truth, missed = 20, cells[2] - cells[1], 0.0
    for both in range(cases + 1):
        for lost in range(cases + 1 - both):
            for won in range(cases + 1 - both - lost):
                counts = (both, lost, won, cases - both - lost - won)
                ways = math.factorial(cases) / math.prod([math.factorial(count) for count in counts])
                weight = ways * math.prod([p**count for p, count in zip(cells, counts, strict=True)])
                first, second = pairs(*counts)
                low, high = newcombe(list(zip(first, second, strict=True)), 1.959964)
                missed += weight * (not low <= truth <= high)
    assert missed < 0.055


def test_mcnemar_is_the_binomial_test() -> None:
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(10, 0) == pytest.approx(2 / 1024)
    assert mcnemar(2, 8) == pytest.approx(0.109375)


def test_a_difference_of_right_and_wrong() -> None:
    found = difference(*pairs(70, 5, 15, 10))
    assert found is not None
    assert found.mean == pytest.approx(0.1)
    assert (found.cases, found.better, found.worse) == (100, 15, 5)
    assert found.p_value == pytest.approx(0.0414, abs=1e-4)
    assert found.low < found.at_least < found.mean < found.at_most < found.high


def test_twenty_equal_scores_are_no_certainty() -> None:
    for score in (1.0, 0.5):
        found = difference([score] * 20, [score] * 20)
        assert found is not None
        assert found.low < -0.1
        assert found.high > 0.1
        mean = mean_of([score] * 20)
        assert mean is not None
        assert mean.low < score - 0.05


def test_nothing_is_said_of_nothing() -> None:
    assert mean_of([]) is None
    assert difference([], []) is None
    with pytest.raises(ValueError):
        difference([1.0], [])


@pytest.mark.parametrize("cases", [15, 60])
def test_the_true_difference_is_rarely_outside(cases: int) -> None:
    """400 draws of graded scores with a true difference of -0.1: each bound may be wrong in 1 of 20."""
    dice = random.Random(7)
    below = above = 0
    for _ in range(400):
        first = [dice.choice((0.2, 0.6, 1.0)) for _ in range(cases)]
        second = [max(0.0, min(1.0, score - 0.1 + dice.choice((-0.1, 0.0, 0.1)))) for score in first]
        truth = -0.1
        found = difference(first, second)
        assert found is not None
        below += found.at_most < truth
        above += found.at_least > truth
    assert below <= 30
    assert above <= 30


def test_the_interval_narrows_with_cases() -> None:
    dice = random.Random(3)
    scores = [dice.random() for _ in range(2_000)]
    few, many = mean_of(scores[:50]), mean_of(scores)
    assert few is not None
    assert many is not None
    assert many.high - many.low < (few.high - few.low) / 4
    assert many.high - many.low < 0.05


def test_the_cases_that_a_decision_takes() -> None:
    """Right or wrong: (1.645 + 0.842) deviations, squared, over the squared gap."""
    found = difference(*pairs(80, 10, 10, 0))
    assert found is not None
    assert found.deviation == pytest.approx(math.sqrt(0.2))
    assert cases_needed(found, 0.02) == math.ceil(2.48647**2 * 0.2 / 0.02**2)
    assert cases_needed(found, 0.0) is None


def test_equal_scores_are_no_proof_that_all_are() -> None:
    found = difference([1.0] * 25, [1.0] * 25)
    assert found is not None
    assert found.deviation == 0
    needed = cases_needed(found, 0.02)
    assert needed is not None
    assert needed > 100


def test_a_bound_for_any_distribution_reaches_further() -> None:
    binary, scores = difference(*pairs(80, 10, 10, 0)), difference([0.0] * 100, [0.5] * 10 + [-0.5] * 10 + [0.0] * 80)
    assert binary is not None
    assert scores is not None
    ((size, reach),) = reaches(binary)
    assert size == 1
    assert reach == pytest.approx(1.645 * binary.deviation, rel=1e-3)
    assert all(1.645 * scores.deviation < far < 3 * scores.deviation for _, far in reaches(scores))
