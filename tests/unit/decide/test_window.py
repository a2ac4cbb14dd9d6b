from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.window import span, span_of, window_bounds, window_id

WINDOWS = ("hour", "day", "week", "month", "total")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("window", "at", "identifier", "start", "end"),
    [
        ("hour", "2026-11-21T05:59:59.999", "2026-11-21T05", "2026-11-21T05:00", "2026-11-21T06:00"),
        ("day", "2026-11-21T00:00", "2026-11-21", "2026-11-21", "2026-11-22"),
        ("week", "2026-11-21T12:00", "2026-W47", "2026-11-16", "2026-11-23"),
        ("month", "2026-12-31T23:59", "2026-12", "2026-12-01", "2027-01-01"),
        ("month", "2028-02-29T00:00", "2028-02", "2028-02-01", "2028-03-01"),
        # ISO 8601: the first days of 2027 still belong to the 53rd week of 2026
        ("week", "2027-01-03T10:00", "2026-W53", "2026-12-28", "2027-01-04"),
        ("week", "2024-12-30T00:00", "2025-W01", "2024-12-30", "2025-01-06"),
    ],
)
def test_windows_are_utc_calendar(window, at, identifier, start, end):
    assert window_id(window, ms(at)) == identifier
    assert window_bounds(window, ms(at)) == (ms(start), ms(end))


def test_total_never_ends():
    assert window_bounds("total", 5) == (0, None)
    assert window_id("total", 5) == "total"


@given(st.sampled_from(WINDOWS), st.integers(0, 4_000_000_000_000))
def test_an_instant_lies_in_its_window_and_the_identifier_names_it(window, now_ms):
    found = span(window, now_ms)
    assert found.start_ms <= now_ms
    assert found.end_ms is None or now_ms < found.end_ms
    assert span_of(found.id) == found
    if found.end_ms is not None:
        assert span(window, found.end_ms).start_ms == found.end_ms
        assert span(window, found.end_ms - 1).id == found.id


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-W54", "2026-11-31", "2026-11-21T24", "tomorrow", "2026-11-2x"]
)
def test_what_is_no_window_is_said(text):
    with pytest.raises(ValueError):
        span_of(text)
