"""A server of raw bytes, and both event loops that the transport must work on."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from bascule.ports import Timeouts, UpstreamCall
from bascule.upstream.client import HttpUpstream
from bascule.upstream.limits import UpstreamLimits
from bascule.upstream.proxy import ProxySettings
from bascule.upstream.tls import client_context

Handler = Callable[["Peer"], Awaitable[None]]


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


class Peer:
    """One accepted connection, as a test's handler sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> tuple[bytes, bytes]:
        """The next request: head and body. Raises IncompleteReadError at the end of the connection."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return head, await self.reader.readexactly(length)

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def raw_server(handler: Handler, **options) -> AsyncIterator["RawServer"]:
    server = RawServer(handler)
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0, **options)
    server.port = listener.sockets[0].getsockname()[1]
    server.origin = f"{'https' if 'ssl' in options else 'http'}://127.0.0.1:{server.port}"
    try:
        yield server
    finally:
        listener.close()
        for task in tuple(server.tasks):
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)
        await listener.wait_closed()


class RawServer:
    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.accepted = 0
        self.port = 0
        self.origin = ""
        self.tasks: set[asyncio.Task[None]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await self.handler(Peer(reader, writer))
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self.tasks.discard(task)
            writer.close()

    def call(self, body: bytes = b"{}", **changes) -> UpstreamCall:
        timeouts = Timeouts(
            **{"connect_s": 2.0, "first_byte_s": 2.0, "idle_s": 2.0, "total_s": 5.0} | changes.pop("timeouts", {})
        )
        fields = {"origin": self.origin, "method": "POST", "target": "/v1/x", "headers": (), "body": body}
        return UpstreamCall(**fields | {"timeouts": timeouts} | changes)


@pytest.fixture
def serve():
    """`async with serve(handler) as server` runs `handler(peer)` for each connection."""
    return raw_server


@pytest.fixture
async def make_upstream():
    """Transports that go without any proxy, closed at the end of the test."""
    made: list[HttpUpstream] = []

    def make(tls=None, proxies=None, **limits) -> HttpUpstream:
        upstream = HttpUpstream(UpstreamLimits(**limits), tls, proxies or ProxySettings())
        made.append(upstream)
        return upstream

    yield make
    for upstream in made:
        upstream.close()
    await asyncio.sleep(0)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A self-signed certificate for 127.0.0.1 and models.example, with its key, in one PEM file."""
    if shutil.which("openssl") is None:
        pytest.skip("TLS tests need the openssl command to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bascule-test"
    names = "subjectAltName=IP:127.0.0.1,DNS:models.example"
    made = subprocess.run(
        [*command.split(), "-addext", names, "-keyout", "-", "-out", "-"], check=True, capture_output=True
    )
    path.write_bytes(made.stdout)
    return path


@pytest.fixture
def server_tls(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client_tls(certificate) -> ssl.SSLContext:
    return client_context(certificate)
