"""A breaker opens, probes and closes, and no tenant's mistakes open it."""

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CI, OTHER
from tests.playbooks.engine.wire import a_stream, answered, chat, openai_error, streamed
from tests.promises.conftest import Figure
from tests.promises.steady import Sent, Upstream, gateway, steady
from tests.promises.test_17_retry_budget import TWO_KEYS

from bascule.testing.transport import HANG_S, Reply, broken

RATE_RPS = 50.0
IN_BAND = b'data: {"error": {"message": "boom", "type": "server_error"}}\n\n'
FAILURES: dict[str, Callable[[], Reply]] = {
    "500": lambda: openai_error(500),
    "529": lambda: openai_error(529),
    "refused": lambda: broken("connect", request_sent=False),
    "reset": lambda: broken("reset"),
    "in the stream": lambda: Reply(headers={"content-type": "text/event-stream"}, parts=[IN_BAND]),
}


@pytest.mark.promise(
    18, fault="100 % failures, then none, at 50 rps", limit="stops < 2 s, one probe at once, back < 10 s"
)
@pytest.mark.parametrize("failure", FAILURES)
def test_total_failure_and_recovery(tmp_path: Path, figure: Figure, full: bool, failure: str) -> None:
    down_s = 30.0 if full else 8.0
    stream_it = failure == "in the stream"
    with gateway(tmp_path) as world:
        upstream = Upstream(
            world,
            lambda host, now_s: FAILURES[failure]() if now_s < down_s else a_stream() if stream_it else answered(),
            takes_s=0.2,
        )
        body = streamed() if stream_it else chat()
        sent = steady(world, lambda number: {"body": body}, rate_rps=RATE_RPS, seconds=down_s + 12.0)
        assert any(is_barred(one) for one in sent), "it never opened"
        opened_s = min(one.at_s for one in sent if is_barred(one))
        figure("opens after", opened_s, "s")
        assert opened_s < 2.0
        probes = [(when, count) for when, _, count in upstream.most_open if 2.0 <= when < down_s]
        figure("probes at once", max(count for _, count in probes))
        assert probes
        assert {count for _, count in probes} == {1}
        assert len(probes) <= down_s
        well_s = next(one.at_s for one in sent if one.at_s >= down_s and one.status == 200)
        figure("back after", well_s - down_s, "s")
        assert well_s - down_s < 10.0
        assert {one.status for one in sent if one.at_s >= down_s + 10.0} == {200}
        refused = [one for one in sent if is_barred(one)]
        assert all(one.took_s < 0.001 for one in refused)
        assert all(1 <= int(one.exchange.header("retry-after") or 0) <= 5 for one in refused)


def is_barred(one: Sent) -> bool:
    return one.status == 503 and one.exchange.error["code"] == "circuit_open"


@pytest.mark.promise(18, fault="a probe that hangs", limit="others look within 10 s of recovery")
def test_a_probe_that_hangs_keeps_nobody_waiting(tmp_path: Path, figure: Figure) -> None:
    def reply(host: str, now_s: float) -> Reply:
        if now_s < 0.5:
            return openai_error(500)
        return Reply(before=[HANG_S]) if now_s < 3.0 else answered()

    with gateway(tmp_path) as world:
        Upstream(world, reply)
        sent = steady(world, lambda number: {"body": chat()}, rate_rps=20.0, seconds=15.0)
        well_s = next(one.at_s for one in sent if one.at_s >= 3.0 and one.status == 200)
        figure("back after", well_s - 3.0, "s")
        assert well_s - 3.0 < 10.0


MISTAKES: list[tuple[str, Reply, dict[str, Any]]] = [
    ("400", openai_error(400, "no"), {}),
    ("403 moderation", openai_error(403, "flagged by moderation"), {}),
    ("404", openai_error(404, code="model_not_found"), {}),
    ("413", openai_error(413, "too large"), {}),
    ("422", openai_error(422, "no"), {}),
    ("429", openai_error(429, "slow down"), {}),
    ("impatience", Reply(before=[5.0]), {"headers": {"x-bascule-deadline": "100ms"}}),
]


