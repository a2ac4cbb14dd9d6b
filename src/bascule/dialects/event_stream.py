"""AWS's binary event stream, incrementally and byte-safe: any split of the bytes gives the same events.

A message is a prelude (its length, the length of its headers, a CRC-32 of both), headers, a payload and a CRC-32 of
all before it, numbers big-endian (smithy.io/2.0/aws/amazon-eventstream.html). Each becomes one event whose data is
JSON that names its type: `{"contentBlockDelta": payload}`, `{"throttlingException": payload}`. What cannot be read is
said in the same form, under `BROKEN`, and nothing follows it: without its lengths there is no next message to find.
"""

from struct import Struct as Packed
from zlib import crc32

import msgspec

from bascule.dialects.fields import as_utf8
from bascule.dialects.sse import MAX_EVENT_BYTES, SseEvent

BROKEN = ":broken"
"""The event type of bytes that are no message; its payload is text that says why."""
ERROR = ":error"
"""The event type of a message of the kind `error`: `{"code": …, "message": …}`."""

_PRELUDE = Packed(">III")
_CRC = Packed(">I")
_OVERHEAD_BYTES = _PRELUDE.size + _CRC.size
_MAX_HEADER_BYTES = 128 * 1024
_FIXED_BYTES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Of header values, by their type: true, false, byte, short, integer, long, timestamp, UUID."""
_BLOB, _TEXT = 6, 7

Headers = dict[str, str]


class EventStreamParser:
    """Feed bytes, get events. Memory is bounded by `sse.MAX_EVENT_BYTES`; past it `too_long` is set for good."""

    __slots__ = ("_broken", "_buffer", "too_long")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._broken = False
        self.too_long = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that these bytes complete. Nothing more comes once `too_long` is set or the bytes are broken."""
        events: list[SseEvent] = []
        if self.too_long or self._broken:
            return events
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= _PRELUDE.size:
            size, header_bytes, prelude_crc = _PRELUDE.unpack_from(buffer, start)
            if crc32(buffer[start : start + 8]) != prelude_crc:
                return [*events, self._break("the checksum of a message's head is wrong")]
            if size < _OVERHEAD_BYTES or header_bytes > min(size - _OVERHEAD_BYTES, _MAX_HEADER_BYTES):
                return [*events, self._break("the lengths of a message cannot be")]
            if size > MAX_EVENT_BYTES:
                self.too_long = True
                return events
            if len(buffer) - start < size:
                break
            events.append(self._message(bytes(buffer[start : start + size]), header_bytes))
            if self._broken:
                return events
            start += size
        del buffer[:start]
        return events

    def rest(self) -> SseEvent | None:
        """A message that is not whole says nothing."""
        return None

    def _message(self, raw: bytes, header_bytes: int) -> SseEvent:
        if crc32(raw[: -_CRC.size]) != _CRC.unpack_from(raw, len(raw) - _CRC.size)[0]:
            return self._break("the checksum of a message is wrong")
        end = _PRELUDE.size + header_bytes
        headers = read_headers(raw[_PRELUDE.size : end])
        if headers is None:
            return self._break("the headers of a message cannot be read")
        payload = raw[end : -_CRC.size] or b"{}"
        kind = headers.get(":message-type", "event")
        if kind == "error":
            told = {"code": headers.get(":error-code"), "message": headers.get(":error-message")}
            return _event(ERROR, msgspec.json.encode(told), raw)
        return _event(headers.get(":exception-type" if kind == "exception" else ":event-type", ""), payload, raw)

    def _break(self, why: str) -> SseEvent:
        self._broken = True
        self._buffer.clear()
        return _event(BROKEN, msgspec.json.encode(why), b"")


def _event(kind: str, payload: bytes, raw: bytes) -> SseEvent:
    return SseEvent(b"", b"{%b:%b}" % (msgspec.json.encode(kind), as_utf8(payload)), raw)


def read_headers(raw: bytes) -> Headers | None:
    """The headers whose values are text; None where the bytes are no headers."""
    headers: Headers = {}
    at, size = 0, len(raw)
    while at < size:
        name_end = at + 1 + raw[at]
        if name_end >= size:
            return None
        kind = raw[name_end]
        begin = name_end + 1
        if kind in (_BLOB, _TEXT):
            begin += 2
            end = begin + int.from_bytes(raw[begin - 2 : begin], "big")
        elif kind in _FIXED_BYTES:
            end = begin + _FIXED_BYTES[kind]
        else:
            return None
        if end > size:
            return None
        if kind == _TEXT:
            try:
                headers[raw[at + 1 : name_end].decode()] = raw[begin:end].decode()
            except UnicodeDecodeError:
                return None
        at = end
    return headers
