"""A replica's clock against the database's."""

from collections.abc import Iterator

import pytest

from bascule.model.errors import StoreError
from bascule.storage.skew import judge_skew, skew_s

DAY_MS = 86_400_000


def clock(*readings: int) -> Iterator[int]:
    return iter(readings)


@pytest.mark.parametrize(
    ("before_ms", "there_ms", "after_ms", "ahead_s"),
    [
        (1_000, 1_000, 1_000, 0),
        (1_000, 1_300, 1_600, 0),
        (1_000, 900, 1_600, 0.1),
        (1_000, 2_000, 1_600, -0.4),
        (DAY_MS, 0, DAY_MS + 5, 86_400),
    ],
)
def test_what_the_question_took_is_no_skew(before_ms: int, there_ms: int, after_ms: int, ahead_s: float) -> None:
    own = clock(before_ms, after_ms)
    assert skew_s(lambda: next(own), lambda: there_ms) == pytest.approx(ahead_s)


@pytest.mark.parametrize("ahead_s", [0.0, 4.9, -4.9])
def test_a_little_is_nothing(ahead_s: float) -> None:
    assert judge_skew(ahead_s) is None


@pytest.mark.parametrize(("ahead_s", "how"), [(6.0, "6 s ahead of"), (-299.0, "299 s behind")])
def test_what_others_notice_is_told(ahead_s: float, how: str) -> None:
    assert how in (judge_skew(ahead_s) or "")


@pytest.mark.parametrize(("ahead_s", "how"), [(301.0, "301 s ahead of"), (-86_400.0, "86,400 s behind")])
def test_what_spends_another_windows_budget_does_not_start(ahead_s: float, how: str) -> None:
    with pytest.raises(StoreError, match=rf"{how}.*Set the clock"):
        judge_skew(ahead_s)