@pytest.mark.promise(
    18, fault="one tenant sends only mistakes, at 50 rps", limit="no breaker opens, others answered 100 %"
)
@pytest.mark.parametrize(("name", "reply", "how"), MISTAKES, ids=[name for name, _, _ in MISTAKES])
def test_a_tenants_mistakes_stop_nobody_else(
    tmp_path: Path, figure: Figure, name: str, reply: Reply, how: dict[str, Any]
) -> None:
    with gateway(tmp_path) as world:
        wrong = 0

        def answer(host: str, now_s: float) -> Reply:
            nonlocal wrong
            if b"wrong" in world.upstream.calls[-1].body:
                wrong += 1
                return reply
            return answered()

        Upstream(world, answer)
        mistake = {"body": chat(messages=[{"role": "user", "content": "wrong"}]), **how}

        def ask(number: int) -> dict[str, Any]:
            return {"key": OTHER, "body": chat()} if number % 10 == 9 else {"key": CI, **mistake}

        sent = steady(world, ask, rate_rps=RATE_RPS, seconds=4.0)
        others = sent[9::10]
        figure("others answered", 100 * sum(one.status == 200 for one in others) / len(others), "%")
        assert wrong >= 100
        assert [one.status for one in others] == [200] * len(others)
        assert not [change for change in world.gateway.metrics.breaker_changes if change[2] == "open"]


@pytest.mark.promise(18, fault="401 for one of two keys", limit="that key alone is left out, 100 % answered")
def test_a_refused_key_is_left_out_and_not_its_provider(tmp_path: Path, figure: Figure) -> None:
    with gateway(tmp_path, config=TWO_KEYS) as world:
        revoked: list[float] = []

        def reply(host: str, now_s: float) -> Reply:
            (key,) = [value for name, value in world.upstream.calls[-1].headers if name == b"authorization"]
            if key == b"Bearer sk-one-canary-0123456789" and now_s < 10.0:
                revoked.append(now_s)
                return openai_error(401, "revoked")
            return answered()

        Upstream(world, reply)
        asks = [{"body": chat(), "headers": {"x-bascule-session": f"s{number}"}} for number in range(2_000)]
        sent = steady(world, lambda number: asks[number], rate_rps=20.0, seconds=20.0)
        figure("answered", 100 * sum(one.status == 200 for one in sent) / len(sent), "%")
        assert {one.status for one in sent} == {200}
        opened = {change[:2] for change in world.gateway.metrics.breaker_changes if change[2] == "open"}
        assert opened == {("credential", "one#1")}
        assert len(revoked) <= 6
        assert all(later - sooner >= 0.9 for sooner, later in pairwise(revoked))
        assert ("credential", "one#1", "closed") in world.gateway.metrics.breaker_changes


@pytest.mark.promise(18, fault="seeded failing and recovering of two providers", limit="at most one probe at once")
def test_probes_are_single_whatever_happens(tmp_path: Path, figure: Figure, full: bool) -> None:
    dice = random.Random(18)
    seconds = 300.0 if full else 40.0
    spans = {host: spells(dice, seconds) for host in ("one.test", "two.test")}

    def down(host: str, now_s: float) -> bool:
        return any(begin <= now_s < end for begin, end in spans[host])

    with gateway(tmp_path) as world:
        upstream = Upstream(
            world, lambda host, now_s: openai_error(500) if down(host, now_s) else answered(), takes_s=0.3
        )
        sent = steady(world, lambda number: {"body": chat("auto")}, rate_rps=20.0, seconds=seconds)
        worst = 0
        for host, some in spans.items():
            for begin, end in some:
                during = [
                    (when, count) for when, whom, count in upstream.most_open if whom == host and begin <= when < end
                ]
                # who is only failed over to is asked, and found out, when the other is down too
                worst = max(worst, *[count for when, count in during if when >= during[0][0] + 2.0], 0)
        lone = [one for one in sent if any(is_up(spans[host], one.at_s) for host in spans)]
        figure("probes at once", worst)
        figure("answered while one is up for 10 s", 100 * sum(one.status == 200 for one in lone) / len(lone), "%")
        assert worst == 1
        assert sum(one.status == 200 for one in lone) / len(lone) > 0.99


def is_up(down: list[tuple[float, float]], at_s: float) -> bool:
    """Whether it is up, and has been for as long as it may take to be found out."""
    return not any(begin <= at_s < end + 10.0 for begin, end in down)


def spells(dice: random.Random, seconds: float) -> list[tuple[float, float]]:
    found, at_s = [], dice.uniform(2, 10)
    while at_s < seconds:
        end_s = at_s + dice.uniform(4, 10)
        found.append((at_s, end_s))
        at_s = end_s + dice.uniform(6, 20)
    return found
