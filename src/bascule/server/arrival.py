"""What comes over one client's connection, bounded in bytes and in time before anybody has said who they are.

uvicorn's connection, with a parser that is fed under these rules:

- a head, a chunk's frame or a trailer is `max_head_bytes` long at most, whole or not;
- a head has `head_timeout_s` to arrive, a body moves at least every `body_idle_s`, a connection without a request is
  closed after uvicorn's keep-alive time. One timer per connection looks at the deadline when it rings, instead of one
  set and taken back per request;
- what cannot be read (or did not come) is the end of the connection: its last word goes behind the answers that are
  owed, never between or into them;
- a client that takes nothing of its answer for `client_stall_s` is cut off, and what waits for it is little;
- beyond `max_connections` a few are kept for what an operator looks at, one request each;
- offers of another protocol are not taken up, and what came with them is read on as HTTP/1.1.
"""

import asyncio
import socket
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bascule.model.errors import Refusal
from bascule.server.exchange import whole_answer
from bascule.server.hot import STOPPING, EdgeLimits

MALFORMED = Refusal(kind="malformed", message="this is not HTTP/1.1 that can be read", code="invalid_http")
TOO_SLOW = Refusal(
    kind="malformed",
    status=408,
    message="the request did not arrive in time (server.limits.head_timeout_s, body_idle_s)",
    code="request_timeout",
)
TOO_MANY = Refusal(
    kind="overloaded", message="too many connections are open (server.limits.max_connections)", retry_after_s=1.0
)
NOT_CHUNKED = Refusal(
    kind="malformed",
    status=501,
    message="a body may come chunked or with its length, and in no other Transfer-Encoding",
    code="invalid_http",
)
CLOSE = (b"connection", b"close")
WRITE_BUFFER_BYTES = 4 * 1024
"""Above which an answer waits for its client."""
TAKEN_BYTES = 2 * 1024
"""A client that takes less than this takes nothing."""
KERNEL_BUFFER_BYTES = 64 * 1024
"""Of an answer, in the kernel, which doubles it. Left alone it takes megabytes for a client that stopped reading."""
_ALL_WAS_TAKEN = 1 << 62
RESERVED_IDLE_S = 5.0
"""The most patience with a connection beyond `max_connections`."""
_OF_THE_UPGRADE = frozenset({b"upgrade", b"connection", b"http2-settings"})


