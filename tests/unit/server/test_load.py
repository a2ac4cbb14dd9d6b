"""What lag and memory make of the number of slots and of what is refused."""

import logging
from typing import cast

import pytest
from tests.unit.server.connection import FakeEngine

from bascule.config.overload import Overload
from bascule.gateway.engine import Engine
from bascule.server.guard import Guard
from bascule.server.hot import EdgeLimits, Hot
from bascule.server.load import LoadWatch
from bascule.server.memory_use import MemoryUse
from bascule.server.slots import ALONE


class Gateway:
    """Its hot routes, and memory as a test says."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.used: int | None = 50
        self.relieved = 0
        guard = Guard(bound_host="127.0.0.1", allowed_hosts=(), allowed_origins=())
        self.hot = Hot(
            engine=cast(Engine, self.engine),
            guard=guard,
            limits=EdgeLimits(max_body_bytes=1_000_000, max_in_flight=100),
            overload=Overload(min_in_flight=20),
        )
        self.watch = LoadWatch(self.hot, read_memory=self.read, relieve=self.relieve)

    def read(self) -> MemoryUse | None:
        return None if self.used is None else MemoryUse(self.used, 100)

    def relieve(self) -> None:
        self.relieved += 1


async def test_the_slots_follow_the_lag() -> None:
    gateway = Gateway()
    for _ in range(60):
        gateway.hot.slots.take(ALONE)
    gateway.watch.adjust(0.5)
    assert gateway.hot.slots.limit == 54
    for _ in range(40):
        gateway.watch.adjust(0.5)
    assert gateway.hot.slots.limit == 20
    for _ in range(40):
        gateway.watch.adjust(0.0)
    assert (gateway.hot.slots.limit, gateway.watch.lag_s) == (100, 0.0)


async def test_memory_that_is_short_is_told_once_and_relieved_each_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bascule.server")
    gateway = Gateway()
    for used in (50, 93, 93, 96, None):
        gateway.used = used
        gateway.watch.look_at_memory()
    assert [record.__dict__["pressure"] for record in caplog.records] == ["large", "all", "none"]
    assert gateway.relieved == 3
    assert gateway.engine.metrics.memory_pressures == {"large": 1, "all": 1}
    assert (gateway.hot.pressure, gateway.hot.most_body_bytes) == ("none", 1_000_000)
