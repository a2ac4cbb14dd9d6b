"""After the first content, never another model's text."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.promises.conftest import Figure
from tests.promises.dialects import CLIENTS, PROVIDERS, ask, config, ends_of, error_event, provider_bytes, text_of
from tests.promises.steady import Upstream, gateway

from bascule.gateway.surfaces import Surface
from bascule.testing.exchange import ListExchange
from bascule.testing.script import Script
from bascule.testing.transport import HANG_S, Break, Reply, stream

FAILS = config("breaker: {enabled: false}\noutlier: {enabled: false}\nretry: {budget_reserve: 1000}\n")
HEDGES = FAILS.replace("-model]}", "-model], hedge: {after_s: 1.0}}")
ALPHA, OMEGA = "alpha beta gamma delta", "omega psi chi phi"
FIRST, SECOND = Script(text=ALPHA, response_id="answer-1"), Script(text=OMEGA, response_id="answer-2")


def sides(client: Surface, answer: ListExchange) -> tuple[bool, bool]:
    """Whether text of the first model, and of the second, has reached the client."""
    text = text_of(client, answer)
    return any(word in text for word in ALPHA.split()), any(word in text for word in OMEGA.split())


def breaks(provider: str) -> dict[str, list[Any]]:
    return {"error event": [error_event(provider)], "reset": [Break("reset")], "end": [], "silence": [HANG_S]}


@pytest.mark.promise(15, fault="a stream fails at every event, a fallback is set", limit="one model's text per answer")
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_models_text_per_answer(tmp_path: Path, figure: Figure, client: Surface, provider: str) -> None:
    pieces, other = provider_bytes(provider, FIRST), provider_bytes(provider, SECOND)
    spliced, moved, stayed = [], 0, 0
    with gateway(tmp_path, config=FAILS) as world:
        for how, end in breaks(provider).items():
            for count in range(len(pieces)):
                world.upstream.replies = []
                world.upstream.at = {
                    "first.test": [stream(*pieces[:count], *end)],
                    "second.test": [stream(*other)],
                }
                answer = world.ask(**ask(client, f"over-{provider}"))
                first, second = sides(client, answer)
                if first and (second or ends_of(client, answer)):
                    whole = text_of(client, answer).split() == ALPHA.split() and not second
                    spliced += [] if whole else [(how, count)]
                moved += second and not first
                stayed += first
    figure("spliced", len(spliced))
    assert spliced == []
    assert moved >= 4  # failing over is free before the first content, and is done
    assert stayed >= 4


@pytest.mark.promise(15, fault="a hedge and a first attempt speak at once", limit="one model's text per answer")
@pytest.mark.parametrize("client", CLIENTS)
def test_hedges_are_never_mixed(tmp_path: Path, figure: Figure, full: bool, client: Surface) -> None:
    dice = random.Random(15)
    rounds = 200 if full else 25
    spliced, by_first, by_second = 0, 0, 0
    with gateway(tmp_path, config=HEDGES) as world:
        for provider in PROVIDERS:
            for _ in range(rounds):
                first, second = provider_bytes(provider, FIRST), provider_bytes(provider, SECOND)
                lead_s = dice.choice([0.0, 0.0, 0.001, -0.001, 0.5, -0.5])
                answers = {"first.test": paused(first, 2.0 - lead_s, dice), "second.test": paused(second, 1.0, dice)}
                Upstream(world, by_host(answers))
                answer = world.ask(**ask(client, f"over-{provider}"))
                one, other = sides(client, answer)
                spliced += one and other
                by_first += one
                by_second += other
                assert answer.status == 200
                assert ends_of(client, answer) == 1
                assert text_of(client, answer).split() in (ALPHA.split(), OMEGA.split())
        assert {row.role for row in world.rows} == {"primary", "hedge"}
        assert len(world.rows) == len(world.upstream.calls)
    figure("spliced", spliced)
    figure("answered by the hedge", 100 * by_second / (by_first + by_second), "%")
    assert spliced == 0
    assert by_first
    assert by_second


def by_host(answers: dict[str, Reply]) -> Callable[[str, float], Reply]:
    return lambda host, now_s: answers[host]


def paused(pieces: list[bytes], first_s: float, dice: random.Random) -> Reply:
    """A stream whose head comes at once and its content later, event by event."""
    parts: list[Any] = [first_s]
    for piece in pieces:
        parts += [piece, dice.choice([0.0, 0.001])]
    return stream(*parts)
