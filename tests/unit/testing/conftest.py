"""Ways to talk to a scripted upstream: raw calls, and the official clients."""

import asyncio

import orjson
import pytest

from bascule.ports import Timeouts, TransportError, UpstreamCall
from bascule.testing.upstream import ScriptedUpstream
from bascule.upstream.client import HttpUpstream
from bascule.upstream.proxy import ProxySettings

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}


class Exchange:
    """One raw exchange and how it ended."""

    def __init__(self, status: int, headers: dict[str, str], data: bytes, error: str | None) -> None:
        self.status = status
        self.headers = headers
        self.data = data
        self.error = error

    @property
    def json(self):
        return orjson.loads(self.data)

    @property
    def events(self) -> list[bytes]:
        """Data lines of a stream."""
        lines = self.data.replace(b"\r\n", b"\n").split(b"\n")
        return [line[6:] for line in lines if line.startswith(b"data: ")]

    @property
    def documents(self) -> list[dict]:
        return [orjson.loads(event) for event in self.events if event != b"[DONE]"]


class Caller:
    """Sends requests in either dialect, whatever comes back."""

    def __init__(self, up: ScriptedUpstream, transport: HttpUpstream) -> None:
        self.up = up
        self.transport = transport

    async def send(
        self,
        dialect: str = "openai",
        *,
        stream: bool = False,
        path: str | None = None,
        raw: bytes | None = None,
        total_s: float = 5.0,
        **body,
    ) -> Exchange:
        told = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "hello there"}]} | body
        if stream:
            told["stream"] = True
        call = UpstreamCall(
            origin=self.up.origin,
            method="POST",
            target=path or PATHS[dialect],
            headers=((b"content-type", b"application/json"),),
            body=orjson.dumps(told) if raw is None else raw,
            timeouts=Timeouts(first_byte_s=0.2, idle_s=0.2, total_s=total_s),
        )
        exchange = await self._receive(call)
        await self.up.quiet()
        return exchange

    async def _receive(self, call: UpstreamCall) -> Exchange:
        try:
            reply = await self.transport.send(call)
        except TransportError as error:
            return Exchange(0, {}, b"", error.error_class)
        headers = {name.decode(): value.decode() for name, value in reply.headers}
        chunks = []
        try:
            while chunk := await reply.read_chunk():
                chunks.append(chunk)
        except TransportError as error:
            return Exchange(reply.status, headers, b"".join(chunks), error.error_class)
        finally:
            reply.close()
        return Exchange(reply.status, headers, b"".join(chunks), None)


@pytest.fixture
async def scripted():
    """`caller = await scripted(script)`: a started upstream and a way to call it."""
    started: list[Caller] = []

    async def start(script=None, **options) -> Caller:
        up = ScriptedUpstream(script, **options)
        await up.start()
        started.append(Caller(up, HttpUpstream(proxies=ProxySettings())))
        return started[-1]

    yield start
    for caller in started:
        caller.transport.close()
        await caller.up.stop()
    await asyncio.sleep(0)
