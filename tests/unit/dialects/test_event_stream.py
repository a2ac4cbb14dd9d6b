"""AWS's binary framing: botocore's reader is the second opinion, and no bytes get past a checksum."""

import json
from struct import pack
from zlib import crc32

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.event_stream import BROKEN, ERROR, EventStreamParser, read_headers
from bascule.dialects.sse import MAX_EVENT_BYTES
from bascule.testing.bedrock_wire import framed

NAMES = st.sampled_from(["messageStart", "contentBlockDelta", "metadata", "throttlingException"])
PAYLOADS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20), max_size=3)
MESSAGES = st.lists(st.tuples(st.sampled_from(["event", "exception"]), NAMES, PAYLOADS), max_size=4)

OTHER_HEADERS = b"".join(
    b"%c%b%b" % (len(name), name, value)
    for name, value in [
        *[(b"yes", b"\x00"), (b"no", b"\x01"), (b"byte", b"\x02a"), (b"short", b"\x03ab"), (b"int", b"\x04abcd")],
        *[(b"long", b"\x0512345678"), (b"blob", b"\x06\x00\x03abc"), (b"time", b"\x0812345678")],
        *[(b"uuid", b"\x09" + b"u" * 16), (b":event-type", b"\x07\x00\x08metadata")],
    ]
)


def message(headers: bytes, payload: bytes) -> bytes:
    lengths = pack(">II", 16 + len(headers) + len(payload), len(headers))
    raw = lengths + pack(">I", crc32(lengths)) + headers + payload
    return raw + pack(">I", crc32(raw))


def read(data: bytes, step: int) -> list[dict[str, object]]:
    parser = EventStreamParser()
    return [
        json.loads(event.data or b"") for at in range(0, len(data), step) for event in parser.feed(data[at : at + step])
    ]


@given(MESSAGES, st.integers(1, 60))
def test_what_botocore_reads_is_read_whatever_the_split(messages: list[tuple[str, str, dict]], step: int) -> None:
    raw = b"".join([framed(kind, name, json.dumps(payload).encode()) for kind, name, payload in messages])
    buffer = EventStreamBuffer()
    buffer.add_data(raw)
    theirs = [
        {message.headers.get(":event-type") or message.headers[":exception-type"]: json.loads(message.payload)}
        for message in buffer
    ]
    assert read(raw, step) == theirs == [{name: payload} for _, name, payload in messages]


@given(MESSAGES.filter(bool), st.data())
def test_a_flipped_bit_is_never_read_as_something_else(
    messages: list[tuple[str, str, dict]], data: st.DataObject
) -> None:
    raw = bytearray(b"".join([framed(kind, name, json.dumps(load).encode()) for kind, name, load in messages]))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    found = read(bytes(raw), len(raw))
    sound = [{name: payload} for _, name, payload in messages]
    intact = [event for event in found if BROKEN not in event]
    assert intact == sound[: len(intact)]
    assert len(intact) < len(sound)
    buffer = EventStreamBuffer()
    buffer.add_data(bytes(raw))
    with pytest.raises(ChecksumMismatch):
        list(buffer)
    assert BROKEN in found[-1]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_bytes_crash_it(data: bytes, step: int) -> None:
    parser = EventStreamParser()
    for at in range(0, len(data), step):
        for event in parser.feed(data[at : at + step]):
            assert BROKEN in json.loads(event.data or b"")
    assert parser.rest() is None


def test_after_broken_bytes_nothing_is_read() -> None:
    good = framed("event", "metadata", b"{}")
    bad = good[:-1] + bytes([good[-1] ^ 1])
    parser = EventStreamParser()
    assert [event.data for event in parser.feed(good + bad + good)] == [
        b'{"metadata":{}}',
        b'{":broken":"the checksum of a message is wrong"}',
    ]
    assert parser.feed(good) == []


def test_headers_of_every_type_are_passed_over() -> None:
    assert read_headers(OTHER_HEADERS) == {":event-type": "metadata"}
    assert read(message(OTHER_HEADERS, b'{"a": 1}'), 7) == [{"metadata": {"a": 1}}]
    buffer = EventStreamBuffer()
    buffer.add_data(message(OTHER_HEADERS, b"{}"))
    (theirs,) = buffer
    assert theirs.headers[":event-type"] == "metadata"


@pytest.mark.parametrize(
    "headers",
    [
        b"\x05ab",
        b"\x01a",
        b"\x01a\x0a",
        b"\x01a\x07\x00",
        b"\x01a\x07\x00\x05ab",
        b"\x01a\x07\x00\x01\xff",
        b"\x01a\x09x",
    ],
)
def test_headers_that_are_none_break_the_stream(headers: bytes) -> None:
    assert read_headers(headers) is None
    (event,) = read(message(headers, b"{}"), 1_000)
    assert BROKEN in event


def test_a_message_of_the_kind_error_says_its_code() -> None:
    told = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "sorry"}
    headers = b"".join(
        b"%c%b\x07%b%b" % (len(name), name.encode(), pack(">H", len(value)), value.encode())
        for name, value in told.items()
    )
    assert read(message(headers, b""), 9) == [{ERROR: {"code": "InternalFailure", "message": "sorry"}}]


def test_lengths_are_bounded_before_anything_is_kept() -> None:
    for total, head, too_long in ((8, 0, False), (100, 200, False), (MAX_EVENT_BYTES + 1, 0, True)):
        lengths = pack(">II", total, head)
        parser = EventStreamParser()
        events = parser.feed(lengths + pack(">I", crc32(lengths)))
        assert parser.too_long is too_long
        assert [BROKEN in json.loads(event.data or b"") for event in events] == ([] if too_long else [True])
