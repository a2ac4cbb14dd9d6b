"""One response as it arrives: all state of a request's exchange, none of it on the pooled connection."""

import asyncio
from typing import Protocol

from bascule.model.errors import LedgerUnavailable
from bascule.model.outcome import ErrorClass
from bascule.ports import Header, TransportError, UpstreamCall
from bascule.upstream.decode import Inflater, inflate, inflater_for


class Wire(Protocol):
    """What a reply may ask of the connection that carries it."""

    def hold_reading(self) -> None:
        """Stop reading the socket; the kernel's buffers then hold the sender back."""
        ...

    def resume_reading(self) -> None: ...

    def cut(self, reply: "Reply") -> None:
        """Close the connection under this reply. No effect where it carries another by now."""
        ...


class Reply:
    """`ports.UpstreamReply`. Filled by a connection's callbacks, emptied by one reader.

    Bytes that arrived before a failure are still handed out by `read_chunk`; the failure comes after them.
    """

    __slots__ = (
        "_buffered",
        "_chunks",
        "_decoding",
        "_failure",
        "_held",
        "_high_bytes",
        "_inflater",
        "_loop",
        "_waiter",
        "_whole",
        "_wire",
        "complete",
        "first_byte_at",
        "has_head",
        "headers",
        "idle_s",
        "lost_connection",
        "max_body_bytes",
        "place",
        "saw_bytes",
        "sent_at",
        "status",
        "total_at",
        "touched_at",
        "unwritten",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, wire: Wire, call: UpstreamCall, place: str, high_bytes: int
    ) -> None:
        self._loop = loop
        self._wire = wire
        self._high_bytes = high_bytes
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._held = False
        self._whole = False
        self._decoding = False
        self._inflater: Inflater | None = None
        self._failure: TransportError | LedgerUnavailable | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.place = place
        self.max_body_bytes = call.max_body_bytes
        self.status = 0
        self.headers: list[Header] = []
        self.has_head = False
        self.complete = False
        self.saw_bytes = False
        """At least one byte of a response has come."""
        self.lost_connection = False
        """The connection went away by itself, not by a limit of ours."""
        self.unwritten = False
        """The connection closed before it had taken the whole request."""
        self.idle_s = call.timeouts.idle_s
        self.sent_at = self.touched_at = self.first_byte_at = self.total_at = 0.0

    # What the connection calls.

    def take_head(self, status: int) -> None:
        """The head is whole."""
        self.status = status
        self.has_head = True
        self.wake()

    def take_body(self, data: bytes) -> None:
        """Further bytes of the body, still encoded."""
        self._chunks.append(data)
        self._buffered += len(data)
        if self._whole:
            if self._buffered > self.max_body_bytes:
                self._refuse_size()
            return
        if self._buffered >= self._high_bytes and not self._held:
            self._held = True
            self._wire.hold_reading()
        self.wake()

    def take_end(self) -> None:
        """The response ended as its framing said it would."""
        if self._failure is None:
            self.complete = True
            self.wake()

    def fail(self, error_class: ErrorClass, what: str, *, request_sent: bool = True) -> None:
        """The exchange broke. The first failure stays."""
        if self._failure is None and not self.complete:
            self._failure = TransportError(error_class, f"{self.place}: {what}", request_sent=request_sent)
            self.wake()

    def refuse(self, unwritten: LedgerUnavailable) -> None:
        """The request was not sent, because the intent behind it could not be written."""
        self._failure = unwritten
        self.wake()

    def overdue(self, now: float) -> tuple[ErrorClass, str] | float:
        """What has taken too long at `now`, else when to look again. Reads no clock."""
        if now >= self.total_at:
            return "timeout_total", "the whole exchange took longer than its limit"
        if not self.has_head:
            if now >= self.first_byte_at:
                return "timeout_first_byte", f"no response head within {self.first_byte_at - self.sent_at:g} s"
            return min(self.first_byte_at, self.total_at, now + self.idle_s)
        # A reader who lags is not the upstream's fault: only time spent waiting for bytes counts.
        idle_at = (self.touched_at if self._waiter is not None else now) + self.idle_s
        if now >= idle_at:
            return "timeout_idle", f"no byte for {self.idle_s:g} s in the middle of the response"
        return min(idle_at, self.total_at)

    @property
    def failed(self) -> bool:
        return self._failure is not None

    @property
    def is_held(self) -> bool:
        """True while the socket is not read because the reader lags."""
        return self._held

    # What the sender and the reader call.

    def change(self) -> "asyncio.Future[None]":
        """Done when something changes: the head, body bytes, the end, a failure, or the socket takes writes again.

        At most one is awaited at a time.
        """
        self.touched_at = self._loop.time()
        self._waiter = waiter = self._loop.create_future()
        return waiter

    def wake(self) -> None:
        """End a wait for a `change`."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def head(self) -> "Reply":
        """Itself once the head has arrived. Raises TransportError, or LedgerUnavailable where nothing was sent;
        however it ends, no connection is left in use.
        """
        try:
            while not self.has_head:
                if self._failure is not None:
                    raise self._failure
                await self.change()
        except BaseException:
            self.close()
            raise
        return self

    async def read(self) -> bytes:
        """The whole body, decoded, at most `max_body_bytes`. Raises TransportError."""
        self._whole = True
        if self._buffered > self.max_body_bytes:
            self._refuse_size()
        self._let_go()
        while not self.complete:
            if self._failure is not None:
                raise self._failure
            await self.change()
        chunks = self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._forget_chunks()
        inflater = self._decoder()
        return body if inflater is None else inflate(inflater, body, self.max_body_bytes, self.place)

    async def read_chunk(self) -> bytes:
        """The bytes that have arrived, decoded; b"" at the clean end. Raises TransportError."""
        inflater = self._decoder()
        while True:
            while inflater is not None and inflater.has_pending:
                data = inflater.step()
                if data:
                    return data
            if self._chunks:
                chunks = self._chunks
                data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
                self._forget_chunks()
                self._let_go()
                if inflater is not None:
                    data = inflater.step(data)
                if data:
                    return data
            elif self._failure is not None:
                raise self._failure
            elif self.complete:
                if inflater is not None and not inflater.at_end:
                    message = f"{self.place}: the compressed body is cut short"
                    raise TransportError("truncated", message, request_sent=True)
                return b""
            else:
                await self.change()

    def close(self) -> None:
        """Cut the connection unless the response has ended; an ended one went back to the pool by itself.

        What had arrived can still be read: a reader who is told to stop may need it, to know what was consumed.
        """
        if not self.complete and self._failure is None:
            self.fail("cancelled", "the reply was closed before its end")
            self._wire.cut(self)

    # Inside.

    def _forget_chunks(self) -> None:
        self._chunks = []
        self._buffered = 0

    def _let_go(self) -> None:
        if self._held:
            self._held = False
            if not self.complete and self._failure is None:
                self._wire.resume_reading()

    def _refuse_size(self) -> None:
        self._forget_chunks()
        if self._failure is None:
            what = f"{self.place}: the body is larger than {self.max_body_bytes} bytes"
            self.complete = False
            self._failure = TransportError("too_large", what, request_sent=True)
            self._wire.cut(self)
            self.wake()

    def _decoder(self) -> Inflater | None:
        """The body's decoder, made at the first read from the head's Content-Encoding."""
        if not self._decoding:
            self._decoding = True
            for name, value in self.headers:
                if name == b"content-encoding":
                    self._inflater = inflater_for(value, self.place)
        return self._inflater
