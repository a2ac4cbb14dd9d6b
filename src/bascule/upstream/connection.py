"""One connection to a provider: bytes to parser callbacks to the reply it carries right now. One request at a time."""

import asyncio
import socket
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bascule.model.errors import LedgerUnavailable
from bascule.ports import UpstreamCall
from bascule.upstream.limits import UpstreamLimits
from bascule.upstream.outbox import Outbox
from bascule.upstream.reply import Reply

_SMALL_BODY_BYTES = 16 * 1024


class Home(Protocol):
    """What a connection asks of the pool it belongs to."""

    def give_back(self, connection: "Connection") -> None:
        """The response is over and the connection can carry another request."""
        ...

    def forget(self, connection: "Connection") -> None:
        """The connection is closed or must not be used again. Idempotent."""
        ...


class Connection(asyncio.BufferedProtocol):
    """HTTP/1.1 over one transport. Reads into a buffer shared by all connections of its loop, emptied at once."""

    __slots__ = (
        "_ended",
        "_head_bytes",
        "_home",
        "_interim",
        "_is_head_request",
        "_keep_alive",
        "_limits",
        "_loop",
        "_outbox",
        "_outgoing",
        "_parser",
        "_place",
        "_quiet_bytes",
        "_reply",
        "_timer",
        "_timer_at",
        "_transport",
        "_view",
        "_writable",
        "body_pending",
        "born_at",
        "idle_since",
        "patience_s",
        "requests",
        "usable",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        home: Home,
        limits: UpstreamLimits,
        view: memoryview,
        place: str,
        outbox: Outbox,
    ) -> None:
        self._loop = loop
        self._outbox = outbox
        self._outgoing: tuple[bytes, ...] = ()
        """What waits for the end of the round."""
        self._home = home
        self._limits = limits
        self._view = view
        self._place = place
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._reply: Reply | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._writable = True
        self._ended = self._interim = self._keep_alive = self._is_head_request = self.body_pending = False
        self._head_bytes = self._quiet_bytes = 0
        self.born_at = self.idle_since = loop.time()
        self.patience_s = limits.keepalive_idle_s
        self.requests = 0
        self.usable = False

    # The request.

    def start(self, call: UpstreamCall, head: bytes, started_at: float | None) -> Reply:
        """Send the request and return the reply to wait on. It leaves with the others of its round, a very large one
        at once.

        `started_at`: when the caller began, for the total limit; None for now. `body_pending` says that `write_rest`
        has to follow.
        """
        now = self._loop.time()
        timeouts = call.timeouts
        reply = Reply(self._loop, self, call, self._place, self._limits.read_buffer_bytes)
        reply.sent_at = reply.touched_at = now
        reply.first_byte_at = now + timeouts.first_byte_s
        reply.total_at = (now if started_at is None else started_at) + timeouts.total_s
        self._reply = reply
        self._ended = self._interim = self._keep_alive = False
        self._is_head_request = call.method == "HEAD"
        self._head_bytes = self._quiet_bytes = 0
        self.requests += 1
        self._watch(now + min(timeouts.first_byte_s, timeouts.idle_s, timeouts.total_s))
        body, transport = call.body, self._transport
        if transport is None or not self.usable:
            reply.unwritten = reply.lost_connection = True
            reply.fail("reset", "the connection closed before the request was written", request_sent=False)
        elif len(body) <= self._limits.write_piece_bytes:
            self._outgoing = (head + body,) if len(body) <= _SMALL_BODY_BYTES else (head, body)
            self._outbox.add(self)
        else:
            self._outgoing = (head,)
            self.body_pending = True
            self._outbox.add(self)
            self._outbox.flush()
        return reply

    def release(self, unwritten: LedgerUnavailable | None) -> None:
        """`outbox.Sender`: the round is over. Nothing is sent for a request that was given up within it, or whose
        intent could not be written.
        """
        outgoing, self._outgoing = self._outgoing, ()
        reply = self._reply
        if not outgoing or self._transport is None or reply is None:
            return
        if unwritten is not None:
            self._reply = None
            self.body_pending = False
            reply.refuse(unwritten)
            self._home.give_back(self)
        elif len(outgoing) == 1:
            self._transport.write(outgoing[0])
        else:
            self._transport.writelines(outgoing)

    async def write_rest(self, reply: Reply, body: bytes) -> None:
        """Write a large body piece by piece as the socket takes it; stops where the response is there first."""
        piece_bytes = self._limits.write_piece_bytes
        view = memoryview(body)
        for offset in range(0, len(body), piece_bytes):
            try:
                while not self._writable and not reply.has_head and not reply.failed:
                    await reply.change()
            except BaseException:
                reply.close()
                raise
            if reply.has_head or reply.failed or self._transport is None:
                reply.unwritten = True
                return
            self._transport.write(view[offset : offset + piece_bytes])
        self.body_pending = False

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._reply is not None:
            self._reply.wake()

    # The transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.usable = True
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        reply = self._reply
        if reply is None:  # bytes nobody asked for: the next response would be somebody else's
            self.abandon()
            return
        reply.touched_at = self._loop.time()
        reply.saw_bytes = True
        self._quiet_bytes += nbytes
        try:
            self._parser.feed_data(self._view[:nbytes])
        except HttpParserUpgrade:
            self._break("the upstream switched protocols")
        except HttpParserError as error:
            self._break(f"not HTTP: {str(error)[:80]}")
        else:
            if self._reply is not reply:  # cut from within a callback
                return
            if self._ended:
                self._finish(reply)
            elif self._quiet_bytes > self._limits.max_head_bytes:
                self._break(f"more than {self._limits.max_head_bytes} bytes of head or trailer")

    def eof_received(self) -> None:
        self.usable = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.usable = False
        self._unwatch()
        reply, self._reply = self._reply, None
        self._home.forget(self)
        if reply is None:
            return
        reply.lost_connection = True
        held_back = self.body_pending or bool(self._outgoing)
        reply.unwritten = reply.unwritten or held_back or not self._writable
        self._outgoing = ()
        if not reply.has_head:
            reply.fail("reset", "the connection was closed before a response")
        elif exc is not None:
            reply.fail("reset", "the connection was reset in the middle of the response")
        elif _ends_with_connection(reply):
            reply.take_end()
        else:
            reply.fail("truncated", "the response ended before its length")

    # The parser.

    def on_message_begin(self) -> None:
        if self._ended or self._reply is None:
            self._keep_alive = False  # a second response to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        reply = self._reply
        if reply is None or reply.has_head:  # a trailer
            return
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self._limits.max_head_bytes:
            self._break(f"a response head of more than {self._limits.max_head_bytes} bytes")
            return
        reply.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        reply = self._reply
        if reply is None or self._ended:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._interim = True
            reply.headers.clear()
            return
        self._keep_alive = self._parser.should_keep_alive()
        self._quiet_bytes = 0
        reply.take_head(status)
        if self._is_head_request:  # the parser would wait for the body that its length promises
            self._keep_alive = False
            self._ended = True

    def on_body(self, data: bytes) -> None:
        reply = self._reply
        if reply is not None and not self._ended:
            self._quiet_bytes = 0
            reply.take_body(data)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        else:
            self._ended = True

    # What the reply asks.

    def hold_reading(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def cut(self, reply: Reply) -> None:
        if self._reply is reply:
            self.abandon()

    def abandon(self) -> None:
        """Close at once and leave the pool; what is carried is not told."""
        self._reply = None
        self._outgoing = ()
        self.usable = False
        self._unwatch()
        self._home.forget(self)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close for good, telling whoever reads."""
        reply = self._reply
        self.abandon()
        if reply is not None:
            reply.fail("reset", "the transport was closed")

    # Endings.

    def _finish(self, reply: Reply) -> None:
        """The response is whole: free the connection first, so that the reader finds it in the pool."""
        self._reply = None
        if self._keep_alive and self.usable and self._writable and not self.body_pending:
            if self.requests == 1:
                self._note_server_patience(reply)
            if reply.is_held:
                self.resume_reading()
            self._home.give_back(self)
        else:
            self.abandon()
        reply.take_end()

    def _break(self, what: str) -> None:
        reply = self._reply
        self.abandon()
        if reply is not None:
            reply.fail("protocol", what)

    def _note_server_patience(self, reply: Reply) -> None:
        """Honour `Keep-Alive: timeout=N`: leave a second before the server hangs up."""
        for name, value in reply.headers:
            if name == b"keep-alive" and b"timeout=" in value:
                digits = value.split(b"timeout=", 1)[1].split(b",", 1)[0].strip()
                if digits.isdigit():
                    self.patience_s = min(self.patience_s, max(float(digits[:9]) - 1.0, 0.0))

    # Time. One timer per connection: it is left armed from request to request and moved only to an earlier time.

    def _watch(self, at: float) -> None:
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._on_timer)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        reply = self._reply
        if reply is None:
            return
        overdue = reply.overdue(self._loop.time())
        if isinstance(overdue, float):
            self._watch(overdue)
        else:
            self.abandon()
            reply.fail(*overdue)


def _ends_with_connection(reply: Reply) -> bool:
    """True where the head gives no length: the body is what comes until the connection closes."""
    return not any(name in {b"content-length", b"transfer-encoding"} for name, _ in reply.headers)
