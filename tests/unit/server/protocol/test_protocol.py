"""A client's connection, without a network: which requests reach the engine, what is refused before, what is sent."""

import asyncio
import gc
import weakref
from typing import Any

import pytest
from msgspec import structs
from tests.unit.server.connection import LIMITS, Client, FakeEngine, Timers, answers, post

from bascule.config.overload import Memory, Overload
from bascule.decide.pressure import Pressure
from bascule.gateway.exchange import Exchange
from bascule.model.errors import Refusal
from bascule.model.policy import KeyPolicy
from bascule.server.hot import HOT_ROUTES
from bascule.server.slots import ALONE

PATHS = sorted(path.decode() for path in HOT_ROUTES)


@pytest.mark.parametrize("path", PATHS)
async def test_hot_routes_reach_the_engine_with_all_that_it_needs(engine: FakeEngine, path: str) -> None:
    client = Client(engine)
    (answer,) = await client.ask(post(f"{path}?beta=true&key=k", b'{"a":1}', "X-Thing: One"))
    assert (answer.status, answer.body) == (200, b'{"a":1}')
    assert answer.headers == {"date": "today", "x-a": "b", "content-length": "7"}
    (exchange,) = engine.seen
    incoming = exchange.incoming
    assert incoming.surface == HOT_ROUTES[path.encode()].surface
    assert (incoming.query, incoming.secret) == ("beta=true&key=k", b"k")
    assert incoming.headers.get(b"x-thing") == b"One"
    assert not client.state.tasks
    assert client.state.total_requests == 1


@pytest.mark.parametrize(
    "target", ["/v1%2Fmessages", "http://localhost/v1/messages", "/v1/messages#part", "/v1/mess%61ges?x"]
)
async def test_other_ways_of_writing_a_hot_route(engine: FakeEngine, target: str) -> None:
    (answer,) = await Client(engine).ask(post(target, b"{}"))
    assert (answer.status, engine.seen[0].incoming.surface) == (200, "anthropic_messages")


@pytest.mark.parametrize(
    "path", ["/", "/v1/models", "/v1/chat/completions/", "/V1/chat/completions", "//v1/messages", "/v1/../v1/messages"]
)
async def test_only_the_exact_path_is_hot(engine: FakeEngine, path: str) -> None:
    (answer,) = await Client(engine).ask(post(path, b"body"))
    assert (answer.status, answer.body, engine.seen) == (299, path.encode() + b" body", [])


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"method": "GET"}, 405),
        ({"hosts": ("evil.example",)}, 403),
        ({"hosts": ()}, 400),
        ({"hosts": ("localhost", "evil.example")}, 400),
        ({"lines": ("origin: https://evil.example",)}, 403),
        ({"lines": ("sec-fetch-site: cross-site",)}, 403),
        ({"lines": ("content-encoding: gzip",)}, 400),
        ({"lines": ("content-length: 11",)}, 413),
        ({"lines": ("transfer-encoding: chunked",), "body": b"b\r\n" + b"x" * 11 + b"\r\n0\r\n\r\n"}, 413),
        ({"lines": ("transfer-encoding: chunked",), "body": b"6\r\nxxxxxx\r\n5\r\nxxxxx\r\n"}, 413),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_early_refusals(engine: FakeEngine, path: str, given: dict[str, Any], status: int) -> None:
    given = dict(given)
    sent = post(path, given.pop("body", b""), *given.pop("lines", ()), **given)
    (answer,) = await Client(engine).ask(sent)
    assert answer.status == status
    assert engine.seen == []
    assert sum(engine.metrics.refusals.values()) == 1
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-bascule-request-id"] == "req_refused"
    assert ("type" in answer.json) is (path == "/v1/messages")  # Anthropic's errors say so at the top
    assert answer.json["error"]["message"]


async def test_what_a_refused_request_still_sends_is_read_over(engine: FakeEngine) -> None:
    client = Client(engine)
    (answer,) = await client.ask(post("/v1/messages", b"x" * 5, "content-length: 11"))
    assert answer.status == 413
    assert await client.ask(b"x" * 6) == []
    (answer,) = await client.ask(post("/v1/messages", b"{}"))
    assert (answer.status, answer.body) == (200, b"{}")


async def test_the_answer_to_head_has_no_body(engine: FakeEngine) -> None:
    client = Client(engine)
    await client.ask(b"")
    client.protocol.data_received(post("/v1/messages", method="HEAD"))
    await client.rounds()
    assert client.sent.startswith(b"HTTP/1.1 405 ")
    assert client.sent.endswith(b"\r\n\r\n")


async def test_bodies_up_to_the_limit_are_taken(engine: FakeEngine) -> None:
    client = Client(engine)
    assert (await client.ask(post("/v1/messages", b"x" * 10)))[0].body == b"x" * 10
    chunked = b"5\r\nxxxxx\r\n5\r\nyyyyy\r\n0\r\n\r\n"
    (answer,) = await client.ask(post("/v1/messages", chunked, "transfer-encoding: chunked"))
    assert answer.body == b"xxxxxyyyyy"


