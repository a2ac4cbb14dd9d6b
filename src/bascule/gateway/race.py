"""Attempts side by side for one client: who has content first gets it, and the others are cancelled.

Each attempt writes to a lane. The first lane that begins an answer claims the client, at once and for good; nothing of
any other lane ever reaches it. A cancelled attempt settles itself as it always does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bascule.gateway.exchange import Exchange, Incoming
from bascule.ports import Header


class Lane:
    """Implements `Exchange` for one of several attempts."""

    def __init__(self, race: "Race", claimed: Callable[[], None]) -> None:
        self._race = race
        self._claimed = claimed
        self.started = False
        """This lane has begun the answer."""

    @property
    def incoming(self) -> Incoming:
        return self._race.exchange.incoming

    @property
    def gone(self) -> bool:
        return self._race.exchange.gone

    def watch(self, on_gone: Callable[[], None]) -> None:
        self._race.watch(on_gone)

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        self._claim()
        await self._race.exchange.respond(status, headers, body)

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        self._claim()
        await self._race.exchange.start(status, headers)

    async def send(self, data: bytes) -> None:
        await self._race.exchange.send(data)

    async def end(self, data: bytes) -> None:
        await self._race.exchange.end(data)

    def _claim(self) -> None:
        self.started = True
        self._claimed()
        self._race.claim(self)


class Race:
    """The attempts of one request that may run at once."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._tasks: dict[asyncio.Task[None], tuple[Lane, Callable[[], None]]] = {}
        self._watchers: list[Callable[[], None]] = []

    @property
    def running(self) -> bool:
        return any(not task.done() for task in self._tasks)

    def start(
        self,
        attempt: Callable[[Lane], Awaitable[None]],
        *,
        claimed: Callable[[], None],
        overtaken: Callable[[], None],
    ) -> None:
        """Begin an attempt on a lane of its own. `claimed` is called when it gets the client, `overtaken` where another
        does."""
        lane = Lane(self, claimed)

        async def run() -> None:
            await attempt(lane)

        self._tasks[asyncio.get_running_loop().create_task(run())] = (lane, overtaken)

    async def wait(self, seconds: float) -> None:
        """Until an attempt has ended, or for so long. Raises what an attempt raised."""
        running = [task for task in self._tasks if not task.done()]
        timeout = None if seconds == float("inf") else max(0.0, seconds)
        if running:
            await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(timeout or 0.0)
        for task in [task for task in self._tasks if task.done()]:
            del self._tasks[task]
            if not task.cancelled():
                task.result()

    def claim(self, winner: Lane) -> None:
        """The client is this lane's; every other attempt is over."""
        for task, (lane, overtaken) in self._tasks.items():
            if lane is not winner and not task.done():
                overtaken()
                task.cancel()

    def watch(self, on_gone: Callable[[], None]) -> None:
        """Every lane hears that the client has left; the client is watched once."""
        self._watchers.append(on_gone)
        if len(self._watchers) == 1:
            self.exchange.watch(self._left)
        elif self.exchange.gone:
            on_gone()

    def _left(self) -> None:
        for on_gone in self._watchers:
            on_gone()

    async def over(self) -> None:
        """Cancel what still runs and wait until it has settled."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
