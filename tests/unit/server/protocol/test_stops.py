"""Connections while the gateway stops, and those that end with their answer."""

import asyncio

import pytest
from tests.unit.server.connection import HALF, Client, FakeEngine, answers, post

from bascule.gateway.exchange import Exchange


@pytest.mark.parametrize("line", ["connection: close", "HTTP/1.0"])
async def test_a_connection_that_shall_not_live_on_is_closed_behind_its_answer(engine: FakeEngine, line: str) -> None:
    client = Client(engine)
    data = post("/v1/messages", b"{}", *([] if line == "HTTP/1.0" else [line]))
    (answer,) = await client.ask(data.replace(b"HTTP/1.1", b"HTTP/1.0") if line == "HTTP/1.0" else data)
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert client.transport.closed


async def test_a_stop_closes_idle_connections_at_once_and_others_behind_their_answer(engine: FakeEngine) -> None:
    client = Client(engine)
    client.protocol.shutdown()
    assert client.transport.closed
    busy = Client(engine)
    busy.protocol.data_received(post("/v1/messages", b"{}"))
    await busy.rounds(1)
    busy.protocol.shutdown()
    assert not busy.transport.closed
    await busy.rounds()
    assert busy.transport.closed
    assert busy.sent.endswith(b"{}")


@pytest.mark.parametrize("started", [False, True])
async def test_a_stop_that_lost_its_patience_breaks_off(engine: FakeEngine, started: bool) -> None:
    async def hang(exchange: Exchange) -> None:
        if started:
            await exchange.start(200, [])
        await asyncio.Event().wait()

    engine.answer = hang
    client = Client(engine)
    client.protocol.data_received(post("/v1/messages"))
    await client.rounds()
    for task in client.state.tasks:
        task.cancel()
    await client.rounds()
    assert client.transport.closed
    assert not client.state.tasks
    if not started:
        (answer,) = answers(client.sent)
        assert (answer.status, answer.json["type"], answer.headers["connection"]) == (503, "error", "close")


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
