"""A running gateway's life beside its requests: reload on SIGHUP or file change, keys and budgets made elsewhere."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from bascule.model.errors import BasculeError

log = logging.getLogger("bascule.server")

LOOK_EVERY_S = 1.0


class Watch:
    """Calls `reload` when the file changed or SIGHUP came, and `refresh` every second, one after another.

    Both ask the store, which may not answer for a while: meanwhile the event loop goes on. What they raise is logged;
    the old state stays.
    """

    def __init__(
        self,
        file: Path | None,
        *,
        reload: Callable[[], Awaitable[None]],
        refresh: Callable[[], Awaitable[None]],
        told: Callable[[BasculeError | None], None],
    ) -> None:
        """`told` hears of every reload: None where it was taken, else why not."""
        self._file = file
        self._reload = reload
        self._told = told
        self._refresh = refresh
        self._seen = self._stamp()
        self._reloads: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        """One that waits reads the file as it will be then, so a second beside it would add nothing."""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._ask, "SIGHUP")
        self._tasks = [loop.create_task(self._look()), loop.create_task(self._take_reloads())]

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ask(self, why: str) -> None:
        if not self._reloads.full():
            self._reloads.put_nowait(why)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._attempt(self._refresh, "keys and budgets were not read again")
            stamp = self._stamp()
            if stamp != self._seen:
                self._seen = stamp
                self._ask("file change")

    async def _take_reloads(self) -> None:
        while True:
            why = await self._reloads.get()
            self._told(await self._attempt(self._reload, f"{why}: the old configuration stays"))

    async def _attempt(self, action: Callable[[], Awaitable[None]], otherwise: str) -> BasculeError | None:
        try:
            await action()
        except BasculeError as error:
            log.error("%s: %s", otherwise, error)
            return error
        return None

    def _stamp(self) -> tuple[int, int] | None:
        """None while there is no file: an editor may be writing it anew."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return self._seen if hasattr(self, "_seen") else None
        return found.st_mtime_ns, found.st_size
