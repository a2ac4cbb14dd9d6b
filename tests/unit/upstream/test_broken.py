"""Every transport fault of the scripted upstream has its class, and leaves no connection in use."""

import asyncio

import orjson
import pytest

from bascule.ports import Timeouts, TransportError, UpstreamCall
from bascule.testing.faults import BIG_LINE_BYTES
from bascule.testing.script import Script
from bascule.testing.upstream import ScriptedUpstream, closed_port

SAID = "ringed ears " * 40
QUICK = Timeouts(connect_s=2.0, first_byte_s=0.15, idle_s=0.15, total_s=0.4)


def chat(up: ScriptedUpstream, *, stream: bool = False, **changes) -> UpstreamCall:
    body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    fields = {
        "origin": up.origin,
        "method": "POST",
        "target": "/v1/chat/completions",
        "headers": ((b"content-type", b"application/json"),),
        "body": orjson.dumps(body),
        "timeouts": QUICK,
    }
    return UpstreamCall(**fields | changes)


async def drain(reply) -> tuple[bytes, str | None]:
    """All chunks, and the class of the error that ended them."""
    data = b""
    try:
        while chunk := await reply.read_chunk():
            data += chunk
    except TransportError as error:
        return data, error.error_class
    return data, None


@pytest.mark.parametrize(
    ("fault", "error_class"),
    [("reset_before", "reset"), ("close_before", "reset"), ("hang_before", "timeout_first_byte")],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_fault_before_the_head_is_raised_by_send(make_upstream, fault, error_class, stream):
    async with ScriptedUpstream(Script(fault=fault)) as up:
        upstream = make_upstream()
        with pytest.raises(TransportError) as caught:
            await upstream.send(chat(up, stream=stream))
        assert (caught.value.error_class, caught.value.request_sent) == (error_class, True)
        assert f"127.0.0.1:{up.port}" in str(caught.value)
        assert upstream.open_connections == 0
        await up.quiet()
        assert len(up.served) == 1


@pytest.mark.parametrize(
    ("fault", "error_class"),
    [
        ("reset_mid", "reset"),
        ("close_mid", "truncated"),
        ("hang_mid", "timeout_idle"),
        ("drip", "timeout_total"),
        ("short_body", "truncated"),
        ("left_open", "timeout_idle"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_fault_in_the_middle_comes_after_the_bytes_before_it(make_upstream, fault, error_class, stream):
    async with ScriptedUpstream(Script(fault=fault)) as up:
        upstream = make_upstream()
        reply = await upstream.send(chat(up, stream=stream))
        assert reply.status == 200
        data, ended = await drain(reply)
        assert ended == error_class
        assert data.startswith(b"data: {" if stream else b"{")
        reply.close()
        assert upstream.open_connections == 0
        await up.quiet()
        assert up.open_connections == 0


@pytest.mark.parametrize("fault", ["reset_mid", "close_mid", "hang_mid", "short_body"])
async def test_read_raises_the_same(make_upstream, fault):
    async with ScriptedUpstream(Script(fault=fault)) as up:
        upstream = make_upstream()
        reply = await upstream.send(chat(up))
        with pytest.raises(TransportError) as caught:
            await reply.read()
        assert caught.value.error_class in {"reset", "truncated", "timeout_idle"}
        assert upstream.open_connections == 0


async def test_nobody_listens(make_upstream):
    upstream = make_upstream()
    call = UpstreamCall(origin=f"http://127.0.0.1:{closed_port()}", method="GET", target="/", headers=(), body=b"")
    with pytest.raises(TransportError, match="refused") as caught:
        await upstream.send(call)
    assert (caught.value.error_class, caught.value.request_sent) == ("connect", False)
    assert upstream.open_connections == 0


async def test_a_name_that_does_not_exist(make_upstream):
    upstream = make_upstream()
    call = UpstreamCall(origin="http://nowhere.invalid", method="GET", target="/", headers=(), body=b"")
    with pytest.raises(TransportError) as caught:
        await upstream.send(call)
    assert (caught.value.error_class, caught.value.request_sent) == ("connect", False)


async def test_a_redirect_is_a_status_and_is_not_followed(make_upstream):
    async with ScriptedUpstream(Script(fault="redirect")) as up:
        upstream = make_upstream()
        reply = await upstream.send(chat(up))
        assert reply.status == 307
        assert await reply.read() == b""
        assert (up.trap_hits, len(up.served)) == (0, 1)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_compressed_answer_is_decoded(make_upstream, stream):
    async with ScriptedUpstream([Script(fault="gzip", text=SAID), Script(text=SAID)]) as up:
        upstream = make_upstream()
        packed = await upstream.send(chat(up, stream=stream))
        assert (b"content-encoding", b"gzip") in packed.headers
        data, ended = await drain(packed)
        assert ended is None
        assert b"[DONE]" in data if stream else orjson.loads(data)["choices"]
        plain = await upstream.send(chat(up, stream=stream))
        assert data.count(b"ringed") == (await drain(plain))[0].count(b"ringed") == 40
        assert upstream.open_connections == 1


async def test_a_gzip_bomb_is_refused_whole_and_bounded_by_the_chunk(make_upstream):
    async with ScriptedUpstream(Script(fault="gzip_bomb")) as up:
        upstream = make_upstream()
        limits = Timeouts(first_byte_s=10.0)
        reply = await upstream.send(chat(up, max_body_bytes=1_000_000, timeouts=limits))
        with pytest.raises(TransportError) as caught:
            await reply.read()
        assert caught.value.error_class == "too_large"
        reply = await upstream.send(chat(up, timeouts=limits))
        assert 0 < len(await reply.read_chunk()) <= 64 * 1024
        reply.close()


async def test_a_large_line_passes_and_a_larger_body_than_allowed_does_not(make_upstream):
    async with ScriptedUpstream(Script(fault="big_line")) as up:
        upstream = make_upstream()
        limits = Timeouts(first_byte_s=10.0)
        reply = await upstream.send(chat(up, timeouts=limits))
        assert len(await reply.read()) > BIG_LINE_BYTES
        reply = await upstream.send(chat(up, timeouts=limits, max_body_bytes=BIG_LINE_BYTES))
        with pytest.raises(TransportError) as caught:
            await reply.read()
        assert caught.value.error_class == "too_large"
        assert upstream.open_connections == 0


async def test_a_huge_head_is_refused(make_upstream):
    async with ScriptedUpstream(Script(fault="huge_headers")) as up:
        upstream = make_upstream()
        with pytest.raises(TransportError, match="head") as caught:
            await upstream.send(chat(up))
        assert caught.value.error_class == "protocol"
        assert upstream.open_connections == 0


@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nx: a\x00b\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"t" * 200_000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: %b\r\n" % (i, b"v" * 1000) for i in range(100)) + b"\r\n",
    ],
)
async def test_what_is_not_http_is_a_protocol_error(serve, make_upstream, response):
    async def handler(peer):
        await peer.request()
        await peer.say(response)
        await asyncio.sleep(5)

    async with serve(handler) as server:
        upstream = make_upstream()
        with pytest.raises(TransportError) as caught:
            await (await upstream.send(server.call())).read()
        assert caught.value.error_class == "protocol"
        assert len(str(caught.value)) < 250
        assert upstream.open_connections == 0


async def test_a_second_response_nobody_asked_for_is_thrown_away_with_its_connection(serve, make_upstream):
    one = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"

    async def handler(peer):
        while True:
            await peer.request()
            await peer.say(one + b"ok" + one + b"no")

    async with serve(handler) as server:
        upstream = make_upstream()
        for _ in range(3):
            reply = await upstream.send(server.call())
            assert await reply.read() == b"ok"
            assert upstream.open_connections == 0
        assert server.accepted == 3


async def test_late_bytes_on_an_idle_connection_retire_it(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await asyncio.sleep(0.02)
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno")
        await asyncio.sleep(5)

    async with serve(handler) as server:
        upstream = make_upstream()
        assert await (await upstream.send(server.call())).read() == b"ok"
        assert upstream.idle == 1
        await asyncio.sleep(0.06)
        assert upstream.open_connections == 0
        assert await (await upstream.send(server.call())).read() == b"ok"


async def test_an_encoding_that_was_not_asked_for_and_is_unknown_is_a_protocol_error(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\nok")

    async with serve(handler) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call())
        with pytest.raises(TransportError, match="br") as caught:
            await reply.read()
        assert caught.value.error_class == "protocol"


async def test_a_slow_head_and_a_slow_body_are_timed_apart(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await asyncio.sleep(0.2)
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no")
        await asyncio.sleep(5)

    async with serve(handler) as server:
        upstream = make_upstream()
        limits = {"first_byte_s": 1.0, "idle_s": 0.05, "total_s": 2.0}
        reply = await upstream.send(server.call(timeouts=limits))
        assert await reply.read_chunk() == b"o"
        with pytest.raises(TransportError) as caught:
            await reply.read_chunk()
        assert caught.value.error_class == "timeout_idle"


async def test_timeouts_of_one_request_do_not_reach_the_next_on_its_connection(serve, make_upstream):
    async def handler(peer):
        while True:
            await peer.request()
            await asyncio.sleep(0.1)
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async with serve(handler) as server:
        upstream = make_upstream()
        for first_byte_s, passes in ((0.3, True), (5.0, True), (0.3, True), (0.03, False), (0.3, True)):
            call = server.call(timeouts={"first_byte_s": first_byte_s, "idle_s": 9.0})
            if passes:
                assert await (await upstream.send(call)).read() == b"ok"
            else:
                with pytest.raises(TransportError) as caught:
                    await upstream.send(call)
                assert caught.value.error_class == "timeout_first_byte"
        assert server.accepted == 2


@pytest.mark.parametrize("fault", [None, "hang_mid"])
async def test_what_had_arrived_can_be_read_after_closing(make_upstream, fault):
    async with ScriptedUpstream(Script(fault=fault, output_tokens=8)) as up:
        upstream = make_upstream()
        reply = await upstream.send(chat(up, stream=True))
        while not (reply.complete or (fault and up.served[0].output_tokens_written == 3)):
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        reply.close()
        data, ended = await drain(reply)
        assert data.count(b'"content"') >= 3
        assert ended == (None if fault is None else "cancelled")
        assert data.endswith(b"data: [DONE]\n\n") == (fault is None)
