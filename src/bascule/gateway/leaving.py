"""How long an upstream is waited for after its client has left: for the head of any answer, and for a whole body."""

import asyncio
from types import TracebackType

from bascule.gateway.exchange import Exchange
from bascule.gateway.relay import DrainLimits


class Patience:
    """A scope that ends in TimeoutError once the client has been gone for as long as the provider's policy waits.

    Streams that have begun are the relay's, which watches from then on.
    """

    __slots__ = ("_drain", "_exchange", "_is_open", "_scope")

    def __init__(self, exchange: Exchange, drain: DrainLimits) -> None:
        self._exchange = exchange
        self._drain = drain
        self._scope = asyncio.timeout(None)
        self._is_open = False

    async def __aenter__(self) -> None:
        await self._scope.__aenter__()
        self._is_open = True
        self._exchange.watch(self._client_left)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_open = False
        await self._scope.__aexit__(kind, error, trace)

    def _client_left(self) -> None:
        if self._is_open:
            wait_s = self._drain.drain_s if self._drain.policy == "drain" else 0.0
            self._scope.reschedule(asyncio.get_running_loop().time() + wait_s)
