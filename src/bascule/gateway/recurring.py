"""Work that is done again and again beside the requests, from `start` to `stop`."""

import asyncio
from collections.abc import Awaitable, Callable


class Recurring:
    """Does something at once and then at intervals, on the event loop."""

    def __init__(self, work: Callable[[], Awaitable[None]], every_s: float) -> None:
        self._work = work
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Does it once more, for what has happened since; nothing where it was not started."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._work()

    async def _run(self) -> None:
        while True:
            await self._work()
            await asyncio.sleep(self._every_s)
