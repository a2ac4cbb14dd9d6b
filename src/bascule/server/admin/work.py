"""Work beside the event loop: long readings a few at a time, changes one after another."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from bascule.model.errors import StoreError
from bascule.server.admin.answers import Refused

log = logging.getLogger("bascule.admin")

_T = TypeVar("_T")

READINGS_AT_ONCE = 2
"""Reports and exports that run at the same time: each takes a thread and most of a core from serving."""

READINGS_WAITING = 16
READING_RETRY_S = 5


class Readings:
    """Runs long readings in threads."""

    def __init__(self, at_once: int = READINGS_AT_ONCE, waiting: int = READINGS_WAITING) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    async def run(self, work: Callable[[], _T]) -> _T | Refused:
        """What `work` returns, or 503 at once where too many are waiting."""
        if self._room <= 0:
            message = "too many reports and exports are running; try again soon"
            return Refused(status=503, message=message, retry_after_s=READING_RETRY_S)
        self._room -= 1
        try:
            async with self._free:
                return await run_in_threadpool(work)
        finally:
            self._room += 1


class Changes:
    """Runs changes in a thread, one after another, so that what a change was judged on still holds when it is made."""

    def __init__(self, refresh: Callable[[], Awaitable[None]]) -> None:
        self._refresh = refresh
        self._lock = asyncio.Lock()

    async def run(self, work: Callable[[], _T | Refused]) -> _T | Refused:
        """What `work` returns. The running gateway has taken up a change when this returns."""
        async with self._lock:
            made = await run_in_threadpool(work)
            if not isinstance(made, Refused):
                await self._take_up()
            return made

    async def _take_up(self) -> None:
        """The change is made and must be answered (a key's secret is shown only once), whatever comes of this."""
        try:
            await self._refresh()
        except StoreError as error:
            log.error("a change was stored; the gateway takes it up at its next look: %s", error)