async def test_a_request_may_come_byte_by_byte(engine: FakeEngine) -> None:
    client = Client(engine)
    data = post("/v1/messages?key=k", b"0123456789")
    for at in range(len(data)):
        client.protocol.data_received(data[at : at + 1])
    await client.rounds()
    assert [answer.body for answer in answers(client.sent)] == [b"0123456789"]
    assert engine.seen[0].incoming.secret == b"k"


async def test_with_keys_a_browser_page_is_no_danger(engine: FakeEngine) -> None:
    engine.is_open = False
    (answer,) = await Client(engine).ask(post("/v1/messages", b"", "origin: https://evil.example"))
    assert answer.status == 200
    (answer,) = await Client(engine).ask(post("/v1/messages", hosts=("evil.example",)))
    assert answer.status == 403


async def test_an_overloaded_gateway_says_when_to_come_back(engine: FakeEngine) -> None:
    client = Client(engine)
    assert [client.hot.slots.take(ALONE) for _ in range(2)] == [True, True]
    (answer,) = await client.ask(post("/v1/messages"))
    assert engine.metrics.sheds == {"slots": 1}
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_a_refused_request_that_never_ends_is_not_read_for_ever(engine: FakeEngine) -> None:
    client = Client(engine)
    (answer,) = await client.ask(post("/v1/messages", b"b\r\n" + b"x" * 11 + b"\r\n", "transfer-encoding: chunked"))
    assert (answer.status, client.transport.closed) == (413, False)
    await client.ask(b"14\r\n" + b"x" * 20 + b"\r\n")
    assert not client.transport.closed
    await client.ask(b"1\r\nx\r\n")
    assert client.transport.closed


async def test_an_unknown_key_and_a_full_house_are_refused_before_the_body(engine: FakeEngine) -> None:
    engine.is_open = False
    refusal = Refusal(kind="unauthenticated", message="this key is not known here", code="invalid_api_key")
    engine.keys = {b"wrong": refusal, b"a": KeyPolicy(name="a", team="t"), b"b": KeyPolicy(name="b", team="t")}
    client = Client(engine, limits=structs.replace(LIMITS, max_in_flight=1))
    half = ("content-length: 9", "expect: 100-continue")
    (answer,) = await client.ask(post("/v1/messages", b"", *half, "x-api-key: wrong"))
    assert answer.status == 401
    other = Client(engine, hot=client.hot)
    client.hot.slots.take("team:t")  # of one key; the other one is of the same tenant
    (answer,) = await other.ask(post("/v1/messages", b"", *half, "x-api-key: b"))
    assert (answer.status, engine.seen) == (503, [])
    assert engine.metrics.sheds == {"slots": 1}


@pytest.mark.parametrize(("size", "pressure", "status"), [(5, "large", 200), (6, "large", 503), (5, "all", 503)])
async def test_while_memory_is_short(engine: FakeEngine, size: int, pressure: Pressure, status: int) -> None:
    client = Client(engine)
    client.hot.configure(LIMITS, Overload(memory=Memory(large_body_bytes=5)))
    client.hot.slots.take(ALONE)
    client.hot.under(pressure)
    (answer,) = await client.ask(post("/v1/messages", b"x" * size))
    assert answer.status == status
    body = b"3\r\nxxx\r\n" + b"%x\r\n" % (size - 3) + b"x" * (size - 3) + b"\r\n0\r\n\r\n"
    (answer,) = await Client(engine, hot=client.hot).ask(post("/v1/messages", body, "transfer-encoding: chunked"))
    assert answer.status == status
    client.hot.slots.leave(ALONE)
    if pressure == "all":  # nothing else is there that could free any
        (answer,) = await Client(engine, hot=client.hot).ask(post("/v1/messages", b"x"))
        assert answer.status == 200


async def test_who_waits_for_leave_to_send_gets_it_unless_refused(engine: FakeEngine) -> None:
    client = Client(engine)
    client.protocol.data_received(post("/v1/messages", b"", "expect: 100-continue", "content-length: 2"))
    assert client.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert [answer.status for answer in await client.ask(b"{}")] == [200]
    (answer,) = await client.ask(post("/v1/messages", b"", "expect: 100-continue", "content-length: 11"))
    assert answer.status == 413


async def test_pipelined_requests_are_answered_in_their_order(engine: FakeEngine) -> None:
    client = Client(engine)
    gate = asyncio.Event()

    async def slow_first(exchange: Exchange) -> None:
        if exchange.incoming.body == b"first":
            await gate.wait()
        await engine.echo(exchange)

    engine.answer = slow_first
    both = post("/v1/messages", b"first") + post("/other", b"second") + post("/v1/messages", b"third")
    assert await client.ask(both) == []
    assert not client.transport.reading
    assert len(engine.seen) == 1
    gate.set()
    await client.rounds(20)
    assert [answer.body for answer in answers(client.sent)] == [b"first", b"/other second", b"third"]
    assert client.transport.reading


