"""Blocking work beside the event loop, in one thread and in order."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from bascule.model.errors import StoreError

T = TypeVar("T")

MAX_WAITING = 10_000


class _Job(Generic[T]):
    """Work that its caller may stop waiting for."""

    def __init__(self, work: Callable[[], T], undo: Callable[[], object] | None) -> None:
        self._work = work
        self._undo = undo
        self._lock = threading.Lock()
        self._done = False
        self._abandoned = False

    def run(self) -> T:
        result = self._work()
        with self._lock:
            self._done = True
            late = self._abandoned
        if late and self._undo is not None:
            self._undo()
        return result

    def abandon(self) -> bool:
        """Whether it has just been done all the same, so that undoing it is left to the caller."""
        with self._lock:
            self._abandoned = True
            return self._done


class OneThread:
    """Implements `ports.Beside`."""

    def __init__(self, name: str, *, max_waiting: int = MAX_WAITING) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._max_waiting = max_waiting
        self._waiting = 0
        self._count = threading.Lock()

    async def run(self, work: Callable[[], T], within_s: float, undo: Callable[[], object] | None = None) -> T:
        if self._waiting >= self._max_waiting:
            raise StoreError(f"{self._max_waiting} requests wait for the store already; see whether its disk hangs")
        job = _Job(work, undo)
        with self._count:
            self._waiting += 1
        future = self._executor.submit(job.run)
        future.add_done_callback(self._over)
        in_time = False
        try:
            waited = asyncio.wrap_future(future)
            waited.add_done_callback(_seen)
            done, _ = await asyncio.wait((waited,), timeout=within_s)
            in_time = bool(done)
        finally:
            if not in_time and not future.cancel() and job.abandon() and undo is not None:
                self._executor.submit(undo)
        if not in_time:
            raise StoreError(f"the store did not answer within {within_s:g} s; see whether its disk or host hangs")
        return future.result()

    def close(self) -> None:
        """Returns when everything that was begun is done; what was not is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _over(self, future: "Future[T]") -> None:
        with self._count:
            self._waiting -= 1


def _seen(waited: "asyncio.Future[T]") -> None:
    """What fails after nobody waits for it any more is no news."""
    if not waited.cancelled():
        waited.exception()


class AtOnce:
    """Implements `ports.Beside` where nothing else waits for the event loop: in tests with a time of their own."""

    async def run(self, work: Callable[[], T], within_s: float, undo: Callable[[], object] | None = None) -> T:
        return work()

    def close(self) -> None:
        """There is nothing to wait for."""
