"""The stream between an upstream and a client: one loop, bounded, and honest about how it ended.

Nothing reaches the client before the first content event, so that failing over stays free until then; the last
bytes wait until the attempt is settled, so that its row is in the ledger before the answer is complete.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from bascule.dialects.base import StreamCodec, StreamStep
from bascule.dialects.classify import protocol_fault
from bascule.gateway.exchange import Exchange
from bascule.model.outcome import Fault
from bascule.ports import Clock, Header, TransportError, UpstreamReply

MAX_PREAMBLE_BYTES = 1024 * 1024

RelayEnding = Literal["complete", "fault", "client_gone"]


class Relayed(Struct, frozen=True, kw_only=True):
    """How a streamed attempt ended, before anything was settled."""

    ending: RelayEnding
    fault: Fault | None = None
    started: bool = False
    """Content has gone to the client."""
    first_content_ms: int | None = None
    pending: bytes = b""
    """Bytes for the client that were held back and precede the last ones."""


class Drains:
    """How many streams are being read on although their clients have left: bounded, since nobody waits for them."""

    __slots__ = ("_most", "open")

    def __init__(self, most: int) -> None:
        self._most = most
        self.open = 0

    def enter(self) -> bool:
        """Whether there is room for one more."""
        if self.open >= self._most:
            return False
        self.open += 1
        return True

    def leave(self) -> None:
        self.open -= 1


class DrainLimits(Struct, frozen=True, kw_only=True):
    """How long an upstream is read on after its client has left, so that usage is exact."""

    policy: Literal["drain", "cancel"]
    drains: Drains
    drain_s: float = 30.0


class Relay:
    """Pumps one streamed reply. `open_answer` gives the status line's headers at the first content."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        reply: UpstreamReply,
        codec: StreamCodec,
        clock: Clock,
        drain: DrainLimits,
        open_answer: Callable[[], Sequence[Header]],
        record_bytes: int,
    ) -> None:
        self._exchange = exchange
        self._reply = reply
        self._codec = codec
        self._clock = clock
        self._drain = drain
        self._open_answer = open_answer
        self._record_left = record_bytes
        self._preamble: list[bytes] = []
        self._preamble_bytes = 0
        self._cut: asyncio.TimerHandle | None = None
        self._given_up = False
        self._over = False
        self.recorded: list[bytes] = []
        """The upstream's bytes as they came, where at most `record_bytes` of them were asked for and no more came."""
        self.started = False
        self.first_content_ms: int | None = None

    async def run(self) -> Relayed:
        """Until the provider's terminal event, a fault, or the end of our patience with a client that left."""
        self._exchange.watch(self._client_left)
        try:
            return await self._pump()
        finally:
            self._over = True
            if self._cut is not None:
                self._cut.cancel()
                self._drain.drains.leave()

    async def _pump(self) -> Relayed:
        while True:
            try:
                data = await self._reply.read_chunk()
            except TransportError as error:
                if self._given_up:
                    return self.result("client_gone")
                return self.result("fault", fault=transport_fault(error, answered=True))
            if self._record_left > 0:
                self._keep(data)
            try:
                step = self._codec.feed(data) if data else self._codec.end()
            except RecursionError:
                return self.result("fault", fault=protocol_fault("the provider's stream is nested too deeply"))
            del data  # the client may be waited for, and then nothing is kept twice
            if step.fault is not None:
                return self.result("fault", fault=step.fault)
            if step.terminal:
                if self.first_content_ms is None:
                    self.first_content_ms = self._clock.now_ms()
                if self._codec.facts.usage.source == "none":
                    await read_out(self._reply, within_s=LATE_USAGE_S, hear=self._codec.feed)
                return self.result("complete", pending=b"".join([*self._preamble, step.forward]))
            fault = await self._forward(step)
            if fault is not None:
                return self.result("fault", fault=fault)

    def _client_left(self) -> None:
        """Stop reading at once, or read on for a while so that the usage is exact."""
        if self._over:
            return
        if self._drain.policy == "cancel" or not self._drain.drains.enter():
            self._give_up()
        else:
            self._cut = asyncio.get_running_loop().call_later(self._drain.drain_s, self._give_up)

    def _give_up(self) -> None:
        self._given_up = True
        self._reply.close()

    def _keep(self, data: bytes) -> None:
        self._record_left -= len(data)
        if self._record_left > 0:
            self.recorded.append(data)
        else:
            self.recorded.clear()

    async def _forward(self, step: StreamStep) -> Fault | None:
        if not self.started:
            if not step.content:
                return self._hold_back(step.forward)
            self.first_content_ms = self._clock.now_ms()
            self.started = True
            await self._exchange.start(200, self._open_answer())
            if self._preamble:
                await self._exchange.send(b"".join([*self._preamble, step.forward]))
                self._preamble.clear()
                return None
        if step.forward:
            await self._exchange.send(step.forward)
        return None

    def _hold_back(self, data: bytes) -> Fault | None:
        if data:
            self._preamble.append(data)
            self._preamble_bytes += len(data)
        if self._preamble_bytes > MAX_PREAMBLE_BYTES:
            return Fault(error_class="protocol", message="a megabyte of events came without any content")
        return None

    def result(self, ending: RelayEnding, *, fault: Fault | None = None, pending: bytes = b"") -> Relayed:
        return Relayed(
            ending=ending,
            fault=fault,
            started=self.started,
            first_content_ms=self.first_content_ms,
            pending=pending,
        )


def transport_fault(error: TransportError, *, answered: bool) -> Fault:
    """A broken exchange as a fault. The provider may bill for it if our request reached it."""
    return Fault(error_class=error.error_class, message=str(error), maybe_billed=error.request_sent or answered)


LINGER_S = 1.0
LATE_USAGE_S = 0.25
"""How long the end of an answer waits for usage that its provider has not told yet: one more segment, mostly."""


async def read_out(
    reply: UpstreamReply, *, within_s: float = LINGER_S, hear: Callable[[bytes], object] | None = None
) -> None:
    """The end of the framing comes right behind the terminal event; only then can the connection be used again."""
    try:
        async with asyncio.timeout(within_s):
            while data := await reply.read_chunk():
                if hear is not None:
                    hear(data)
    except (TransportError, TimeoutError):
        return  # the answer is complete; all that is lost is a connection
