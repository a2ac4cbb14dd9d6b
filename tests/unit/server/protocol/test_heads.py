"""The head of a request, its frames, and what is no HTTP at all."""

import asyncio

import pytest
from msgspec import structs
from tests.unit.server.connection import LIMITS, Client, FakeEngine, answers, post

from bascule.gateway.exchange import Exchange


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions", "/v1/models"])
@pytest.mark.parametrize("whole", [True, False])
async def test_a_head_beyond_its_limit_is_refused(engine: FakeEngine, path: str, whole: bool) -> None:
    client = Client(engine, limits=structs.replace(LIMITS, max_head_bytes=1_000))
    sent = post(path, b"", *[f"x-{number}: {'a' * 90}" for number in range(20)])
    if whole:
        client.protocol.data_received(sent)
    else:
        for at in range(0, len(sent) - 2, 100):
            if not client.transport.closed:
                client.protocol.data_received(sent[at : at + 100])
    await client.rounds()
    (answer,) = answers(client.sent)
    assert answer.status == 431
    assert answer.headers["connection"] == "close"
    assert client.transport.closed
    assert engine.seen == []
    if path == "/v1/models":
        assert answer.headers["content-type"].startswith("text/plain")
    else:
        assert answer.json["error"]["code"] == "request_headers_too_large"


async def test_one_header_without_an_end_is_refused(engine: FakeEngine) -> None:
    client = Client(engine, limits=structs.replace(LIMITS, max_head_bytes=1_000))
    client.protocol.data_received(b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx: ")
    fed = 0
    while not client.transport.closed and fed < 10_000:
        client.protocol.data_received(b"a" * 100)
        fed += 100
    assert 900 <= fed <= 1_100
    assert answers(client.sent)[0].status == 431


@pytest.mark.parametrize("tail", [b"0\r\nx: ", b"1;"])
async def test_a_trailer_and_a_chunk_without_an_end_are_refused(engine: FakeEngine, tail: bytes) -> None:
    client = Client(engine, limits=structs.replace(LIMITS, max_head_bytes=1_000))
    client.protocol.data_received(post("/v1/messages", b"1\r\nx\r\n" + tail, "transfer-encoding: chunked"))
    fed = 0
    while not client.transport.closed and fed < 10_000:
        client.protocol.data_received(b"a" * 100)
        await client.rounds()
        fed += 100
    assert 900 <= fed <= 1_200
    assert [answer.status for answer in answers(client.sent)] == [431]


async def test_neither_bodies_nor_the_frames_of_small_chunks_count_as_head(engine: FakeEngine) -> None:
    client = Client(engine, limits=structs.replace(LIMITS, max_head_bytes=200, max_body_bytes=10_000))
    client.protocol.data_received(post("/v1/messages", b"", "transfer-encoding: chunked"))
    for _ in range(1_000):
        client.protocol.data_received(b"1\r\nx\r\n")
    client.protocol.data_received(b"0\r\n\r\n")
    await client.rounds()
    assert answers(client.sent)[0].body == b"x" * 1_000
    client.transport.written.clear()
    client.protocol.data_received(post("/v1/messages", b"x" * 900, "content-length: 1000"))
    assert [answer.body for answer in await client.ask(b"x" * 100)] == [b"x" * 1_000]


async def test_trailers_are_no_headers(engine: FakeEngine) -> None:
    client = Client(engine)
    await client.ask(post("/v1/messages", b"1\r\nx\r\n0\r\nx-late: 1\r\n\r\n", "transfer-encoding: chunked"))
    assert engine.seen[0].incoming.headers.get(b"x-late") is None


async def test_garbage_behind_a_request_is_told_of_behind_its_answer(engine: FakeEngine) -> None:
    gate = asyncio.Event()

    async def stream(exchange: Exchange) -> None:
        await exchange.start(200, [])
        await exchange.send(b"one")
        await gate.wait()
        await exchange.end(b"two")

    engine.answer = stream
    client = Client(engine)
    client.protocol.data_received(post("/v1/messages", b"{}") + b"\x16\x03garbage\r\n\r\n")
    await client.rounds()
    client.protocol.data_received(b"more garbage\r\n\r\n")
    assert client.sent.endswith(b"3\r\none\r\n")
    gate.set()
    await client.rounds()
    answer, _, rest = client.sent.partition(b"3\r\ntwo\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answers(rest)[0].status == 400
    assert client.transport.closed


async def test_garbage_alone_gets_its_400(engine: FakeEngine) -> None:
    client = Client(engine)
    (answer,) = await client.ask(b"\x16\x03garbage\r\n\r\n")
    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert client.transport.closed


async def test_a_body_with_a_broken_frame_gets_400_in_the_dialect(engine: FakeEngine) -> None:
    client = Client(engine)
    (answer,) = await client.ask(post("/v1/messages", b"zz\r\n", "transfer-encoding: chunked"))
    assert (answer.status, answer.json["type"], answer.headers["connection"]) == (400, "error", "close")
    assert client.transport.closed
    assert engine.seen == []


H2C = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAEAAEAAAAIAAAABAAMAAABk")


@pytest.mark.parametrize("step", [1_000, 7])
async def test_who_offers_another_protocol_is_answered_in_this_one(engine: FakeEngine, step: int) -> None:
    client = Client(engine)
    sent = post("/v1/messages?a=b", b"{}", *H2C) + post("/other", b"cold", *H2C) + post("/v1/messages", b"last")
    for at in range(0, len(sent), step):
        client.protocol.data_received(sent[at : at + step])
        await client.rounds()
    await client.rounds(20)
    assert [answer.body for answer in answers(client.sent)] == [b"{}", b"/other cold", b"last"]
    assert engine.seen[0].incoming.query == "a=b"
    assert not client.transport.closed


async def test_a_request_for_a_tunnel_is_no_endless_loop(engine: FakeEngine) -> None:
    (answer,) = await Client(engine).ask(b"CONNECT example.com:443 HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert answer.status >= 400


async def test_a_stream_for_http_1_0_has_no_chunks_and_ends_with_its_connection(engine: FakeEngine) -> None:
    async def stream(exchange: Exchange) -> None:
        await exchange.start(200, [])
        await exchange.send(b"one")
        await exchange.end(b"two")

    engine.answer = stream
    client = Client(engine)
    client.protocol.data_received(post("/v1/messages").replace(b"HTTP/1.1", b"HTTP/1.0"))
    await client.rounds()
    assert client.sent == b"HTTP/1.1 200 OK\r\ndate: today\r\nconnection: close\r\n\r\nonetwo"
    assert client.transport.closed
