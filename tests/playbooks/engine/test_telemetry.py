"""Whoever keeps traces is told of each request and each attempt, once, when it has ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.playbooks.engine.conftest import CI, CONFIG, ENVIRONMENT, strict
from tests.playbooks.engine.wire import a_stream, answered, chat, openai_error, streamed

from bascule.model.trace import TraceParent
from bascule.ports.telemetry import AttemptEnded, RequestEnded
from bascule.testing.transport import Reply
from bascule.testing.world import World

TRACEPARENT = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
CALLER = TraceParent(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, sampled=True)


class Told:
    """Implements `ports.telemetry.Telemetry`."""

    def __init__(self) -> None:
        self.requests: list[RequestEnded] = []
        self.attempts: list[AttemptEnded] = []

    def request(self, ended: RequestEnded) -> None:
        self.requests.append(ended)

    def attempt(self, ended: AttemptEnded) -> None:
        self.attempts.append(ended)


@pytest.fixture
def told() -> Told:
    return Told()


class Making:
    def __init__(self, folder: Path, told: Told) -> None:
        self._folder = folder
        self._told = told
        self.made: list[World] = []

    def __call__(self, *replies: Reply, more: str = "") -> World:
        world = World(CONFIG + more, replies, self._folder, environment=ENVIRONMENT, telemetry=self._told)
        self.made.append(world)
        return world


@pytest.fixture
def making(tmp_path: Path, told: Told) -> Iterator[Making]:
    making = Making(tmp_path, told)
    yield making
    for world in making.made:
        world.close()


def test_each_attempt_of_a_failover_and_one_request(making: Making, told: Told) -> None:
    world = making(openai_error(500), answered())
    answer = world.ask(chat("auto"), key=CI, headers=TRACEPARENT)
    (request,) = told.requests
    assert request.request_id == answer.header("x-bascule-request-id")
    assert (request.status, request.refusal, request.parent) == (200, None, CALLER)
    rows = world.rows
    assert [one.intent.attempt_id for one in told.attempts] == [row.attempt_id for row in rows]
    assert [one.settlement.cost_nanousd for one in told.attempts] == [row.cost_nanousd for row in rows]
    assert [one.settlement.error_class for one in told.attempts] == ["server_error", None]
    assert {one.parent for one in told.attempts} == {CALLER}


def test_a_stream_is_told_of_when_it_has_ended(making: Making, told: Told) -> None:
    world = making(a_stream("hel", "lo"))
    world.ask(streamed("small"), key=CI)
    (attempt,) = told.attempts
    assert attempt.intent.stream
    assert attempt.settlement.ts_first_ms is not None
    assert len(told.requests) == 1


def test_a_refusal_is_a_request_without_attempts(making: Making, told: Told) -> None:
    world = making(more=strict("0.000001"))
    answer = world.ask(chat(), key=CI)
    (request,) = told.requests
    assert (answer.status, request.status, request.refusal) == (402, 402, "budget_exhausted")
    assert told.attempts == []
