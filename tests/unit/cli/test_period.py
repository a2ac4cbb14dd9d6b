from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.cli.period import iso, iso_day, period_of
from bascule.offline.moment import moment_ms

NOW = 1_795_262_400_000  # 2026-11-21T12:00:00Z


def at(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


def test_the_same_word_twice_is_the_whole_span() -> None:
    period = period_of("2026-11", "2026-11", NOW)
    assert (period.since_ms, period.until_ms) == (at(2026, 11, 1), at(2026, 12, 1))


def test_a_period_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="is not after"):
        period_of("2026-11", "2026-10", NOW)


@given(st.integers(0, 4_000_000_000_000))
def test_iso_reads_back(ts_ms: int) -> None:
    text = iso(ts_ms)
    assert text is not None
    assert moment_ms(text, NOW) == ts_ms
    assert iso_day(ts_ms) == text[:10]
