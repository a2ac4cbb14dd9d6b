"""Steady traffic on a gateway's virtual time, and an upstream that tells when it was asked."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.playbooks.engine.conftest import CI, CONFIG, ENVIRONMENT

from bascule.ports import UpstreamCall
from bascule.testing.exchange import ListExchange
from bascule.testing.transport import Reply
from bascule.testing.world import World

Ask = Callable[[int], dict[str, Any]]
"""A request's number to its body and how it is sent, as `World.exchange` takes them."""


class Upstream:
    """Answers by host and time since the start; remembers every call and how many were open at once."""

    def __init__(self, world: World, answer: Callable[[str, float], Reply], *, takes_s: float = 0.0) -> None:
        """`takes_s`: before each answer."""
        self._world = world
        self._answer = answer
        self._takes_s = takes_s
        self.began_s = world.clock.monotonic_s()
        self.calls: list[tuple[float, str]] = []
        self.open: dict[str, int] = {}
        self.most_open: list[tuple[float, str, int]] = []
        """When a call came, for whom, and how many were open then, itself included."""
        world.upstream.answer = self.reply

    @property
    def now_s(self) -> float:
        return self._world.clock.monotonic_s() - self.began_s

    def reply(self, call: UpstreamCall) -> Reply:
        host = call.origin.partition("//")[2]
        self.calls.append((self.now_s, host))
        self.open[host] = self.open.get(host, 0) + 1
        self.most_open.append((self.now_s, host, self.open[host]))
        reply = self._answer(host, self.now_s)
        return Reply(
            status=reply.status,
            headers=reply.headers,
            before=[*([self._takes_s] if self._takes_s else []), lambda: self._over(host), *reply.before],
            parts=reply.parts,
        )

    def _over(self, host: str) -> None:
        self.open[host] -= 1

    def at(self, host: str) -> list[float]:
        """When it was called."""
        return [when for when, whom in self.calls if whom == host]


class Sent:
    """One request of the traffic, and its end."""

    def __init__(self, at_s: float, exchange: ListExchange) -> None:
        self.at_s = at_s
        self.exchange = exchange
        self.ended_s = at_s

    @property
    def status(self) -> int | None:
        return self.exchange.status

    @property
    def took_s(self) -> float:
        return self.ended_s - self.at_s


@contextmanager
def gateway(directory: Path, *, more: str = "", config: str = CONFIG) -> Iterator[World]:
    """A world that must be at rest in the end."""
    world = World(config + more, [], directory, environment={**ENVIRONMENT, "ONE_B_KEY": "sk-one-b-canary-0123456789"})
    try:
        yield world
        world.assert_at_rest()
    finally:
        world.close()


def steady(world: World, ask: Ask, *, rate_rps: float, seconds: float, key: str = CI) -> list[Sent]:
    """Requests at a constant rate for so long, on virtual time; all of them have ended then."""
    began_s = world.clock.monotonic_s()
    sent: list[Sent] = []

    async def one(number: int) -> None:
        how = {"key": key, **ask(number)}
        body = how.pop("body")
        this = Sent(world.clock.monotonic_s() - began_s, world.exchange(body, **how))
        sent.append(this)
        await world.gateway.engine.handle(this.exchange)
        this.ended_s = world.clock.monotonic_s() - began_s

    async def all_of_them() -> None:
        tasks = []
        for number in range(int(rate_rps * seconds)):
            due_s = number / rate_rps
            await asyncio.sleep(max(0.0, due_s - (world.clock.monotonic_s() - began_s)))
            tasks.append(asyncio.create_task(one(number)))
        await asyncio.gather(*tasks)

    world.run(all_of_them())
    return sent
