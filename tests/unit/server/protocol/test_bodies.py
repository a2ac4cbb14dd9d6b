"""Bodies that are being read, and requests in flight: bounded together, shared between tenants."""

import asyncio
from typing import cast

from msgspec import structs
from tests.unit.server.connection import HALF, LIMITS, Client, FakeEngine, a_hot, answers, post

from bascule.config.shape import Limits
from bascule.gateway.exchange import Exchange
from bascule.model.policy import KeyPolicy
from bascule.server.hot import EdgeLimits


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


def test_limits_are_those_of_the_configuration() -> None:
    names = set(EdgeLimits.__struct_fields__)
    configured = structs.asdict(Limits())
    assert names <= set(configured)
    chosen = {name: value for name, value in configured.items() if name in names}
    assert chosen == structs.asdict(EdgeLimits(**chosen))