async def test_a_pipelined_refusal_waits_for_its_turn(engine: FakeEngine) -> None:
    client = Client(engine)
    got = await client.ask(post("/v1/messages", b"first") + post("/v1/messages", b"x" * 11))
    assert [answer.status for answer in got] == [200, 413]


async def test_a_streamed_answer(engine: FakeEngine) -> None:
    async def stream(exchange: Exchange) -> None:
        await exchange.start(200, [(b"x-a", b"b")])
        await exchange.send(b"one")
        await exchange.send(b"")
        await exchange.end(b"two")
        await exchange.send(b"")

    engine.answer = stream
    client = Client(engine)
    client.protocol.data_received(post("/v1/messages"))
    await client.rounds()
    assert client.sent == (
        b"HTTP/1.1 200 OK\r\ndate: today\r\nx-a: b\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    )
    assert not client.transport.closed


async def test_a_client_that_does_not_read_holds_the_stream_back(engine: FakeEngine) -> None:
    sent: list[int] = []

    async def stream(exchange: Exchange) -> None:
        await exchange.start(200, [])
        for at in range(3):
            await exchange.send(b"%d" % at)
            sent.append(at)
        await exchange.end(b"")

    engine.answer = stream
    client = Client(engine)
    client.protocol.data_received(post("/v1/messages"))
    client.protocol.pause_writing()
    await client.rounds()
    assert sent == []
    client.protocol.resume_writing()
    await client.rounds()
    assert sent == [0, 1, 2]
    assert client.sent.endswith(b"1\r\n2\r\n0\r\n\r\n")


async def test_whoever_watches_learns_of_the_clients_leaving_once(engine: FakeEngine) -> None:
    told: list[str] = []
    gone = asyncio.Event()

    async def stream(exchange: Exchange) -> None:
        exchange.watch(lambda: told.append("replaced"))
        exchange.watch(lambda: told.append("first"))
        await exchange.start(200, [])
        await gone.wait()
        assert exchange.gone
        exchange.watch(lambda: told.append("late"))
        await exchange.send(b"x")
        await exchange.end(b"y")

    engine.answer = stream
    client = Client(engine)
    client.protocol.data_received(post("/v1/messages"))
    await client.rounds()
    assert told == []
    sent = client.sent
    client.leave()
    assert told == ["first"]
    gone.set()
    await client.rounds()
    assert told == ["first", "late"]
    assert client.sent == sent
    assert not client.state.tasks


async def test_a_client_that_leaves_before_its_body_is_whole_is_not_served(engine: FakeEngine) -> None:
    client = Client(engine)
    await client.ask(post("/v1/messages", b"{", "content-length: 2"))
    client.leave()
    await client.rounds()
    assert (client.sent, engine.seen) == (b"", [])


@pytest.mark.parametrize("left_in_the_middle", [False, True])
async def test_a_closed_connection_is_gone_from_memory_without_the_garbage_collector(
    engine: FakeEngine, left_in_the_middle: bool
) -> None:
    async def watched(exchange: Exchange) -> None:
        told: list[Exchange] = []
        exchange.watch(lambda: told.append(exchange))
        await asyncio.sleep(0)
        await engine.echo(exchange)

    engine.answer = watched
    client = Client(engine)
    protocol = weakref.ref(client.protocol)
    await client.ask(post("/v1/messages", b"{}"))
    if left_in_the_middle:
        client.protocol.data_received(post("/v1/messages", b"{}") + post("/v1/messages", b"{}"))
    client.leave()
    await client.rounds()
    engine.seen.clear()
    gc.disable()
    try:
        client.transport.written.clear()
        del client
        assert protocol() is None
    finally:
        gc.enable()


async def test_an_engine_that_answers_nothing_leaves_no_client_hanging(engine: FakeEngine) -> None:
    async def nothing(exchange: Exchange) -> None:
        pass

    engine.answer = nothing
    client = Client(engine)
    await client.ask(post("/v1/messages"))
    assert client.transport.closed


async def test_an_idle_connection_is_closed_when_its_time_is_over(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(engine)
    timers = Timers(monkeypatch, client)
    await client.ask(post("/v1/messages"))
    timers.now += 70
    await client.ask(post("/v1/messages"))
    assert len(timers.set) == 1
    timers.ring()
    assert not client.transport.closed
    assert timers.set[0][0] == pytest.approx(100 + 70 + 75)
    timers.ring()
    assert client.transport.closed


async def test_a_connection_with_a_request_is_not_idle(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(engine)
    timers = Timers(monkeypatch, client)
    gate = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await gate.wait()
        await engine.echo(exchange)

    await client.ask(post("/v1/messages"))
    engine.answer = slow
    await client.ask(post("/v1/messages", b"{}"))
    timers.ring()
    assert (client.transport.closed, timers.set) == (False, [])
    gate.set()
    await client.rounds()
    timers.ring()
    assert client.transport.closed
