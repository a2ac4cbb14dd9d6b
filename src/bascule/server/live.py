"""A running gateway's life beside its requests: reload on SIGHUP or file change, keys and budgets made elsewhere."""

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from bascule.model.errors import BasculeError

log = logging.getLogger("bascule.server")

LOOK_EVERY_S = 1.0


class Watch:
    """Calls `reload` when the file changed or SIGHUP came, and `refresh` every second.

    Both are synchronous and quick. What they raise is logged; the old state stays.
    """

    def __init__(
        self,
        file: Path | None,
        *,
        reload: Callable[[], None],
        refresh: Callable[[], None],
        told: Callable[[BasculeError | None], None],
    ) -> None:
        """`told` hears of every reload: None where it was taken, else why not."""
        self._file = file
        self._reload = reload
        self._told = told
        self._refresh = refresh
        self._seen = self._stamp()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._attempt_reload, "SIGHUP")
        self._task = loop.create_task(self._look())

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._attempt(self._refresh, "keys and budgets were not read again")
            stamp = self._stamp()
            if stamp != self._seen:
                self._seen = stamp
                self._attempt_reload("file change")

    def _attempt_reload(self, why: str) -> None:
        error = self._attempt(self._reload, f"{why}: the old configuration stays")
        self._told(error)

    def _attempt(self, action: Callable[[], None], otherwise: str) -> BasculeError | None:
        try:
            action()
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
