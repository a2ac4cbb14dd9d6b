"""How long a connection may take, how many there may be, and clients that take nothing of their answer."""

import asyncio

import pytest
from msgspec import structs
from tests.unit.server.connection import HALF, LIMITS, Client, FakeEngine, Timers, answers, post

from bascule.gateway.exchange import Exchange
from bascule.server.hot import EdgeLimits


async def test_a_request_in_the_same_read_as_a_refused_ones_body_is_not_idle(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await gate.wait()
        await engine.echo(exchange)

    engine.answer = slow
    client = Client(engine)
    timers = Timers(monkeypatch, client)
    (answer,) = await client.ask(post("/v1/messages", method="GET", body=b"").replace(b"length: 0", b"length: 5"))
    assert answer.status == 405
    assert await client.ask(b"hello" + post("/v1/messages", b"{}")) == []
    while timers.set:
        timers.ring()
    assert not client.transport.closed
    gate.set()
    await client.rounds()
    assert [answer.status for answer in answers(client.sent)] == [200]


async def test_a_connection_that_says_nothing_is_closed(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(engine)
    timers = Timers(monkeypatch, client)
    client.protocol.connection_made(client.transport)
    timers.ring()
    assert client.transport.closed


@pytest.mark.parametrize("sent", [b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx: ", HALF])
async def test_what_does_not_arrive_in_time_gets_408(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    client = Client(engine, limits=structs.replace(LIMITS, head_timeout_s=20.0, body_idle_s=20.0))
    timers = Timers(monkeypatch, client)
    client.protocol.data_received(sent)
    while timers.set:
        timers.ring()
    await client.rounds()
    (answer,) = answers(client.sent)
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert timers.now == 120
    assert client.transport.closed
    assert answer.json["error"]["code"] == "request_timeout"


async def test_a_head_has_one_time_and_a_body_has_time_while_it_moves(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = EdgeLimits(max_body_bytes=100, max_in_flight=2, head_timeout_s=20.0, body_idle_s=20.0)
    head, body = Client(engine, limits=limits), Client(engine, limits=limits)
    for client, first in ((head, b"POST /v1/messages HTTP/1.1\r\nx: "), (body, HALF.replace(b": 2", b": 99"))):
        with monkeypatch.context() as patch:
            timers = Timers(patch, client)
            client.protocol.data_received(first)
            for _ in range(3):
                timers.now += 9
                client.protocol.data_received(b"y")
            timers.ring()
            assert client.transport.closed is (client is head)
            client.leave()


async def test_no_time_runs_while_an_earlier_request_is_answered(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await gate.wait()
        await engine.echo(exchange)

    engine.answer = slow
    client = Client(engine)
    timers = Timers(monkeypatch, client)
    await client.ask(post("/v1/messages", b"first") + HALF)
    for _ in range(3):
        timers.ring()
    assert not client.transport.closed
    gate.set()
    await client.rounds()
    while timers.set:
        timers.ring()
    await client.rounds()
    assert [answer.status for answer in answers(client.sent)] == [200, 408]
    assert client.transport.closed


async def test_connections_beyond_the_limit_are_told_and_closed(engine: FakeEngine) -> None:
    limits = structs.replace(LIMITS, max_connections=2, reserved_connections=0)
    first = Client(engine, limits=limits)
    second = Client(engine, limits=limits, state=first.state)
    third = Client(engine, limits=limits, state=first.state)
    assert (first.transport.closed, second.transport.closed, third.transport.closed) == (False, False, True)
    assert answers(third.sent)[0].status == 503
    assert answers(third.sent)[0].headers["retry-after"] == "1"
    third.protocol.data_received(post("/v1/messages", b"{}"))
    third.leave()
    first.leave()
    assert not Client(engine, limits=limits, state=first.state).transport.closed
    assert engine.seen == []


async def test_beyond_the_limit_some_may_ask_for_health_once(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = structs.replace(LIMITS, max_connections=1, reserved_connections=2)
    first = Client(engine, limits=limits)
    hot, cold, idle = [Client(engine, limits=limits, state=first.state) for _ in range(3)]
    assert idle.transport.closed  # the fourth
    (answer,) = await hot.ask(post("/v1/messages", b"{}"))
    assert (answer.status, hot.transport.closed, engine.seen) == (503, True, [])
    (answer,) = await cold.ask(post("/healthz", method="GET"))
    assert (answer.status, cold.transport.closed) == (299, True)
    hot.leave()
    idle.leave()
    late = Client(engine, limits=limits, state=first.state)
    timers = Timers(monkeypatch, late)
    late.protocol.data_received(b"G")
    timers.ring()
    assert (timers.now, late.transport.closed) == (105.0, True)


async def test_a_client_that_takes_nothing_is_cut_off(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(engine)
    timers = Timers(monkeypatch, client)
    client.transport.untaken = 20_000
    client.protocol.pause_writing()
    client.transport.untaken = 15_000  # slow, but it takes some
    timers.ring()
    assert not client.transport.closed
    client.transport.untaken = 14_999
    timers.ring()
    assert (timers.now, client.transport.aborted, engine.metrics.stalled_clients) == (220.0, True, 1)


async def test_a_client_that_caught_up_in_between_is_not_cut_off(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(engine)
    timers = Timers(monkeypatch, client)
    client.transport.untaken = 20_000
    client.protocol.pause_writing()
    client.protocol.resume_writing()
    client.protocol.pause_writing()
    timers.ring()
    assert (client.transport.closed, len(timers.set)) == (False, 1)
    client.transport.untaken = 0
    client.protocol.resume_writing()
    timers.ring()
    assert (client.transport.closed, timers.set) == (False, [])


async def test_what_is_left_at_a_hang_up_is_not_waited_for_for_ever(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(engine)
    timers = Timers(monkeypatch, client)
    client.transport.untaken = 5_000
    await client.ask(post("/v1/messages", b"{}", "connection: close"))
    assert (client.transport.closed, client.transport.aborted) == (True, False)
    timers.ring()
    assert (timers.now, client.transport.aborted) == (160.0, True)
