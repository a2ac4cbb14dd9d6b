"""The server's end of one connection: requests parsed, bytes written one drain at a time, the client's leaving seen."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from msgspec import Struct


class ClientLeft(Exception):
    """The client closed or reset the connection."""


class RawRequest(Struct, frozen=True, kw_only=True):
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    """Names lower-cased; repeated ones joined by a comma."""
    body: bytes
    keep_alive: bool


class ServerConnection(asyncio.Protocol):
    """Hands each whole request to `on_request`, one at a time. Every write waits until the kernel has the bytes."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_request: Callable[["ServerConnection", RawRequest], None],
        on_change: Callable[["ServerConnection", bool], None],
    ) -> None:
        self._loop = loop
        self._on_request = on_request
        self._on_change = on_change
        self._parser = HttpRequestParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._writable = True
        self._gone = False
        self._busy = False
        self._backlog: list[RawRequest] = []
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self.transport: asyncio.Transport | None = None
        self.is_control = False

    @property
    def gone(self) -> bool:
        """True once the client has closed its side."""
        return self._gone

    # What the player of a response uses.

    async def write(self, data: bytes) -> None:
        """Write and wait until the kernel took it. Raises ClientLeft."""
        if self._gone or self.transport is None:
            raise ClientLeft
        self.transport.write(data)
        while not self._writable and not self._gone:
            await self._change()
        if self._gone:
            raise ClientLeft

    async def sleep(self, seconds: float) -> None:
        """Wait; raises ClientLeft as soon as the client has left."""
        until = self._loop.time() + seconds
        while not self._gone and (left := until - self._loop.time()) > 0:
            handle = self._loop.call_later(left, self._wake)
            try:
                await self._change()
            finally:
                handle.cancel()
        if self._gone:
            raise ClientLeft

    async def hang(self) -> None:
        """Until the client leaves, which raises ClientLeft."""
        while not self._gone:
            await self._change()
        raise ClientLeft

    def reset(self) -> None:
        """Close with RST."""
        if self.transport is not None:
            sock = self.transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    def close(self) -> None:
        """Close with FIN, after what was written."""
        if self.transport is not None:
            self.transport.close()

    def ready(self) -> None:
        """The response is over; take the next request."""
        self._busy = False
        if self._backlog:
            self._take(self._backlog.pop(0))

    # asyncio and the parser.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=0)
        self._on_change(self, True)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.close()

    def eof_received(self) -> None:
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self._on_change(self, False)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._wake()

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = {}
        self._body = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        request = RawRequest(
            method=self._parser.get_method().decode("ascii"),
            target=self._target.decode("latin-1"),
            headers=self._headers,
            body=b"".join(self._body),
            keep_alive=self._parser.should_keep_alive(),
        )
        if self._busy:
            self._backlog.append(request)
        else:
            self._take(request)

    def _take(self, request: RawRequest) -> None:
        self._busy = True
        self._on_request(self, request)

    def _leave(self) -> None:
        self._gone = True
        self._wake()

    async def _change(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
