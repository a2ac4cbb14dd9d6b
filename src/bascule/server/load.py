"""Looks at what overload shows itself by, the event loop's lag and the use of memory, and has less work taken in."""

import asyncio
import ctypes
import gc
import logging
from collections.abc import Callable

from bascule.decide.pressure import pressure
from bascule.decide.shed import LimitPolicy, next_limit
from bascule.server.hot import Hot
from bascule.server.memory_use import MemoryUse, ReadMemory

log = logging.getLogger("bascule.server")

LOOK_EVERY_S = 0.1
LOOKS_PER_INTERVAL = 5
"""The least lag of so many looks counts."""


class LoadWatch:
    """Runs beside the requests of one event loop."""

    def __init__(
        self,
        hot: Hot,
        *,
        read_memory: ReadMemory | None,
        relieve: Callable[[], None],
        told: Callable[[str, int | None, int | None], None] | None = None,
    ) -> None:
        """`relieve` lets go of what can be had again: caches. `told` hears what is refused for want of memory, and how
        many bytes are used of how many."""
        self._hot = hot
        self._read_memory = read_memory
        self._relieve = relieve
        self._told = told
        self._task: asyncio.Task[None] | None = None
        self.lag_s = 0.0
        """The least of the last interval."""
        self.memory: MemoryUse | None = None
        """None: unknown."""

    def start(self) -> None:
        if self._read_memory is None:
            log.info("how much memory is used cannot be told on this system: no guard against running out of it")
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            least_s = float("inf")
            for _ in range(LOOKS_PER_INTERVAL):
                due_s = loop.time() + LOOK_EVERY_S
                await asyncio.sleep(LOOK_EVERY_S)
                least_s = min(least_s, loop.time() - due_s)
                self.look_at_memory()
            self.adjust(max(0.0, least_s))

    def adjust(self, least_lag_s: float) -> None:
        """An interval is over."""
        self.lag_s = least_lag_s
        slots, overload, ceiling = self._hot.slots, self._hot.overload, self._hot.limits.max_in_flight
        policy = LimitPolicy(
            ceiling=ceiling, floor=min(overload.min_in_flight, ceiling), lag_target_s=overload.lag_target_s
        )
        before, slots.limit = slots.limit, next_limit(slots.limit, slots.in_flight, least_lag_s, policy)
        if slots.limit > before:
            slots.admit_waiting()
        elif slots.limit < before == ceiling:
            log.warning(
                "overload: the event loop is late, so fewer requests are taken in",
                extra={"event": "overload", "lag_s": round(least_lag_s, 3), "limit": slots.limit},
            )

    def look_at_memory(self) -> None:
        if self._read_memory is None:
            return
        self.memory = memory = self._read_memory()
        before = self._hot.pressure
        bounds = self._hot.overload.memory
        now = pressure(
            0.0 if memory is None else memory.share,
            before,
            shed_large_at=bounds.shed_large_at,
            shed_all_at=bounds.shed_all_at,
        )
        if now != "none":
            self._relieve()
        if now == before:
            return
        self._hot.under(now)
        if now != "none":
            self._hot.engine.metrics.memory_pressure(now)
            if self._told is not None and memory is not None:
                self._told(now, memory.used_bytes, memory.limit_bytes)
            give_back_memory()
        log.log(
            logging.INFO if now == "none" else logging.WARNING,
            "memory: %s is refused", {"none": "nothing", "large": "every large body", "all": "all new work"}[now],
            extra={
                "event": "memory_pressure",
                "pressure": now,
                "used_bytes": None if memory is None else memory.used_bytes,
                "limit_bytes": None if memory is None else memory.limit_bytes,
            },
        )  # fmt: skip


def give_back_memory() -> None:
    """What Python and the C library keep for later goes back to the system, where they can be told."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
