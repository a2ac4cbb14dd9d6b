"""Whole answers over a real uvicorn on loopback: what arrives, and what becomes of the connection."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from bascule.gateway.exchange import Incoming
from bascule.model.headers import Headers
from bascule.server.asgi import read_body
from bascule.server.exchange import AsgiExchange, whole_answer
from bascule.server.protocol import GatewayProtocol

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with the body it was sent; `/slow` waits a little, `/bad` has a line break in a header."""
    incoming = Incoming(surface="openai_chat", headers=Headers(scope["headers"]), body=b"")
    exchange = AsgiExchange(incoming, receive, send, whole_answer(scope))
    body = await read_body(receive, incoming.headers, 1_000_000)
    if scope["path"] == "/slow":
        await asyncio.sleep(0.05)
    value = b"a\r\nx-smuggled: 1" if scope["path"] == "/bad" else b"a"
    await exchange.respond(200, [(b"x-kind", value)], body)


def talk(conversation: Talk) -> None:
    async def run() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            echo, http=GatewayProtocol, lifespan="off", log_config=None, server_header=False, access_log=False
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        try:
            await asyncio.wait_for(conversation(reader, writer), 10)
        finally:
            writer.close()
            server.should_exit = True
            await serving

    asyncio.run(run())


def request(body: bytes, path: str = "/", extra: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{extra}\r\n".encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head, await reader.readexactly(length)


@pytest.mark.parametrize("body", [b"", b"hello", b"x" * 200_000])
def test_a_whole_answer_and_the_next_one_on_the_same_connection(body: bytes) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(request(body))
            head, found = await answer(reader)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\nx-kind: a\r\n" in head
            assert b"\r\ndate: " in head
            assert found == body

    talk(conversation)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request(b"first", "/slow") + request(b"second") + request(b"third", "/slow"))
        assert [(await answer(reader))[1] for _ in range(3)] == [b"first", b"second", b"third"]

    talk(conversation)


def test_a_client_that_wants_to_close_is_told_so_and_closed() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request(b"bye", extra="connection: close\r\n"))
        head, body = await answer(reader)
        assert b"\r\nconnection: close\r\n" in head
        assert body == b"bye"
        assert await reader.read() == b""

    talk(conversation)


def test_no_header_can_start_a_new_line() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request(b"x", "/bad"))
        everything = await reader.read()
        assert b"x-smuggled" not in everything

    talk(conversation)


def test_a_client_that_left_disturbs_nobody() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request(b"x", "/slow"))
        await writer.drain()
        writer.transport.abort()
        await asyncio.sleep(0.1)

    talk(conversation)
