"""The client of a request for which several calls are made: who hears that it leaves, and who may answer it."""

from collections.abc import Callable, Sequence

from bascule.gateway.exchange import Exchange, Incoming
from bascule.ports import Header


class Client:
    """Implements `Exchange` over the client's own, for several calls one after the other or at once: each hears that
    the client leaves, which is watched once."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._watchers: list[Callable[[], None]] = []

    @property
    def incoming(self) -> Incoming:
        return self._exchange.incoming

    @property
    def started(self) -> bool:
        return self._exchange.started

    @property
    def gone(self) -> bool:
        return self._exchange.gone

    def watch(self, on_gone: Callable[[], None]) -> None:
        self._watchers.append(on_gone)
        if len(self._watchers) == 1:
            self._exchange.watch(self._left)
        elif self._exchange.gone:
            on_gone()

    def _left(self) -> None:
        for on_gone in tuple(self._watchers):
            on_gone()

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        await self._exchange.respond(status, headers, body)

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        await self._exchange.start(status, headers)

    async def send(self, data: bytes) -> None:
        await self._exchange.send(data)

    async def end(self, data: bytes) -> None:
        await self._exchange.end(data)


class Withheld:
    """Implements `Exchange`: a call whose answer nobody is given. A client that leaves ends it all the same."""

    started = False

    def __init__(self, client: Client | None, incoming: Incoming) -> None:
        """`client` None: nobody waits, as with a shadow."""
        self._client = client
        self.incoming = incoming

    @property
    def gone(self) -> bool:
        return self._client is not None and self._client.gone

    def watch(self, on_gone: Callable[[], None]) -> None:
        if self._client is not None:
            self._client.watch(on_gone)

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """Dropped, like all that follows."""

    async def start(self, status: int, headers: Sequence[Header]) -> None: ...

    async def send(self, data: bytes) -> None: ...

    async def end(self, data: bytes) -> None: ...
