from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.offline.moment import iso_time, moment_ms

NOW = 1_795_262_400_000  # 2026-11-21T12:00:00Z
DAY = 86_400_000


def at(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("7d", NOW - 7 * DAY, NOW - 7 * DAY),
        ("24h", NOW - DAY, NOW - DAY),
        ("90m", NOW - 5_400_000, NOW - 5_400_000),
        ("2w", NOW - 14 * DAY, NOW - 14 * DAY),
        ("now", NOW, NOW),
        ("today", at(2026, 11, 21), at(2026, 11, 22)),
        ("yesterday", at(2026, 11, 20), at(2026, 11, 21)),
        ("2026", at(2026, 1, 1), at(2027, 1, 1)),
        ("2026-11", at(2026, 11, 1), at(2026, 12, 1)),
        ("2026-12", at(2026, 12, 1), at(2027, 1, 1)),
        ("2026-W47", at(2026, 11, 16), at(2026, 11, 23)),
        ("2026-11-21", at(2026, 11, 21), at(2026, 11, 22)),
        ("2026-11-21T05", at(2026, 11, 21, 5), at(2026, 11, 21, 6)),
        ("2026-11-21T05:00", at(2026, 11, 21, 5), at(2026, 11, 21, 5)),
        ("2026-11-21T05:00:00Z", at(2026, 11, 21, 5), at(2026, 11, 21, 5)),
        ("2026-11-21T05:00+02:00", at(2026, 11, 21, 3), at(2026, 11, 21, 3)),
    ],
)
def test_moments(text: str, begins: int, ends: int) -> None:
    assert moment_ms(text, NOW) == begins
    assert moment_ms(text, NOW, end=True) == ends


@pytest.mark.parametrize("text", ["", "soon", "7", "7y", "2026-13", "2026-02-30", "9999", "2026-W60", "-1d", "total"])
def test_what_is_no_moment_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"write e\.g\. 2026-11-21"):
        moment_ms(text, NOW, end=True)


def test_iso_times() -> None:
    assert iso_time(NOW + 7) == "2026-11-21T12:00:00.007Z"
    assert iso_time(0) == "1970-01-01T00:00:00.000Z"
    assert iso_time(None) is None


@given(st.integers(0, 4_000_000_000_000))
def test_iso_time_reads_back(ts_ms: int) -> None:
    text = iso_time(ts_ms)
    assert text is not None
    assert moment_ms(text, NOW) == ts_ms