class ArrivingProtocol(HttpToolsProtocol):
    """One connection. Who inherits says what a refusal looks like (`last_word`, `break_body`)."""

    def __init__(
        self,
        limits: EdgeLimits,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._message_open = False
        """A request has begun to arrive and is not whole."""
        self._head_open = False
        """Its headers are not all there."""
        self._upgrade = False
        """It offers another protocol: its head is there and will be read again without the offer."""
        self._head_bytes = 0
        """Of the headers that are whole."""
        self._frame_bytes = 0
        """Of the reads since the message or its last chunk began, without those of the body."""
        self._trouble: Refusal | None = None
        self._deaf = False
        """Nothing more is read."""
        self._last_word: bytes | None = None
        self._deadline_s: float | None = None
        """When to look whether the client still deserves its connection; None while it is served."""
        self._rings_s = 0.0
        self._is_reserved = False
        """Beyond `max_connections`: kept for routes that are not hot."""
        self._untaken_bytes = 0
        """Of the answer, when the client was last seen to take some."""
        self._taking: asyncio.TimerHandle | None = None
        """Looks whether it goes on taking, while something waits for it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        beyond = len(self.connections) - self._limits.max_connections
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
        self._is_reserved = beyond > 0
        if beyond > self._limits.reserved_connections:
            self._deaf = True
            transport.write(self.plain_answer(TOO_MANY))
            transport.close()
        else:
            self._idle()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._deadline_s = None
        for timer in (self.timeout_keep_alive_task, self._taking):
            if timer is not None:
                timer.cancel()
        self.timeout_keep_alive_task = self._taking = None

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._frame_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if not self._read_on(data, offer):
                return
        except httptools.HttpParserError:
            self._cannot_read()
            return
        if self._message_open and not self._deaf:
            if self._frame_bytes > self._limits.max_head_bytes:
                self._end_with(self._head_too_large())
            elif not self._head_open:
                self._expect_within(self._limits.body_idle_s)
            elif self._deadline_s is None:
                self._expect_within(RESERVED_IDLE_S if self._is_reserved else self._limits.head_timeout_s)

    def _read_on(self, data: bytes, offer: httptools.HttpParserUpgrade) -> bool:
        """The parser stops behind a head that offers another protocol, and takes its body for that protocol's. So the
        head is read again without the offer, and what came behind it. False where that was no HTTP: behind CONNECT
        nothing is, whatever became of the request itself.
        """
        if self.parser.get_method() == b"CONNECT":
            self._deaf = True
            self._deadline_s = None
            self._say_last(b"")
            return False
        rest = memoryview(data)
        refused: httptools.HttpParserUpgrade | None = offer
        try:
            while refused is not None:
                rest = rest[refused.args[0] :]
                head = self._head_without_upgrade()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                self.parser.feed_data(head)
                try:
                    self.parser.feed_data(rest)
                except httptools.HttpParserUpgrade as another:
                    refused = another
                else:
                    refused = None
        except httptools.HttpParserError:
            self._cannot_read()
            return False
        return True

    def _head_without_upgrade(self) -> bytes:
        self._upgrade = False
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name not in _OF_THE_UPGRADE:
                lines.append(b"%b: %b" % (name, value))
            elif name == b"connection" and b"close" in value.lower():
                lines.append(b"connection: close")
        return b"\r\n".join(lines) + b"\r\n\r\n"

    # The parser's callbacks. `on_headers_complete` and `on_message_complete` of who inherits come between these.

    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._head_bytes = self._frame_bytes = 0
        self._message_open = self._head_open = True
        self._deadline_s = None

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self._head_bytes += len(name) + len(value)
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            # The parser reads `gzip, chunked` as if it were `chunked` alone; whoever stands before us may not.
            self._trouble = NOT_CHUNKED
            raise ValueError(NOT_CHUNKED.message)
        self.headers.append((name, value))

    def on_chunk_header(self) -> None:
        self._frame_bytes = 0

    on_chunk_complete = on_chunk_header

    def _judge_head(self) -> None:
        """To be called when it is whole. Raises where it is too long, which makes the parser stop."""
        if self._head_bytes + len(self.url) > self._limits.max_head_bytes:
            self._trouble = self._head_too_large()
            raise ValueError(self._trouble.message)

    def _message_is_whole(self) -> None:
        self._message_open = False
        self._deadline_s = None

    # The end.

    def _cannot_read(self) -> None:
        if self._trouble is None:
            self.logger.warning("Invalid HTTP request received.")
        self._end_with(self._trouble or MALFORMED)

    def _end_with(self, refusal: Refusal) -> None:
        """Nothing more is read from this connection. What is owed is still answered."""
        self._deaf = True
        self._deadline_s = None
        if self._message_open and not self._head_open:
            self.break_body(refusal)
        else:
            self._say_last(self.last_word(refusal))

    def _say_last(self, word: bytes) -> None:
        """Behind the last answer."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._last_word = word
        elif not self.transport.is_closing():
            self.transport.write(word)
            self.hang_up()

    def last_word(self, refusal: Refusal) -> bytes:
        """The answer to a request whose head is not whole."""
        return self.plain_answer(refusal)

    def break_body(self, refusal: Refusal) -> None:
        """Answer the newest request, whose body is not whole and never will be, and close behind it. Here for those
        that are an ASGI application's.
        """
        cycle = self.cycle
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
            self._last_word = self.plain_answer(refusal)
            return
        if not (cycle.response_started or cycle.response_complete):
            self.transport.write(self.plain_answer(refusal))
        self.transport.close()

    def plain_answer(self, refusal: Refusal) -> bytes:
        headers = [*self.server_state.default_headers, (b"content-type", b"text/plain; charset=utf-8"), CLOSE]
        if refusal.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % max(1, round(refusal.retry_after_s))))
        return whole_answer(refusal.http_status, headers, refusal.message.encode())

    def _head_too_large(self) -> Refusal:
        most = self._limits.max_head_bytes
        return Refusal(
            kind="too_large",
            status=431,
            message=f"the request's head is longer than {most} bytes (server.limits.max_head_bytes)",
            code="request_headers_too_large",
        )

    def shutdown(self) -> None:
        """What is not whole by now is not waited for."""
        if self._message_open and not self._head_open:
            self._end_with(STOPPING)
        else:
            super().shutdown()

    # From answer to request.

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            if self._message_open and not (self._head_open or self._deaf):
                self._expect_within(self._limits.body_idle_s)
        elif self._last_word is not None:
            self.transport.write(self._last_word)
            self.hang_up()
        elif not self._message_open:
            self._idle()

    def _idle(self) -> None:
        self._expect_within(RESERVED_IDLE_S if self._is_reserved else self.timeout_keep_alive)

    def _expect_within(self, time_s: float) -> None:
        now_s = self.loop.time()
        self._deadline_s = deadline_s = now_s + time_s
        if self.timeout_keep_alive_task is not None:
            if self._rings_s <= deadline_s:
                return
            self.timeout_keep_alive_task.cancel()
        self._ring_at(deadline_s, now_s)

    def _ring_at(self, at_s: float, now_s: float) -> None:
        self._rings_s = at_s
        self.timeout_keep_alive_task = self.loop.call_later(at_s - now_s, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        deadline_s = self._deadline_s
        if deadline_s is None or self.transport.is_closing():
            return
        now_s = self.loop.time()
        if self._message_open and self.flow.read_paused:
            self._expect_within(self._limits.body_idle_s)  # we are not reading: it is not the client who is slow
        elif deadline_s > now_s:
            self._ring_at(deadline_s, now_s)
        elif self._message_open:
            self._end_with(TOO_SLOW)
        else:
            self.hang_up()

    # The client's taking.

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._untaken_bytes = _ALL_WAS_TAKEN

    def hang_up(self) -> None:
        """Close once all has been taken, which has its time too."""
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._watch_taking()

    def _watch_taking(self) -> None:
        if self._taking is None:
            self._untaken_bytes = self.transport.get_write_buffer_size()
            self._taking = self.loop.call_later(self._limits.client_stall_s, self._look_at_taking)

    def _look_at_taking(self) -> None:
        self._taking = None
        left_bytes = self.transport.get_write_buffer_size()
        if not left_bytes or not (self.flow.write_paused or self.transport.is_closing()):
            return
        if self._untaken_bytes - left_bytes >= min(TAKEN_BYTES, self._untaken_bytes):
            self._watch_taking()
        else:
            self.cut_off()

    def cut_off(self) -> None:
        """The client takes nothing. What was kept for it is let go."""
        self.transport.abort()
