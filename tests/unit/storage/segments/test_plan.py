"""What is to compact, and what of it still holds."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.ports import HOUR_MS
from bascule.storage.segments.manifest import SegmentFile
from bascule.storage.segments.plan import DAY_H, Day, fresh_hours, spans_of, stale_spans, work_to_do

G = "gateway"


def a_file(day: int, hours: dict[int, int], origin: str = G) -> SegmentFile:
    return SegmentFile(origin=origin, day=day, file="x", rows=1, size_bytes=1, hours=hours)


def test_hours_that_are_over_and_settled_by_day_and_origin():
    versions = {(G, 1): 1, (G, 2): 4, (G, 23): 1, (G, 24): 1, (G, 25): 1, ("codex", 2): 1}
    work = work_to_do(versions, {2, 25}, [], 25)
    assert work.days == (Day("codex", 0, (2,)), Day(G, 0, (1, 23)), Day(G, 1, (24,)))
    assert (work.unchanged, work.open_hours) == (0, (2,))


def test_only_days_that_changed():
    versions = {(G, 1): 1, (G, 24): 2, (G, 25): 1, (G, 48): 1}
    files = [a_file(0, {1: 1}), a_file(1, {24: 1, 25: 1}), a_file(2, {48: 1, 49: 3})]
    work = work_to_do(versions, set(), files, 100)
    assert (work.days, work.unchanged) == ((Day(G, 1, (24, 25)),), 2)


def test_what_holds_stays_in_a_file_that_is_written_anew_before_an_earlier_end():
    work = work_to_do({(G, 1): 2, (G, 5): 1, (G, 6): 1}, set(), [a_file(0, {1: 1, 5: 1})], 2)
    assert work.days == (Day(G, 0, (1, 5)),)
    assert work_to_do({(G, 5): 1}, {5}, [a_file(0, {5: 1})], 2).days == ()


def test_an_hour_is_fresh_in_its_version_and_while_no_line_is_about_it():
    one = a_file(0, {3: 1, 1: 1, 2: 5})
    assert fresh_hours(one, {(G, 1): 1, (G, 2): 6, (G, 3): 1}, set()) == [1, 3]
    assert fresh_hours(one, {(G, 1): 1, (G, 3): 1}, {3}) == [1]
    assert fresh_hours(a_file(0, {3: 1}, "codex"), {("codex", 3): 1}, {3}) == [3]


def test_neighbouring_hours_are_one_span():
    assert spans_of([]) == ()
    assert spans_of([1, 2, 4]) == ((HOUR_MS, 3 * HOUR_MS), (4 * HOUR_MS, 5 * HOUR_MS))


HOURS = st.sets(st.tuples(st.sampled_from((G, "codex")), st.integers(0, 3 * DAY_H)), max_size=30)


@given(hours=HOURS, fresh=HOURS)
def test_stale_spans_hold_every_hour_that_is_not_fresh_and_none_that_is(hours, fresh):
    found = stale_spans(hours, fresh)
    covered = {
        (origin, hour)
        for origin, spans in found.items()
        for since_ms, until_ms in spans
        for hour in range(since_ms // HOUR_MS, until_ms // HOUR_MS)
    }
    assert hours - fresh <= covered
    assert not covered & fresh
