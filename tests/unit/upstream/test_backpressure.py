"""Who reads slowly holds the sender back, and costs a bounded buffer."""

import asyncio

import orjson

from bascule.ports import Timeouts, UpstreamCall
from bascule.testing.script import Script
from bascule.testing.upstream import ScriptedUpstream

CHUNK = b"x" * 16_384


async def test_an_unread_stream_stalls_its_sender_and_memory_is_bounded(serve, make_upstream):
    sent = 0

    async def handler(peer):
        nonlocal sent
        await peer.request()
        peer.writer.transport.set_write_buffer_limits(high=0)
        await peer.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(4_000):  # 64 MB
            await peer.say(b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK))
            sent += len(CHUNK)
        await peer.say(b"0\r\n\r\n")

    async with serve(handler) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call(timeouts={"idle_s": 0.1, "total_s": 20.0}))
        await asyncio.sleep(0.3)  # longer than the idle limit: it is we who lag
        stalled_at = sent
        assert stalled_at < 16_000_000  # what the kernel's buffers take
        await asyncio.sleep(0.2)
        assert sent == stalled_at
        assert reply._buffered <= 2 * 32 * 1024
        received = 0
        while chunk := await reply.read_chunk():
            received += len(chunk)
            assert len(chunk) <= 2 * 32 * 1024
        assert received == sent == 4_000 * len(CHUNK)
        assert upstream.idle == 1


async def test_a_stalled_stream_resumes_for_read(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n" + bytes(10_000_000))

    async with serve(handler) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call())
        await asyncio.sleep(0.1)
        assert len(await reply.read()) == 10_000_000


async def test_a_response_that_ends_while_held_leaves_a_connection_that_still_reads(serve, make_upstream):
    async def handler(peer):
        while True:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 32768\r\n\r\n" + bytes(32_768))

    async with serve(handler) as server:
        upstream = make_upstream(read_buffer_bytes=1024)
        replies = []
        for _ in range(4):
            replies.append(await upstream.send(server.call()))
            await asyncio.sleep(0.02)
        for reply in replies:
            assert len(await reply.read()) == 32_768


async def test_a_stalled_reader_is_ended_by_the_total_limit(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n" + bytes(10_000_000))

    async with serve(handler) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call(timeouts={"total_s": 0.1}))
        await asyncio.sleep(0.2)
        assert upstream.open_connections == 0
        reply.close()


async def test_the_scripted_upstream_sees_who_leaves_and_bills_what_was_generated(make_upstream):
    async with ScriptedUpstream(Script(output_tokens=200, gap_s=0.005)) as up:
        upstream = make_upstream()
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
        call = UpstreamCall(
            origin=up.origin,
            method="POST",
            target="/v1/chat/completions",
            headers=(),
            body=orjson.dumps(body),
            timeouts=Timeouts(),
        )
        reply = await upstream.send(call)
        seen = b""
        while seen.count(b'"content":') < 10:
            seen += await reply.read_chunk()
        reply.close()
        await up.quiet()
        record = up.served[0]
        assert (record.cut, record.completed, record.bills) == ("client_left", False, True)
        assert 9 <= record.usage["completion_tokens"] == record.output_tokens_written < 60
        assert (upstream.open_connections, up.open_connections) == (0, 0)
