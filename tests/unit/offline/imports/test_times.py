import pytest

from bascule.offline.imports.times import MAX_CALL_MS, began_ms, timestamp_in, timestamp_ms

MS = 1_795_225_394_472


@pytest.mark.parametrize(
    "text",
    ["2026-11-21T01:43:14.472Z", "2026-11-21T01:43:14.472", "2026-11-21T02:43:14.472+01:00", "2026-11-21 01:43:14.472"],
)
def test_iso_times(text: str) -> None:
    assert timestamp_ms(text) == MS


def test_the_time_of_a_line_is_found_without_reading_it() -> None:
    assert (
        timestamp_in(b'{"a":"\\"timestamp\\":\\"2001-01-01T00:00:00Z\\"","timestamp":"2026-11-21T01:43:14.472Z"}') == MS
    )
    assert timestamp_in(b'{"timestamp": "2026-11-21T01:43:14.472Z", "x": 1}') == MS
    assert timestamp_in(b'{"x": "\\"timestamp\\":\\"2026-11-21T01:43:14.472Z\\""}') is None
    assert timestamp_in(b'{"timestamp":"soon"}') is None


@pytest.mark.parametrize(
    ("before", "began"), [(None, MS), (MS - 1_000, MS - 1_000), (MS + 1, MS), (MS - MAX_CALL_MS - 1, MS)]
)
def test_a_call_begins_with_the_line_before_if_that_is_near(before: int | None, began: int) -> None:
    assert began_ms(before, MS) == began
