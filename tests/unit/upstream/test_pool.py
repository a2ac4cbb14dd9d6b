"""Limits, queue, retiring, sending once more, cancellation."""

import asyncio

import pytest

from bascule.ports import TransportError

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def always(peer):
    while True:
        await peer.request()
        await peer.say(OK)


def slow(delay_s):
    async def handler(peer):
        while True:
            await peer.request()
            await asyncio.sleep(delay_s)
            await peer.say(OK)

    return handler


async def whole(upstream, call) -> bytes:
    reply = await upstream.send(call)
    try:
        return await reply.read()
    finally:
        reply.close()


async def test_no_more_connections_than_the_limit_and_everybody_is_served(serve, make_upstream):
    async with serve(slow(0.01)) as server:
        upstream = make_upstream(max_connections_per_origin=3)
        bodies = await asyncio.gather(*(whole(upstream, server.call()) for _ in range(30)))
        assert bodies == [b"ok"] * 30
        assert (server.accepted, upstream.open_connections, upstream.idle) == (3, 3, 3)


async def test_a_full_queue_refuses_at_once_and_a_long_wait_ends(serve, make_upstream):
    async with serve(slow(0.3)) as server:
        upstream = make_upstream(max_connections_per_origin=1, max_waiting_per_origin=1)
        first = asyncio.create_task(whole(upstream, server.call()))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(whole(upstream, server.call(timeouts={"connect_s": 0.05})))
        await asyncio.sleep(0.01)
        with pytest.raises(TransportError, match="queue is full") as caught:
            await upstream.send(server.call())
        assert (caught.value.error_class, caught.value.request_sent) == ("connect", False)
        with pytest.raises(TransportError) as waited:
            await second
        assert (waited.value.error_class, waited.value.request_sent) == ("timeout_connect", False)
        assert await first == b"ok"
        assert (upstream.in_flight, upstream.idle) == (0, 1)


