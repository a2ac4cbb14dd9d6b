"""An ASGI request as the engine's Exchange."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from bascule.gateway.exchange import Incoming
from bascule.ports import Header

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class AsgiExchange:
    """Adapts one ASGI request. A watcher learns of the client's leaving once a streamed answer has started."""

    __slots__ = ("_on_gone", "_receive", "_send", "_watcher", "gone", "incoming", "started")

    def __init__(self, incoming: Incoming, receive: Receive, send: Send) -> None:
        self.incoming = incoming
        self.gone = False
        self.started = False
        self._receive = receive
        self._send = send
        self._watcher: asyncio.Task[None] | None = None
        self._on_gone: Callable[[], None] | None = None

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        self.started = True
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, (b"content-length", b"%d" % len(body))],
            }
        )
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def watch(self, on_gone: Callable[[], None]) -> None:
        """The body must have been received whole. A later watcher takes the place of an earlier one."""
        self._on_gone = on_gone
        if self.gone:
            on_gone()
        elif self._watcher is None:
            self._watcher = asyncio.get_running_loop().create_task(self._wait_for_disconnect())

    async def _wait_for_disconnect(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._lost()

    def _lost(self) -> None:
        if not self.gone:
            self.gone = True
            if self._on_gone is not None:
                self._on_gone()

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def send(self, data: bytes) -> None:
        if self.gone:
            return
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
        except OSError:
            self._lost()

    async def end(self, data: bytes) -> None:
        if self.gone:
            return
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": False})
        except OSError:
            self._lost()

    def release(self) -> None:
        """End the watcher. Called once, after the answer."""
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
