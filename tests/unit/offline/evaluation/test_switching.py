from typing import Any

import pytest

from bascule.offline.evaluation.features import Gap
from bascule.offline.evaluation.paired import Difference, difference
from bascule.offline.evaluation.switching import decided

LOST = Gap(feature="image", standing="lost", requests=30, of=100, why="takes no image input")
RARE = Gap(feature="context", standing="lost", requests=1, of=1_000, why="too long")
MAYBE = Gap(feature="tools", standing="unknown", requests=90, of=100, why="nobody says")


def scores(both: int, lost: int, won: int) -> Difference:
    first = [1.0] * (both + lost) + [0.0] * won
    second = [1.0] * both + [0.0] * lost + [1.0] * won
    found = difference(first, second)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("found", "more", "verdict", "said"),
    [
        (scores(990, 5, 5), {}, "switch", "costs 0.5 times"),
        (scores(990, 5, 5), {"case_cost_ratio": 1.2}, "keep", "saves nothing"),
        (scores(700, 5, 295), {"case_cost_ratio": 1.2}, "switch", "better by"),
        (scores(990, 5, 5), {"case_cost_ratio": None}, "not_enough_evidence", "cost is not known"),
        (scores(990, 5, 5), {"gaps": [LOST]}, "keep", "image (30 of 100 requests)"),
        (scores(990, 5, 5), {"gaps": [RARE, MAYBE]}, "switch", ""),
        (scores(80, 20, 0), {}, "keep", "falls by"),
        (scores(19, 1, 0), {}, "not_enough_evidence", "quality may change by"),
        (scores(20, 0, 0), {}, "not_enough_evidence", "quality may change by"),
        (None, {}, "not_enough_evidence", "--judge"),
    ],
)
def test_the_verdict(found: Difference | None, more: dict[str, Any], verdict: str, said: str) -> None:
    given: dict[str, Any] = {"margin": 0.02, "case_cost_ratio": 0.5, "gaps": []} | more
    made = decided(found, **given)
    assert made.verdict == verdict
    assert said in made.reason


def test_a_promise_of_cases_is_kept() -> None:
    """As many cases as were asked for, of the same kind, do decide."""
    small = scores(94, 3, 3)
    made = decided(small, margin=0.03, case_cost_ratio=0.5, gaps=[])
    assert made.verdict == "not_enough_evidence"
    assert made.cases_needed is not None
    assert made.cases_still_needed == made.cases_needed - 100
    times = -(-made.cases_needed // 100) + 1
    assert (
        decided(scores(94 * times, 3 * times, 3 * times), margin=0.03, case_cost_ratio=0.5, gaps=[]).verdict == "switch"
    )
