"""An exchange whose answer is kept as it goes out, for those who ask the same again."""

from collections.abc import Callable, Sequence

from bascule.gateway.exchange import Exchange, Incoming
from bascule.model.idempotency import KeptReply
from bascule.ports import Header


class RecordedExchange:
    """Implements `Exchange` over another one. At most `most_bytes` of a body are kept; of a longer one, nothing."""

    def __init__(self, exchange: Exchange, *, most_bytes: int, others_wait: Callable[[], bool]) -> None:
        """`others_wait`: while that is so, the request is not given up because its own client has left."""
        self._exchange = exchange
        self._others_wait = others_wait
        self._left = most_bytes
        self._status = 0
        self._headers: tuple[Header, ...] = ()
        self._pieces: list[bytes] = []
        self._streamed = False
        self.ended = False

    @property
    def incoming(self) -> Incoming:
        return self._exchange.incoming

    @property
    def started(self) -> bool:
        return self._exchange.started

    @property
    def gone(self) -> bool:
        return self._exchange.gone and not self._others_wait()

    def watch(self, on_gone: Callable[[], None]) -> None:
        self._exchange.watch(lambda: None if self._others_wait() else on_gone())

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        self._begin(status, headers)
        self._keep(body)
        self.ended = True
        await self._exchange.respond(status, headers, body)

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        self._begin(status, headers)
        self._streamed = True
        await self._exchange.start(status, headers)

    async def send(self, data: bytes) -> None:
        self._keep(data)
        await self._exchange.send(data)

    async def end(self, data: bytes) -> None:
        self._keep(data)
        self.ended = True
        await self._exchange.end(data)

    def reply(self, digest: bytes, until_ms: int) -> KeptReply | None:
        """The whole answer; None where it was too large."""
        if self._left < 0:
            return None
        return KeptReply(
            digest=digest,
            status=self._status,
            headers=self._headers,
            body=b"".join(self._pieces),
            streamed=self._streamed,
            until_ms=until_ms,
        )

    def _begin(self, status: int, headers: Sequence[Header]) -> None:
        self._status, self._headers = status, tuple(headers)

    def _keep(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._pieces.clear()
        elif data:
            self._pieces.append(data)
