"""An ASGI request as the engine's Exchange: what is sent, and what is known of the client's leaving."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from bascule.gateway.exchange import Incoming
from bascule.model.headers import Headers
from bascule.server.exchange import AsgiExchange

Message = MutableMapping[str, Any]


class Wire:
    """Collects what is sent; `leave` is the client's disconnect."""

    def __init__(self, broken: bool = False) -> None:
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self.broken = broken
        self.receives = 0

    async def receive(self) -> Message:
        self.receives += 1
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.broken:
            raise OSError("gone")
        self.sent.append(message)


def exchange(wire: Wire) -> AsgiExchange:
    incoming = Incoming(surface="openai_chat", headers=Headers([]), body=b"{}")
    return AsgiExchange(incoming, wire.receive, wire.send)


async def test_a_whole_answer_has_its_length() -> None:
    wire = Wire()
    made = exchange(wire)
    assert not made.started
    await made.respond(402, [(b"a", b"b")], b"body")
    assert made.started
    assert wire.sent == [
        {"type": "http.response.start", "status": 402, "headers": [(b"a", b"b"), (b"content-length", b"4")]},
        {"type": "http.response.body", "body": b"body", "more_body": False},
    ]
    assert wire.receives == 0


async def test_a_streamed_answer() -> None:
    wire = Wire()
    made = exchange(wire)
    await made.start(200, [])
    await made.send(b"one")
    await made.end(b"two")
    assert [(m.get("body"), m.get("more_body")) for m in wire.sent] == [(None, None), (b"one", True), (b"two", False)]


async def test_the_watcher_learns_of_the_clients_leaving_once() -> None:
    wire = Wire()
    made = exchange(wire)
    told: list[str] = []
    made.watch(lambda: told.append("first"))
    made.watch(lambda: told.append("second"))
    await asyncio.sleep(0)
    assert (told, made.gone, wire.receives) == ([], False, 1)
    wire.left.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (told, made.gone) == (["second"], True)
    made.watch(lambda: told.append("late"))
    assert told == ["second", "late"]
    await made.send(b"x")
    await made.end(b"y")
    assert wire.sent == []


@pytest.mark.parametrize("last", [False, True])
async def test_a_broken_socket_is_a_client_that_left(last: bool) -> None:
    wire = Wire(broken=True)
    made = exchange(wire)
    told: list[int] = []
    made.watch(lambda: told.append(1))
    await (made.end(b"x") if last else made.send(b"x"))
    assert (made.gone, told) == (True, [1])
    made.release()


async def test_release_ends_the_watcher() -> None:
    wire = Wire()
    made = exchange(wire)
    made.watch(lambda: pytest.fail("nobody left"))
    await asyncio.sleep(0)
    made.release()
    made.release()
    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
