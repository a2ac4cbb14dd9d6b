"""What comes over a connection, and how long it takes: bounds, garbage, offers of other protocols, a stop."""

import asyncio
from typing import cast

import pytest
from msgspec import structs
from tests.unit.server.connection import LIMITS, Client, FakeEngine, Timers, answers, post

from bascule.config.shape import Limits
from bascule.gateway.engine import Engine
from bascule.gateway.exchange import Exchange
from bascule.model.policy import KeyPolicy
from bascule.server.guard import Guard
from bascule.server.hot import EdgeLimits, Hot

HALF = post("/v1/messages", b"{", "content-length: 2")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def a_hot(engine: FakeEngine, limits: EdgeLimits) -> Hot:
    guard = Guard(bound_host="127.0.0.1", allowed_hosts=(), allowed_origins=())
    return Hot(engine=cast(Engine, engine), guard=guard, limits=limits)


# Keep-alive.


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


# In flight.


async def test_bodies_that_end_together_are_not_served_beyond_the_limit(engine: FakeEngine) -> None:
    gate = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        engine.metrics.in_flight += 1
        await gate.wait()
        engine.metrics.in_flight -= 1
        await engine.echo(exchange)

    engine.answer = slow
    hot = a_hot(engine, LIMITS)
    clients = [Client(engine, hot=hot) for _ in range(5)]
    for client in clients:
        await client.ask(HALF)
    for client in clients:
        client.protocol.data_received(b"}")
    await clients[0].rounds()
    assert engine.metrics.in_flight == 2
    gate.set()
    await clients[0].rounds()
    assert sorted([answer.status for client in clients for answer in answers(client.sent)]) == [200, 200, 503, 503, 503]
    assert not any(client.transport.closed for client in clients)


# The head.


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


# Bodies.


async def test_bodies_being_read_are_bounded_together(engine: FakeEngine) -> None:
    hot = a_hot(engine, structs.replace(LIMITS, max_arriving_bytes=15))
    first, second = Client(engine, hot=hot), Client(engine, hot=hot)
    part = post("/v1/messages", b"x" * 8, "content-length: 10")
    assert await first.ask(part) == []
    (answer,) = await second.ask(part)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert hot.arriving.in_all_bytes == 8
    assert [answer.status for answer in await first.ask(b"xx")] == [200]
    assert hot.arriving.in_all_bytes == 0
    assert await second.ask(b"xx") == []
    assert [answer.status for answer in await second.ask(post("/v1/messages", b"{}"))] == [200]


async def test_a_tenant_that_sends_slowly_does_not_take_the_room_of_others(engine: FakeEngine) -> None:
    engine.is_open = False
    engine.keys = {name: KeyPolicy(name=name.decode(), source="config") for name in (b"greedy", b"modest")}
    limits = EdgeLimits(max_body_bytes=1_000, max_in_flight=9, max_arriving_bytes=1_000)
    hot = a_hot(engine, limits)
    greedy = [Client(engine, hot=hot) for _ in range(4)]
    greeds, part = (
        post("/v1/messages", b"x" * 310, "content-length: 311", f"x-api-key: {key}") for key in ("greedy", "modest")
    )
    told = [await client.ask(greeds) for client in greedy]
    assert [[answer.status for answer in some] for some in told] == [[], [], [503], [503]]
    assert "overload.max_tenant_share" in told[2][0].body.decode()
    modest = Client(engine, hot=hot)
    assert await modest.ask(part) == []
    assert [answer.status for answer in await modest.ask(b"x")] == [200]
    for client in (*greedy, modest):
        client.leave()
    assert hot.arriving.in_all_bytes == 0
    alone = Client(engine, hot=hot)  # with all that is free, for its only body
    whole = post("/v1/messages", b"x" * 1_000, "x-api-key: greedy")
    assert [answer.status for answer in await alone.ask(whole)] == [200]


async def test_what_was_served_is_not_given_back_again(engine: FakeEngine) -> None:
    client = Client(engine)
    assert [answer.status for answer in await client.ask(post("/v1/messages", b"1234567"))] == [200]
    client.leave()
    assert client.hot.arriving.in_all_bytes == 0


async def test_a_body_that_nobody_waits_for_is_let_go(engine: FakeEngine) -> None:
    hot = a_hot(engine, LIMITS)
    client = Client(engine, hot=hot)
    await client.ask(HALF)
    client.leave()
    assert hot.arriving.in_all_bytes == 0
    client = Client(engine, hot=hot)
    await client.ask(post("/v1/messages", b"6\r\nxxxxxx\r\n5\r\nxxxxx\r\n", "transfer-encoding: chunked"))
    assert hot.arriving.in_all_bytes == 0
    gate = asyncio.Event()
    engine.answer = lambda exchange: cast("asyncio.Future[None]", gate.wait())
    client = Client(engine, hot=hot)
    client.protocol.data_received(post("/v1/messages", b"{}") * 3)
    await client.rounds()
    assert hot.arriving.in_all_bytes == 4
    client.leave()
    assert hot.arriving.in_all_bytes == 0
    gate.set()
    await client.rounds()


# Time.


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


# Connections.


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


# A client that does not take its answer.


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


# What is not HTTP, and what asks for another protocol.


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


# A stop.


@pytest.mark.parametrize("path", ["/v1/messages", "/other"])
async def test_a_stop_does_not_wait_for_the_rest_of_a_body(engine: FakeEngine, path: str) -> None:
    client = Client(engine)
    await client.ask(post(path, b"{", "content-length: 2"))
    client.protocol.shutdown()
    await client.rounds()
    (answer,) = answers(client.sent)
    assert (answer.status, answer.headers["connection"]) == (503, "close")
    assert client.transport.closed
    client.leave()
    await client.rounds()


async def test_a_stop_answers_what_is_whole_and_refuses_what_is_not(engine: FakeEngine) -> None:
    gate = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await gate.wait()
        await engine.echo(exchange)

    engine.answer = slow
    client = Client(engine)
    client.protocol.data_received(post("/v1/messages", b"first") + HALF)
    await client.rounds()
    client.protocol.shutdown()
    gate.set()
    await client.rounds()
    assert [answer.status for answer in answers(client.sent)] == [200, 503]
    assert client.transport.closed


def test_limits_are_those_of_the_configuration() -> None:
    names = set(EdgeLimits.__struct_fields__)
    configured = structs.asdict(Limits())
    assert names <= set(configured)
    chosen = {name: value for name, value in configured.items() if name in names}
    assert chosen == structs.asdict(EdgeLimits(**chosen))


@pytest.fixture(autouse=True)
async def no_task_is_left():
    yield
    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
