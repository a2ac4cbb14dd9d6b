"""One request on a connection as the engine's Exchange: its body as it arrives, its answer as bytes of HTTP/1.1."""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Protocol

from bascule.gateway.exchange import Incoming
from bascule.model.errors import LedgerUnavailable, Refusal
from bascule.model.headers import Headers
from bascule.ports import Header
from bascule.server.hot import HotRoute
from bascule.upstream.outbox import Outbox

_STATUS_LINE = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
_STATUS_LINE[499] = b"HTTP/1.1 499 Client Closed Request\r\n"


class Line(Protocol):
    """What an exchange asks of the connection that carries it."""

    def write(self, data: bytes) -> None: ...

    async def room(self) -> None:
        """Returns when the client takes bytes again, or has left."""
        ...

    def standing_headers(self) -> bytes:
        """Headers that every answer has, as they stand on the wire."""
        ...

    def answered(self, exchange: "ClientExchange") -> None:
        """The last byte of this answer was handed over."""
        ...


class _Nowhere:
    """The line of an exchange that is over, so that it does not hold its connection, which holds it: two that hold
    each other stay in memory until the garbage collector comes, which is rarely.
    """

    def write(self, data: bytes) -> None:
        """There is nobody who reads it."""

    async def room(self) -> None:
        """Returns at once."""

    def standing_headers(self) -> bytes:
        return b""

    def answered(self, exchange: "ClientExchange") -> None:
        """Nobody waits for that."""


_NOWHERE = _Nowhere()


class ClientExchange:
    """Implements `gateway.exchange.Exchange` and `outbox.Sender`.

    What ends an answer leaves at the end of the loop's round, and only then is the exchange complete: by that time
    the ledger has its line. Pieces of a stream leave at once.

    `disconnected`, `response_complete`, `keep_alive` and `message_event` are what uvicorn's connection looks at.
    """

    __slots__ = (
        "_body",
        "_line",
        "_on_gone",
        "_outbox",
        "_outgoing",
        "body_bytes",
        "chunked",
        "disconnected",
        "has_ended",
        "headers",
        "incoming",
        "keep_alive",
        "method",
        "query",
        "refusal",
        "response_complete",
        "route",
        "secret",
        "skipped_bytes",
        "started",
        "task",
        "tenant",
        "turn",
        "whole",
    )

    def __init__(
        self, line: Line, outbox: Outbox, route: HotRoute, method: bytes, headers: Headers, query: bytes
    ) -> None:
        self.route = route
        self.method = method
        self.headers = headers
        self.query = query
        self.incoming = _NOT_YET
        """Set when the request is whole."""
        self.secret: bytes | None = None
        """What its client presented."""
        self.tenant = ""
        """Who it is for, as far as slots are concerned."""
        self.refusal: Refusal | None = None
        """Refused before the engine saw it."""
        self.turn = False
        """The connection's earlier requests have been answered."""
        self.whole = False
        """The body is all there."""
        self.body_bytes = 0
        """Of it, that are here and have been neither taken nor dropped."""
        self.skipped_bytes = 0
        """Of it, that came after the request had been refused."""
        self.task: asyncio.Task[None] | None = None
        self.started = False
        self.has_ended = False
        """The engine has said all that there is to say; the last of it may wait for the end of the round."""
        self.disconnected = False
        self.response_complete = False
        self.keep_alive = True
        self.chunked = True
        """How the end of a stream is told. Else by the end of the connection, for HTTP/1.0."""
        self._line: Line = line
        self._outbox = outbox
        self._outgoing = b""
        self._body: bytes | bytearray = b""
        self._on_gone: Callable[[], None] | None = None

    # The request.

    def take_body(self, data: bytes) -> None:
        """Many small pieces must not cost more than their bytes."""
        if not self.body_bytes:
            self._body = data
        elif isinstance(self._body, bytearray):
            self._body += data
        else:
            self._body = bytearray(self._body)
            self._body += data
        self.body_bytes += len(data)

    def body(self) -> bytes:
        """All that has come. Once."""
        body, self._body, self.body_bytes = self._body, b"", 0
        return bytes(body)

    def drop_body(self) -> int:
        """Nobody will read it. Returns how many bytes that were."""
        size, self.body_bytes, self._body = self.body_bytes, 0, b""
        return size

    # The client's leaving.

    @property
    def gone(self) -> bool:
        return self.disconnected

    @property
    def message_event(self) -> "ClientExchange":
        return self

    def set(self) -> None:
        """uvicorn's way of saying that the client may have left."""
        if self.disconnected:
            on_gone, self._on_gone = self._on_gone, None
            if on_gone is not None:
                on_gone()

    def lost(self) -> None:
        """The connection is gone."""
        if not self.response_complete:
            self.disconnected = True
            self._line = _NOWHERE
            self.set()

    def watch(self, on_gone: Callable[[], None]) -> None:
        """A later watcher takes the place of an earlier one."""
        self._on_gone = on_gone
        if self.disconnected:
            self.set()

    # The answer.

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        self.answer(status, headers, body)

    def answer(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """A whole answer, in one write."""
        self.started = self.has_ended = True
        head = self._head(status, headers)
        shown = b"" if self.method == b"HEAD" else body
        self._outgoing = b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), shown)
        self._outbox.add(self)

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        self.started = True
        if not self.disconnected:
            end = b"transfer-encoding: chunked\r\n\r\n" if self.chunked else b"\r\n"
            self._line.write(self._head(status, headers) + end)

    async def send(self, data: bytes) -> None:
        if data and not self.disconnected:
            self._line.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)
            await self._line.room()

    async def end(self, data: bytes) -> None:
        self.has_ended = True
        if self.chunked:
            self._outgoing = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else b"0\r\n\r\n"
        else:
            self._outgoing = data
        self._outbox.add(self)

    def release(self, unwritten: LedgerUnavailable | None) -> None:
        """`outbox.Sender`: the end of the answer may go. Where its settlement could not be written it goes all the
        same: that line waits in memory, nothing new is begun before it is written, and its intent is safe.
        """
        outgoing, self._outgoing = self._outgoing, b""
        if not self.disconnected:
            line, self._line, self._on_gone = self._line, _NOWHERE, None
            line.write(outgoing)
            self.response_complete = True
            line.answered(self)

    def _head(self, status: int, headers: Sequence[Header]) -> bytes:
        """Status line and headers, without the length."""
        parts = [_STATUS_LINE.get(status) or b"HTTP/1.1 %d Other\r\n" % status, self._line.standing_headers()]
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        return b"".join(parts)


def whole_answer(status: int, headers: Sequence[Header], body: bytes) -> bytes:
    """An answer that belongs to no exchange. `headers` without the length."""
    lines = b"".join([b"%b: %b\r\n" % pair for pair in headers])
    return b"%b%bcontent-length: %d\r\n\r\n%b" % (_STATUS_LINE[status], lines, len(body), body)


_NOT_YET = Incoming(surface="openai_chat", headers=Headers([]), body=b"")
