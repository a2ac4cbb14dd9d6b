"""The end of a round: the ledger's lines first, then everything that was waiting, in its order."""

import asyncio

import pytest

from bascule.model.errors import LedgerUnavailable
from bascule.ports import TransportError
from bascule.upstream.client import HttpUpstream
from bascule.upstream.outbox import Outbox
from bascule.upstream.proxy import ProxySettings

FULL = LedgerUnavailable("the disk is full")


class Journal:
    def __init__(self) -> None:
        self.log: list[object] = []
        self.full = False

    def write(self) -> None:
        self.log.append("lines")
        if self.full:
            raise FULL

    def sender(self, name: str) -> "Note":
        return Note(self.log, name)


class Note:
    def __init__(self, log: list[object], name: str) -> None:
        self.log, self.name = log, name

    def release(self, unwritten: LedgerUnavailable | None) -> None:
        self.log.append(self.name if unwritten is None else (self.name, unwritten))


async def test_a_round_ends_once_for_all_and_the_lines_come_first():
    journal = Journal()
    outbox = Outbox(journal.write)
    outbox.add(journal.sender("a"))
    outbox.due()
    outbox.add(journal.sender("b"))
    assert journal.log == []
    await asyncio.sleep(0)
    assert journal.log == ["lines", "a", "b"]
    await asyncio.sleep(0)
    assert len(journal.log) == 3


async def test_a_round_may_end_early_and_goes_on():
    journal = Journal()
    outbox = Outbox(journal.write)
    outbox.add(journal.sender("a"))
    assert outbox.flush() is None
    outbox.add(journal.sender("b"))
    assert journal.log == ["lines", "a"]
    await asyncio.sleep(0)
    assert journal.log == ["lines", "a", "lines", "b"]


async def test_everybody_is_told_that_the_lines_could_not_be_written():
    journal = Journal()
    journal.full = True
    outbox = Outbox(journal.write)
    outbox.add(journal.sender("a"))
    outbox.add(journal.sender("b"))
    assert outbox.flush() is FULL
    assert journal.log == ["lines", ("a", FULL), ("b", FULL)]


async def test_lines_alone_make_a_round():
    journal = Journal()
    Outbox(journal.write).due()
    await asyncio.sleep(0)
    assert journal.log == ["lines"]


@pytest.fixture
async def asked(serve):
    """A transport whose lines can fail, and a server that counts and answers."""
    journal = Journal()
    seen: list[bytes] = []

    async def handler(peer):
        while True:
            seen.append(await peer.request())
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with serve(handler) as server:
        upstream = HttpUpstream(proxies=ProxySettings(), outbox=Outbox(journal.write))
        yield upstream, journal, server, seen
        upstream.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize("size", [2, 20_000, 600_000])
@pytest.mark.parametrize("pooled", [False, True])
async def test_nothing_leaves_whose_intent_could_not_be_written(asked, size, pooled):
    upstream, journal, server, seen = asked
    if pooled:
        reply = await upstream.send(server.call())
        assert await reply.read() == b"ok"
    before = len(seen)
    journal.full = True
    with pytest.raises(LedgerUnavailable):
        await upstream.send(server.call(b"x" * size))
    assert upstream.in_flight == 0
    journal.full = False
    reply = await upstream.send(server.call(b"y" * size))
    assert await reply.read() == b"ok"
    assert len(seen) == before + 1
    assert server.accepted == 1


async def test_requests_of_a_round_wait_for_its_end(asked):
    upstream, journal, server, seen = asked
    for reply in await asyncio.gather(*[upstream.send(server.call()) for _ in range(3)]):
        await reply.read()
    journal.log.clear()
    replies = await asyncio.gather(*[upstream.send(server.call()) for _ in range(3)])
    assert [await reply.read() for reply in replies] == [b"ok"] * 3
    assert journal.log == ["lines"]
    assert len(seen) == 6


async def test_a_connection_that_closes_within_the_round_has_sent_nothing(asked):
    upstream, _, server, seen = asked
    await (await upstream.send(server.call())).read()
    (pool,) = upstream._pools.values()
    (connection,) = pool.idle
    task = asyncio.create_task(upstream.send(server.call()))
    asyncio.get_running_loop().call_soon(connection.connection_lost, None)
    reply = await task
    assert await reply.read() == b"ok"  # on a fresh connection: of the first nothing can have been processed
    assert len(seen) == 2


async def test_a_transport_that_is_closed_within_the_round_sends_nothing(asked):
    upstream, _, server, seen = asked
    await (await upstream.send(server.call())).read()
    task = asyncio.create_task(upstream.send(server.call()))
    asyncio.get_running_loop().call_soon(upstream.close)
    with pytest.raises(TransportError):
        await task
    await asyncio.sleep(0.02)
    assert len(seen) == 1
