"""The happy path: framing, keep-alive, whole bodies and chunks."""

import asyncio

import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello"


async def answer_always(peer, response=OK):
    while True:
        await peer.request()
        await peer.say(response)


async def test_a_request_goes_out_whole_and_the_answer_comes_back(serve, make_upstream):
    seen = []

    async def handler(peer):
        seen.append(await peer.request())
        await peer.say(OK)

    async with serve(handler) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call(b'{"a":1}', headers=((b"authorization", b"Bearer k"),)))
        assert reply.status == 200
        assert (b"content-type", b"application/json") in reply.headers
        assert await reply.read() == b"hello"
        reply.close()
    head, body = seen[0]
    assert head.startswith(b"POST /v1/x HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n" % server.port)
    assert b"\r\nauthorization: Bearer k\r\n" in head
    assert b"\r\naccept-encoding: identity\r\n" in head
    assert b"\r\ncontent-length: 7\r\n" in head
    assert body == b'{"a":1}'


async def test_one_connection_serves_many_requests(serve, make_upstream):
    async with serve(answer_always) as server:
        upstream = make_upstream()
        for _ in range(50):
            reply = await upstream.send(server.call())
            assert await reply.read() == b"hello"
            reply.close()
        assert server.accepted == 1
        assert (upstream.open_connections, upstream.idle, upstream.in_flight) == (1, 1, 0)


async def test_the_connection_is_free_before_the_body_is_read_and_the_bodies_do_not_mix(serve, make_upstream):
    async def handler(peer):
        number = 0
        while True:
            await peer.request()
            number += 1
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % number)

    async with serve(handler) as server:
        upstream = make_upstream()
        first = await upstream.send(server.call())
        second = await upstream.send(server.call())
        assert (await second.read(), await first.read()) == (b"2", b"1")
        assert server.accepted == 1


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: x\r\n\r\n",
            b"abcde",
        ),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK, b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", b""),
        (b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b""),
    ],
)
async def test_each_framing_ends_where_it_says_and_keeps_the_connection(serve, make_upstream, response, body):
    async with serve(lambda peer: answer_always(peer, response)) as server:
        upstream = make_upstream()
        for _ in range(3):
            reply = await upstream.send(server.call())
            assert await reply.read() == body
            assert (b"link", b"x") not in reply.headers
        assert server.accepted == 1


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_body_without_length_ends_with_its_connection(serve, make_upstream, version):
    async def handler(peer):
        await peer.request()
        await peer.say(b"HTTP/" + version + b" 200 OK\r\n\r\nabc")
        await asyncio.sleep(0.01)
        await peer.say(b"def")

    async with serve(handler) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call())
        assert await reply.read() == b"abcdef"
        assert upstream.open_connections == 0


async def test_head_has_no_body_whatever_its_length_says(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")
        await asyncio.sleep(5)

    async with serve(handler) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call(b"", method="HEAD"))
        assert await reply.read() == b""
        assert upstream.open_connections == 0


async def test_chunks_come_as_they_arrive_and_end_with_nothing(serve, make_upstream):
    async def handler(peer):
        while True:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for word in (b"one", b"two", b"six"):
                await asyncio.sleep(0.02)
                await peer.say(b"3\r\n" + word + b"\r\n")
            await peer.say(b"0\r\n\r\n")

    async with serve(handler) as server:
        upstream = make_upstream()
        for _ in range(2):
            reply = await upstream.send(server.call())
            chunks = []
            while chunk := await reply.read_chunk():
                chunks.append(chunk)
            assert chunks == [b"one", b"two", b"six"]
            assert await reply.read_chunk() == b""
            reply.close()
        assert server.accepted == 1


async def test_a_response_split_at_every_byte_is_the_same(serve, make_upstream):
    async def handler(peer):
        while True:
            await peer.request()
            for index in range(len(OK)):
                await peer.say(OK[index : index + 1])
                await asyncio.sleep(0)

    async with serve(handler) as server:
        upstream = make_upstream()
        for _ in range(2):
            reply = await upstream.send(server.call())
            assert (reply.status, await reply.read()) == (200, b"hello")
        assert server.accepted == 1


async def test_a_large_body_is_written_whole_to_a_slow_reader(serve, make_upstream):
    body = bytes(range(256)) * 40_000  # 10 MB
    seen = []

    async def handler(peer):
        await asyncio.sleep(0.05)
        seen.append((await peer.request())[1])
        await peer.say(OK)

    async with serve(handler, limit=2**16) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call(body))
        assert await reply.read() == b"hello"
        assert seen == [body]
        assert upstream.idle == 1


async def test_an_answer_before_the_body_was_taken_is_heard_and_the_connection_not_reused(serve, make_upstream):
    async def handler(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await asyncio.sleep(1)

    async with serve(handler) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call(bytes(30_000_000)))
        assert (reply.status, await reply.read()) == (413, b"no")
        assert upstream.open_connections == 0
