"""The connections of one origin: newest idle first, a bound on how many, a bounded queue behind it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from bascule.ports import TransportError
from bascule.upstream.connection import Connection, Home
from bascule.upstream.limits import UpstreamLimits
from bascule.upstream.request import HeadWriter


class OriginPool:
    """Connections to one origin. `take_idle` is the hot path; `acquire` may wait or dial."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: UpstreamLimits,
        dial: Callable[[Home, float], Awaitable[Connection]],
        *,
        place: str,
        heads: HeadWriter,
    ) -> None:
        self._loop = loop
        self._limits = limits
        self._dial = dial
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._members: set[Connection] = set()
        self._dialling = 0
        self._closed = False
        self.now = loop.time
        self.place = place
        self.heads = heads
        self.idle: list[Connection] = []

    @property
    def open_connections(self) -> int:
        """Idle, in use and being opened."""
        return len(self._members) + self._dialling

    @property
    def in_flight(self) -> int:
        """Connections that carry a request or are being opened for one."""
        return self.open_connections - len(self.idle)

    @property
    def waiting(self) -> int:
        return len(self._waiters)

    def take_idle(self) -> Connection | None:
        """The idle connection used last, if any is fit."""
        idle = self.idle
        while idle:
            connection = idle.pop()
            if connection.usable:
                if self._loop.time() - connection.idle_since < connection.patience_s:
                    return connection
                connection.abandon()
        return None

    async def acquire(self, timeout_s: float) -> Connection:
        """A fresh connection, or the next one given back where all are in use. Raises TransportError."""
        if self._closed:
            raise TransportError("connect", f"{self.place}: the transport is closed", request_sent=False)
        if self.open_connections < self._limits.max_connections_per_origin:
            return await self._open(timeout_s)
        if len(self._waiters) >= self._limits.max_waiting_per_origin:
            message = f"{self.place}: all {self.open_connections} connections are in use and the queue is full"
            raise TransportError("connect", message, request_sent=False)
        deadline = self._loop.time() + timeout_s
        connection = await self._wait_turn(deadline, timeout_s)
        if connection is not None:
            return connection
        return await self._open(max(deadline - self._loop.time(), 0.001), reserved=True)

    def give_back(self, connection: Connection) -> None:
        """`connection.Home`: the response is over. To the first who waits, else to the idle ones."""
        now = self._loop.time()
        if now - connection.born_at > self._limits.max_connection_age_s or connection.patience_s <= 0.0:
            connection.abandon()
            return
        connection.idle_since = now
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
            return
        self.idle.append(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._limits.keepalive_idle_s, self._sweep)

    def forget(self, connection: Connection) -> None:
        """`connection.Home`: closed or unfit. Its place goes to the first who waits."""
        if connection not in self._members:
            return
        self._members.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        self._pass_place_on()

    def close(self) -> None:
        """Cut every connection and refuse those who wait."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        while (waiter := self._next_waiter()) is not None:
            message = f"{self.place}: the transport is closed"
            waiter.set_exception(TransportError("connect", message, request_sent=False))
        for connection in tuple(self._members):
            connection.close()

    async def _open(self, timeout_s: float, *, reserved: bool = False) -> Connection:
        if not reserved:
            self._dialling += 1
        try:
            connection = await self._dial(self, timeout_s)
        except BaseException:
            self._dialling -= 1
            self._pass_place_on()
            raise
        self._dialling -= 1
        self._members.add(connection)
        if self._closed:
            connection.close()
        return connection

    async def _wait_turn(self, deadline: float, timeout_s: float) -> Connection | None:
        """Queue for a connection (returned) or for a place to open one (None, the place already counted)."""
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        handle = self._loop.call_at(deadline, self._refuse, waiter, timeout_s)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._return_turn(waiter.result())
            raise
        finally:
            handle.cancel()

    def _refuse(self, waiter: "asyncio.Future[Connection | None]", timeout_s: float) -> None:
        if not waiter.done():
            self._waiters.remove(waiter)
            message = f"{self.place}: no connection became free within {timeout_s:g} s"
            waiter.set_exception(TransportError("timeout_connect", message, request_sent=False))

    def _return_turn(self, turn: Connection | None) -> None:
        if turn is None:
            self._dialling -= 1
            self._pass_place_on()
        elif turn.usable:
            self.give_back(turn)

    def _pass_place_on(self) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            self._dialling += 1
            waiter.set_result(None)

    def _next_waiter(self) -> "asyncio.Future[Connection | None] | None":
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _sweep(self) -> None:
        """Close what has been idle too long; the oldest lie at the bottom."""
        self._sweeper = None
        now = self._loop.time()
        for connection in tuple(self.idle):
            if now - connection.idle_since >= connection.patience_s:
                connection.abandon()
        if self.idle:
            self._sweeper = self._loop.call_later(self._limits.keepalive_idle_s / 2, self._sweep)
