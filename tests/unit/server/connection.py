"""One client's connection without a network: an engine that answers as told, a transport that collects."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import uvicorn
from msgspec import Struct
from uvicorn.server import ServerState

from bascule.gateway.engine import Engine
from bascule.gateway.exchange import Exchange
from bascule.gateway.metrics import Metrics
from bascule.model.errors import Refusal
from bascule.model.policy import KeyPolicy
from bascule.server.guard import Guard
from bascule.server.hot import EdgeLimits, Hot
from bascule.server.protocol import GatewayProtocol, gateway_protocol
from bascule.upstream.outbox import Outbox

LIMITS = EdgeLimits(max_body_bytes=10, max_in_flight=2)


class FakeEngine:
    """Answers with what it was given, or does what a test says."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.is_open = True
        self.seen: list[Exchange] = []
        self.keys: dict[bytes, KeyPolicy | Refusal] = {}
        self.answer: Callable[[Exchange], Awaitable[None]] = self.echo

    def identify(self, secret: bytes | None) -> KeyPolicy | Refusal:
        return self.keys.get(secret or b"", KeyPolicy(name="open", source="open"))

    def new_request_id(self) -> str:
        return "req_refused"

    async def handle(self, exchange: Exchange) -> None:
        self.seen.append(exchange)
        await self.answer(exchange)

    async def echo(self, exchange: Exchange) -> None:
        await exchange.respond(200, [(b"x-a", b"b")], exchange.incoming.body)


class FakeTransport(asyncio.Transport):
    """Collects what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False
        self.reading = True
        self.aborted = False
        self.untaken = 0
        """Bytes that the client has not taken."""

    def write(self, data: Any) -> None:
        assert not self.closed
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True
        self.aborted = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def get_write_buffer_size(self) -> int:
        return self.untaken

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Answer(Struct):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def cold(scope: Any, receive: Any, send: Any) -> None:
    body = scope["path"].encode() + b" "
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 299, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Client:
    """One connection."""

    def __init__(
        self,
        engine: FakeEngine,
        keep_alive_s: int = 75,
        limits: EdgeLimits = LIMITS,
        hot: Hot | None = None,
        state: ServerState | None = None,
    ) -> None:
        guard = Guard(bound_host="127.0.0.1", allowed_hosts=(), allowed_origins=())
        self.hot = hot or Hot(engine=cast(Engine, engine), guard=guard, limits=limits)
        make = gateway_protocol(self.hot, Outbox())
        config = uvicorn.Config(
            cold,
            http=cast(Any, make),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            lifespan="off",
            timeout_keep_alive=keep_alive_s,
        )
        self.state = state or ServerState()
        self.state.default_headers = [(b"date", b"today")]
        self.transport = FakeTransport()
        self.protocol = cast(GatewayProtocol, make(config, self.state, {}, asyncio.get_running_loop()))
        self.protocol.connection_made(self.transport)

    async def rounds(self, number: int = 8) -> None:
        for _ in range(number):
            await asyncio.sleep(0)

    @property
    def sent(self) -> bytes:
        return b"".join(self.transport.written)

    async def ask(self, data: bytes) -> list[Answer]:
        """Write `data`; the answers that come by and by."""
        self.transport.written.clear()
        self.protocol.data_received(data)
        await self.rounds()
        return answers(self.sent)

    def leave(self) -> None:
        self.transport.closed = True
        self.protocol.connection_lost(None)


def answers(wire: bytes) -> list[Answer]:
    found = []
    while wire:
        head, _, rest = wire.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        names = [line.partition(": ")[0] for line in lines]
        assert len(names) == len(set(names)), f"a header was sent twice: {names}"
        headers = {line.partition(": ")[0]: line.partition(": ")[2] for line in lines}
        length = int(headers["content-length"])
        found.append(Answer(int(first.split()[1]), headers, rest[:length]))
        wire = rest[length:]
    return found


def post(
    path: str, body: bytes = b"", *lines: str, method: str = "POST", hosts: tuple[str, ...] = ("localhost",)
) -> bytes:
    head = [f"{method} {path} HTTP/1.1", *[f"host: {host}" for host in hosts], *lines]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in lines):
        head.append(f"content-length: {len(body)}")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


class Timers:
    """The loop's timers, rung by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []
        self.now = 100.0
        monkeypatch.setattr(client.protocol, "loop", self)
        if client.protocol.timeout_keep_alive_task is not None:
            client.protocol.timeout_keep_alive_task.cancel()
            client.protocol.timeout_keep_alive_task = None
        self._loop = asyncio.get_running_loop()
        self.create_task = self._loop.create_task

    def time(self) -> float:
        return self.now

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> "Timers":
        self.set.append((self.now + delay_s, callback))
        return self

    def cancel(self) -> None:
        self.set.clear()

    def ring(self) -> None:
        at, callback = self.set.pop()
        self.now = at
        callback()


HALF = post("/v1/messages", b"{", "content-length: 2")


def a_hot(engine: FakeEngine, limits: EdgeLimits) -> Hot:
    guard = Guard(bound_host="127.0.0.1", allowed_hosts=(), allowed_origins=())
    return Hot(engine=cast(Engine, engine), guard=guard, limits=limits)
