"""Start and stop of the ASGI application, as the server announces them."""

from collections.abc import Awaitable, Callable
from typing import Any

from bascule.server.asgi import Receive, Send

Step = Callable[[], Awaitable[None]]


class Lifespan:
    """Runs `start` before the first request and `stop` after the last."""

    def __init__(self, start: Step, stop: Step) -> None:
        self._start = start
        self._stop = stop

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})
