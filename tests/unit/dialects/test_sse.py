"""Server-sent events: any split, any line end, bounded."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.sse import (
    MAX_EVENT_BYTES,
    SseEvent,
    SseParser,
    data_event,
    named_event,
    parse_event,
    whole_events,
)

LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
LINE_TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
LINES = st.one_of(
    LINE_TEXT.map(lambda text: f"data: {text}"),
    LINE_TEXT.map(lambda text: f"data:{text}"),
    LINE_TEXT.map(lambda text: f": {text}"),
    st.sampled_from(["event: ping", "event:error", "data", "id: 7", "retry: 10"]),
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from(["", "\ufeff"]))
    for block in draw(st.lists(st.lists(LINES, min_size=1, max_size=4), max_size=5)):
        text += "".join(line + draw(LINE_ENDS) for line in block) + draw(LINE_ENDS)
    return text.encode()


def collect(pieces: list[bytes]) -> list[SseEvent]:
    parser = SseParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    rest = parser.rest()
    return events if rest is None else [*events, rest]


@given(streams(), st.lists(st.integers(0, 400), max_size=12))
def test_any_split_gives_the_same_events(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert collect(pieces) == collect([data])
    assert collect([bytes([byte]) for byte in data]) == collect([data])


@given(streams())
def test_no_byte_of_an_event_is_lost(data: bytes) -> None:
    raw = b"".join(event.raw for event in collect([data]))
    strip = data.removeprefix(b"\xef\xbb\xbf")
    blank_runs = strip.replace(b"\r", b"").replace(b"\n", b"")
    assert raw.replace(b"\r", b"").replace(b"\n", b"") == blank_runs


def test_fields_follow_the_grammar() -> None:
    event = parse_event(b"event: a\r\n: comment\r\ndata: one\r\ndata:  two\r\nid: 1\r\n\r\n")
    assert event.event == b"a"
    assert event.data == b"one\n two"
    assert parse_event(b": only a comment\n\n").data is None
    assert parse_event(b"data\n\n").data == b""


def test_events_are_told_apart_in_one_read_and_blank_lines_say_nothing() -> None:
    events = SseParser().feed(b"\n\ndata: 1\n\n\n\ndata: 2\n\n\ndata: 3\n\n")
    assert [event.data for event in events] == [b"1", b"2", b"3"]


def test_a_carriage_return_at_the_end_of_a_read_may_be_half_a_line_end() -> None:
    parser = SseParser()
    assert parser.feed(b"data: 1\r\n\r") == []
    assert [event.raw for event in parser.feed(b"\ndata: 2\r\n\r\n")] == [b"data: 1\r\n\r\n", b"data: 2\r\n\r\n"]


@pytest.mark.parametrize("piece", [b"x" * 1000, b": no end\n", b"data: x\n"])
def test_memory_is_bounded_whatever_never_ends(piece: bytes) -> None:
    parser = SseParser()
    for _ in range(MAX_EVENT_BYTES // len(piece) + 2):
        assert parser.feed(piece) == []
    assert parser.too_long
    assert parser.feed(b"\n\ndata: 1\n\n") == []


def test_a_long_event_in_one_read_is_refused_too() -> None:
    parser = SseParser()
    assert parser.feed(data_event(b"x" * MAX_EVENT_BYTES)) == []
    assert parser.too_long


def test_many_small_events_in_one_large_read_are_not_too_long() -> None:
    parser = SseParser()
    events = parser.feed(data_event(b"x" * 1000) * 2000)
    assert len(events) == 2000
    assert not parser.too_long


def test_written_events_are_read_again() -> None:
    (event,) = SseParser().feed(named_event(b"error", b'{"a":1}'))
    assert (event.event, event.data) == (b"error", b'{"a":1}')


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_what_is_whole_is_told_apart_whatever_its_size(end: bytes) -> None:
    long = b"x" * (2 * MAX_EVENT_BYTES)
    data = b"".join(b"data: " + value + end * 2 for value in (b"1", long, b"2"))
    assert [event.data for event in whole_events(data)] == [b"1", long, b"2"]


@given(streams())
def test_whole_events_are_what_a_parser_finds(data: bytes) -> None:
    assert whole_events(data) == collect([data])
