"""What two parsers may read differently, on one connection: trailers, codings, tunnels."""

from typing import Any

import pytest
from tests.unit.server.connection import Client, FakeEngine, post

HOT, COLD = "/v1/messages", "/bascule/api/keys"
ROOMY = b"1\r\nx\r\n0\r\n%b\r\n\r\n"


async def headers_seen(client: Client, data: bytes) -> list[tuple[bytes, bytes]]:
    """As the application behind the connection has them once the body has come."""
    seen: list[tuple[bytes, bytes]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass
        seen.extend(scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    client.protocol.app = application
    await client.ask(data)
    return seen


@pytest.mark.parametrize("late", [b"authorization: Bearer stolen", b"host: evil.example", b"x-api-key: k"])
@pytest.mark.parametrize("more", [(), ("connection: upgrade", "upgrade: h2c")], ids=["plain", "upgrade"])
async def test_no_page_takes_a_trailer_for_a_header(late: bytes, more: tuple[str, ...]) -> None:
    client = Client(FakeEngine())
    seen = await headers_seen(client, post(COLD, ROOMY % late, "transfer-encoding: chunked", *more))
    assert (b"transfer-encoding", b"chunked") in seen, "the application was not asked, so nothing is proved"
    assert tuple(late.split(b": ")) not in seen


@pytest.mark.parametrize("path", [HOT, COLD])
@pytest.mark.parametrize("coding", ["gzip, chunked", "identity, chunked", "identity", "xchunked", "chunked;q=1", ""])
async def test_a_coding_that_is_not_undone_is_not_taken_for_chunks_alone(path: str, coding: str) -> None:
    engine = FakeEngine()
    client = Client(engine)
    found = await client.ask(post(path, ROOMY % b"x: y", f"transfer-encoding: {coding}") + post(HOT, b"{}"))
    assert [answer.status for answer in found] in ([400], [501])
    assert client.transport.closed
    assert engine.seen == []


@pytest.mark.parametrize("path", [HOT, COLD])
@pytest.mark.parametrize("behind", [b"", post(HOT, b"{}"), b"\x16\x03\x01" * 100])
async def test_a_tunnel_through_a_page_is_answered_once_and_closed(path: str, behind: bytes) -> None:
    engine = FakeEngine()
    client = Client(engine)
    found = await client.ask(b"CONNECT %b HTTP/1.1\r\nhost: localhost\r\n\r\n%b" % (path.encode(), behind))
    assert len(found) == 1
    assert found[0].status == (405 if path == HOT else 299)
    assert client.transport.closed
    assert engine.seen == []
