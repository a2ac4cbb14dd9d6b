"""Server-sent events, incrementally and byte-safe: any split of the bytes gives the same events.

Follows the WHATWG "event stream" grammar: lines end in LF, CR or CRLF; `data` lines join with LF; comments and
unknown fields are ignored; one leading BOM is skipped. Each event keeps its own bytes, so that a relay can
forward exactly what it received.
"""

from msgspec import Struct

from bascule.dialects.fields import as_utf8

MAX_EVENT_BYTES = 1024 * 1024
"""The most that one line, and one event up to its blank line, may hold."""

_BOM = b"\xef\xbb\xbf"


class SseEvent(Struct, frozen=True, gc=False):
    """One block of lines up to and including its blank line."""

    event: bytes
    """The `event` field, empty where none was sent."""
    data: bytes | None
    """The `data` field, decoded as the grammar says: U+FFFD for what is no UTF-8. None for a block of comments."""
    raw: bytes
    """The block's bytes as they were received."""


class SseParser:
    """Feed bytes, get events. Memory is bounded by `max_event_bytes`; past it `too_long` is set for good."""

    __slots__ = ("_buffer", "_fresh", "_line", "_max_event_bytes", "_scan", "too_long")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()
        self._fresh = True
        self._line = 0
        self._scan = 0
        self.too_long = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that these bytes complete. Nothing more comes once `too_long` is set."""
        if self.too_long:
            return []
        if self._fresh:
            data = self._skip_bom(data)
        # The common case, whole events with LF in one read, takes no copy into the buffer.
        if not self._buffer and data.endswith(b"\n\n") and b"\r" not in data and len(data) <= self._max_event_bytes:
            return [parse_event(block + b"\n\n") for part in data.split(b"\n\n") if (block := part.lstrip(b"\n"))]
        self._buffer += data
        return self._drain(final=False)

    def rest(self) -> SseEvent | None:
        """What is left without its blank line once the body has ended, read as if the line had come."""
        events = self._drain(final=True)
        if events:
            return events[0]
        left = bytes(self._buffer)
        self._buffer.clear()
        return parse_event(left) if left.strip(b"\r\n") else None

    def _skip_bom(self, data: bytes) -> bytes:
        data = bytes(self._buffer) + data
        self._buffer.clear()
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._buffer += data
            return b""
        self._fresh = False
        return data.removeprefix(_BOM)

    def _drain(self, final: bool) -> list[SseEvent]:
        buffer = self._buffer
        if self._fresh and not final:
            return []
        size = len(buffer)
        events: list[SseEvent] = []
        start = 0
        line = self._line
        scan = self._scan
        while True:
            lf = buffer.find(b"\n", scan)
            cr = buffer.find(b"\r", scan, lf if lf >= 0 else size)
            if cr >= 0:
                end, after = cr, cr + 1
                if after == size and not final:
                    break  # an LF may follow and would belong to this line end
                if after < size and buffer[after] == 0x0A:
                    after += 1
            elif lf >= 0:
                end, after = lf, lf + 1
            else:
                break
            if end == line:
                if line > start:
                    if after - start > self._max_event_bytes:
                        self.too_long = True
                        return events
                    events.append(parse_event(bytes(buffer[start:after])))
                start = after
            line = scan = after
        if size - start > self._max_event_bytes:
            self.too_long = True
            return events
        self._line = line - start
        del buffer[:start]
        left = len(buffer)
        self._scan = left - 1 if left and buffer[-1] == 0x0D else left
        return events


def whole_events(data: bytes) -> list[SseEvent]:
    """The events in bytes that end with one, of whatever size: what a codec forwards is in memory already, and a
    translated call may be one event that is larger than any the provider sent."""
    parser = SseParser(max_event_bytes=len(data))
    events = parser.feed(data)
    rest = parser.rest()  # an event whose lines end in CR waits for an LF
    return events if rest is None else [*events, rest]


def parse_event(raw: bytes) -> SseEvent:
    """One block of lines as an event."""
    body = raw.rstrip(b"\r\n")
    if body.startswith(b"data: ") and b"\n" not in body and b"\r" not in body:
        return SseEvent(b"", as_utf8(body[6:]), raw)
    event = b""
    data: list[bytes] | None = None
    for line in body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            (data := [] if data is None else data).append(value.removeprefix(b" "))
        elif field == b"event":
            event = value.removeprefix(b" ")
    return SseEvent(event, None if data is None else as_utf8(b"\n".join(data)), raw)


def data_event(data: bytes) -> bytes:
    """The bytes of an event without a name; `data` holds no line end."""
    return b"data: " + data + b"\n\n"


def named_event(name: bytes, data: bytes) -> bytes:
    """The bytes of a named event; `data` holds no line end."""
    return b"event: " + name + b"\ndata: " + data + b"\n\n"
