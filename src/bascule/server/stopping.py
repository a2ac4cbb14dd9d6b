"""How a server stops: its listener is closed at once, requests in flight have their time, a second signal ends it."""

import asyncio
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from bascule.gateway.metrics import Metrics

LOOK_EVERY_S = 0.02
BREAK_OFF_S = 1.0
"""For the last words of requests that are broken off to be taken; whoever has not is cut off."""
END_S = 5.0
"""The longest that rows of broken-off requests are waited for."""


class StoppingServer(uvicorn.Server):
    """uvicorn's, which waits for `timeout_graceful_shutdown`, ends what is left with an error event, then closes."""

    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_broken_off = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops taking in, a second one ends the wait, a third one everything."""
        loop = self._loop
        if self._is_broken_off or loop is None:
            self.force_exit = self._is_broken_off
            super().handle_exit(sig, frame)
        elif self.should_exit:
            self._is_broken_off = True
            loop.call_soon_threadsafe(self._break_off)
        else:
            super().handle_exit(sig, frame)
            loop.call_soon_threadsafe(self._stop_listening)

    def _stop_listening(self) -> None:
        self._on_stop()
        for server in self.servers:
            server.close()

    def _break_off(self) -> None:
        """As at the end of patience: each request is cancelled, and says so to its client."""
        for task in self.server_state.tasks:
            task.cancel()
        asyncio.get_running_loop().call_later(BREAK_OFF_S, self._cut_off)

    def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


async def all_have_ended(metrics: Metrics) -> None:
    """Requests that were cancelled are settling; their rows are to be there before the ledger is closed."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + END_S
    while metrics.in_flight and loop.time() < until_s:
        await asyncio.sleep(LOOK_EVERY_S)
