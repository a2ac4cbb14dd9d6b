"""Undoing gzip and deflate with a bound on what comes out. We ask for identity; some servers compress anyway."""

import zlib

from bascule.ports import TransportError

_AUTO = 47  # zlib's word for: gzip or zlib, by its first bytes
_RAW_DEFLATE = -15  # what some servers mean by "deflate"
_STEP_BYTES = 64 * 1024
MAX_INFLATION = 100
"""Times its compressed size that a whole body may be. JSON comes to 3 to 20 times; a bomb of blanks to a thousand."""
MAX_MEMBERS = 100
"""Gzip members of one body. One is usual; each of very many costs a copy of all that is behind it."""
_SMALL_BYTES = 1024 * 1024
"""Up to which the proportion says nothing."""


class Inflater:
    """Incremental decoder of one body. Each call has a bound on what it returns, whatever goes in."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._zlib = zlib.decompressobj(_AUTO)
        self._pending = b""
        self._first = b""
        self._full = False
        self._started = False
        self._members = 1

    @property
    def has_pending(self) -> bool:
        """True while what was given earlier may still yield output."""
        return self._full or bool(self._pending)

    @property
    def at_end(self) -> bool:
        """True where the body may end: at the end of a gzip member, or before any byte."""
        return self._zlib.eof or not (self._started or self._first)

    def step(self, data: bytes = b"", max_bytes: int = _STEP_BYTES) -> bytes:
        """Decode pending input and `data`, up to `max_bytes` of output. Raises TransportError (`protocol`)."""
        data = self._pending + data if self._pending else data
        if not self._started:  # two bytes tell zlib from raw deflate
            data = self._first + data
            self._first = data if len(data) < 2 else b""
            if self._first:
                return b""
        if self._zlib.eof and data:  # a further gzip member
            self._begin_member()
        elif not data and not self._full:
            return b""
        try:
            out = self._decompress(data, max_bytes)
        except zlib.error:
            message = f"{self._place}: the compressed body is damaged"
            raise TransportError("protocol", message, request_sent=True) from None
        self._started = True
        self._full = len(out) >= max_bytes and not self._zlib.eof
        self._pending = self._zlib.unused_data or self._zlib.unconsumed_tail
        return out

    def _begin_member(self) -> None:
        self._members += 1
        if self._members > MAX_MEMBERS:
            message = f"{self._place}: the compressed body has more than {MAX_MEMBERS} parts"
            raise TransportError("protocol", message, request_sent=True)
        self._zlib = zlib.decompressobj(_AUTO)

    def _decompress(self, data: bytes, max_bytes: int) -> bytes:
        try:
            return self._zlib.decompress(data, max_bytes)
        except zlib.error:
            if self._started:
                raise
            self._zlib = zlib.decompressobj(_RAW_DEFLATE)
            return self._zlib.decompress(data, max_bytes)


def inflater_for(encoding: bytes, place: str) -> Inflater | None:
    """The decoder that a Content-Encoding asks for, None for identity. Raises TransportError (`protocol`)."""
    word = encoding.strip().lower()
    if word in {b"", b"identity"}:
        return None
    if word in {b"gzip", b"x-gzip", b"deflate"}:
        return Inflater(place)
    message = f"{place}: content-encoding {word[:20]!r} was not asked for and is not understood"
    raise TransportError("protocol", message, request_sent=True)


def inflate(inflater: Inflater, body: bytes, max_bytes: int, place: str) -> bytes:
    """A whole body decoded. Raises TransportError: `too_large` past `max_bytes` or MAX_INFLATION, `truncated`,
    `protocol`."""
    max_bytes = min(max_bytes, max(_SMALL_BYTES, len(body) * MAX_INFLATION))
    out = inflater.step(body, max_bytes + 1)
    while inflater.has_pending and len(out) <= max_bytes:
        out += inflater.step(b"", max_bytes + 1 - len(out))
    if len(out) > max_bytes:
        raise TransportError(
            "too_large", f"{place}: the body inflates to more than {max_bytes} bytes", request_sent=True
        )
    if not inflater.at_end:
        raise TransportError("truncated", f"{place}: the compressed body is cut short", request_sent=True)
    return out