async def test_those_who_wait_get_the_place_of_a_connection_that_dies(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await asyncio.sleep(0.02)
        await peer.say(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")

    async with serve(handler) as server:
        upstream = make_upstream(max_connections_per_origin=2)
        assert await asyncio.gather(*(whole(upstream, server.call()) for _ in range(8))) == [b"ok"] * 8
        assert (server.accepted, upstream.open_connections) == (8, 0)


async def test_cancelling_at_any_moment_leaves_no_connection_in_use(serve, make_upstream):
    async def handler(peer):
        while True:
            await peer.request()
            await asyncio.sleep(0.005)
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nok")
            await asyncio.sleep(0.005)
            await peer.say(b"ok")

    async with serve(handler) as server:
        upstream = make_upstream(max_connections_per_origin=4)
        for round_number in range(10):
            tasks = [asyncio.create_task(whole(upstream, server.call())) for _ in range(12)]
            await asyncio.sleep(0.002 * round_number)
            for task in tasks[::2]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(result == b"okok" or isinstance(result, asyncio.CancelledError) for result in results)
            assert results[1::2] == [b"okok"] * 6
            assert upstream.in_flight == 0
            assert upstream.open_connections <= 4


async def test_closing_a_reply_early_cuts_its_connection_and_closing_late_does_not(serve, make_upstream):
    async def handler(peer):
        while True:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nok")
            await asyncio.sleep(0.02)
            await peer.say(b"ok")

    async with serve(handler) as server:
        upstream = make_upstream()
        reply = await upstream.send(server.call())
        reply.close()
        reply.close()
        assert upstream.open_connections == 0
        reply = await upstream.send(server.call())
        assert await reply.read() == b"okok"
        reply.close()
        assert (upstream.idle, server.accepted) == (1, 2)


async def test_a_closed_reply_cannot_hurt_the_next_request_on_its_connection(serve, make_upstream):
    async with serve(always) as server:
        upstream = make_upstream()
        first = await upstream.send(server.call())
        second = await upstream.send(server.call())
        first.close()
        assert await second.read() == b"ok"
        assert (upstream.idle, server.accepted) == (1, 1)


async def test_the_newest_idle_connection_is_used_first_and_old_ones_expire(serve, make_upstream):
    async with serve(slow(0.02)) as server:
        upstream = make_upstream(keepalive_idle_s=0.2)
        await asyncio.gather(*(whole(upstream, server.call()) for _ in range(4)))
        assert upstream.idle == 4
        for _ in range(12):
            await whole(upstream, server.call())
        await asyncio.sleep(0.1)
        assert server.accepted == 4
        assert upstream.idle == 1
        await asyncio.sleep(0.3)
        assert upstream.open_connections == 0


async def test_a_connection_closed_while_idle_is_retired(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await peer.say(OK)

    async with serve(handler) as server:
        upstream = make_upstream()
        for _ in range(3):
            assert await whole(upstream, server.call()) == b"ok"
            await asyncio.sleep(0.02)
            assert upstream.open_connections == 0
        assert server.accepted == 3


async def test_an_aged_connection_is_closed_after_its_response(serve, make_upstream):
    async with serve(slow(0.02)) as server:
        upstream = make_upstream(max_connection_age_s=0.01)
        for _ in range(3):
            assert await whole(upstream, server.call()) == b"ok"
        assert server.accepted == 3


async def test_the_server_says_how_long_it_keeps_a_connection(serve, make_upstream):
    async def handler(peer):
        while True:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=100\r\ncontent-length: 2\r\n\r\nok")

    async with serve(handler) as server:
        upstream = make_upstream()
        assert await whole(upstream, server.call()) == b"ok"
        assert upstream.open_connections == 0  # a second before its second is over: at once


class ClosesOnReuse:
    """Answers the first request of a connection; at the next, closes without a byte."""

    def __init__(self, *, reset: bool = False) -> None:
        self.requests = 0
        self.reset = reset

    async def __call__(self, peer):
        await peer.request()
        self.requests += 1
        await peer.say(OK)
        await peer.request()
        self.requests += 1
        if self.reset:
            peer.reset()


@pytest.mark.parametrize("reset", [False, True])
async def test_a_request_lost_on_an_idle_connection_is_sent_once_more(serve, make_upstream, reset):
    handler = ClosesOnReuse(reset=reset)
    async with serve(handler) as server:
        upstream = make_upstream(replay_idle_s=0.03)
        assert await whole(upstream, server.call()) == b"ok"
        await asyncio.sleep(0.05)
        assert await whole(upstream, server.call()) == b"ok"
        assert (handler.requests, server.accepted) == (3, 2)


async def test_a_request_lost_on_a_busy_connection_may_have_been_billed_and_is_not_repeated(serve, make_upstream):
    handler = ClosesOnReuse()
    async with serve(handler) as server:
        upstream = make_upstream(replay_idle_s=30.0)
        assert await whole(upstream, server.call()) == b"ok"
        with pytest.raises(TransportError) as caught:
            await upstream.send(server.call())
        assert (caught.value.error_class, caught.value.request_sent) == ("reset", True)
        assert handler.requests == 2


async def test_a_request_lost_on_a_fresh_connection_is_not_repeated(serve, make_upstream):
    async def handler(peer):
        await peer.request()

    async with serve(handler) as server:
        upstream = make_upstream(replay_idle_s=0.0)
        with pytest.raises(TransportError):
            await upstream.send(server.call())
        assert server.accepted == 1


async def test_a_request_whose_loss_came_late_is_not_repeated(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await asyncio.sleep(0.1)

    async with serve(handler) as server:
        upstream = make_upstream(replay_idle_s=0.0, replay_within_s=0.03)
        assert await whole(upstream, server.call()) == b"ok"
        with pytest.raises(TransportError) as caught:
            await upstream.send(server.call())
        assert (caught.value.error_class, server.accepted) == ("reset", 1)


async def test_a_large_body_cut_while_written_on_a_reused_connection_is_sent_once_more(serve, make_upstream):
    async def handler(peer):
        await peer.request()
        await peer.say(OK)
        if server.accepted == 1:
            await peer.reader.readuntil(b"\r\n\r\n")
            peer.reset()

    async with serve(handler) as server:
        upstream = make_upstream(replay_idle_s=30.0)
        assert await whole(upstream, server.call()) == b"ok"
        assert await whole(upstream, server.call(bytes(20_000_000))) == b"ok"
        assert server.accepted == 2


async def test_closing_the_transport_ends_everything(serve, make_upstream):
    async with serve(slow(5)) as server:
        upstream = make_upstream(max_connections_per_origin=2)
        tasks = [asyncio.create_task(whole(upstream, server.call())) for _ in range(4)]
        await asyncio.sleep(0.05)
        upstream.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [TransportError] * 4
        assert upstream.open_connections == 0
        with pytest.raises(TransportError, match="closed"):
            await upstream.send(server.call())
