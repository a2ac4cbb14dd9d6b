"""Time that tests decide: a clock to set, and an event loop that lives by it.

On `VirtualLoop` nothing ever waits. When every task sleeps, the clock jumps to the next timer, so a Retry-After of a
minute takes microseconds, and so do timeouts and drain limits, all in their right order.
"""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any

NOON_MS = 1_795_262_400_000
"""2026-11-21T12:00:00Z."""

LATE_S = 1e-6
"""Sleepers wake this much late, as on any machine: no float can then be a hair before its time for ever."""


class FakeClock:
    """Implements `ports.Clock`. Wall and monotonic time move together, unless the wall is set."""

    def __init__(self, now_ms: int = NOON_MS, monotonic_s: float = 1_000.0) -> None:
        self._wall_ms = float(now_ms)
        self._monotonic_s = monotonic_s

    def now_ms(self) -> int:
        return int(self._wall_ms)

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._monotonic_s += seconds
        self._wall_ms += seconds * 1_000

    def set_now_ms(self, now_ms: int) -> None:
        """Set the wall clock alone, backwards too, as NTP or an operator would."""
        self._wall_ms = float(now_ms)


class NothingWillHappen(RuntimeError):
    """Every task waits for something that no timer and no other task will bring about."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is the clock's. It can have no sockets: waiting for one never ends."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        super().__init__(_Jumping(clock))

    def time(self) -> float:
        return self._clock.monotonic_s()


class _Jumping(selectors.SelectSelector):
    """Lets the clock jump where a loop would wait."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingWillHappen("all tasks wait and no timer is set; what they wait for will never come")
        if timeout > 0:
            self._clock.advance(timeout + LATE_S)
        return super().select(0)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return super().get_map()
