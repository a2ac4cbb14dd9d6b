"""A second attempt beside a silent first: when it begins, who answers, and what both cost."""

from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, Playbook, strict
from tests.playbooks.engine.wire import a_stream, answered, chat, completion, openai_error, streamed, texts

from bascule.testing.transport import HANG_S, Break, Reply, stream, whole

HEDGED = CONFIG.replace("auto: {candidates: [small, big]}", "auto: {candidates: [small, big], hedge: {after_s: 2}}")
SMALL, BIG = 60_000, 180_000


def silent(reply: Reply, seconds: float) -> Reply:
    return Reply(status=reply.status, headers=reply.headers, before=[seconds], parts=reply.parts)


def roles(world: Playbook) -> list[tuple[str, str | None, str | None]]:
    return [(row.role, row.provider, row.error_class) for row in world.rows]


@pytest.mark.parametrize("ask", [chat, streamed])
def test_a_first_that_speaks_in_time_is_alone(begin: Begin, ask: Any) -> None:
    world = begin(silent(a_stream() if ask is streamed else answered(), 1.9), config=HEDGED)
    assert world.ask(ask("auto")).status == 200
    assert roles(world) == [("primary", "one", None)]


def test_a_silent_first_is_overtaken_and_cancelled_and_costs_its_hold(begin: Begin) -> None:
    world = begin(silent(a_stream(), HANG_S), a_stream("he", "dge"), config=HEDGED)
    before_s = world.clock.monotonic_s()
    answer = world.ask(streamed("auto"))
    assert texts(answer.data) == "hedge"
    assert answer.header("x-bascule-model") == "big"
    assert 2.0 <= world.clock.monotonic_s() - before_s < 2.1
    assert roles(world) == [("primary", "one", "cancelled"), ("hedge", "two", None)]
    first, hedge = world.rows
    assert (first.cost_nanousd, hedge.cost_nanousd) == (first.hold_nanousd, BIG)


def test_a_first_that_speaks_before_its_hedge_wins(begin: Begin) -> None:
    world = begin(silent(answered("first"), 3.0), silent(answered("hedge"), HANG_S), config=HEDGED)
    answer = world.ask(chat("auto"))
    assert answer.json["choices"][0]["message"]["content"] == "first"
    assert roles(world) == [("primary", "one", None), ("hedge", "two", "cancelled")]
    assert world.rows[0].cost_nanousd == SMALL


def test_a_stream_that_has_begun_is_not_hedged_however_slow(begin: Begin) -> None:
    slow = stream(*a_stream("slow").parts[:2], 30.0, *a_stream("slow").parts[2:])
    world = begin(slow, config=HEDGED)
    assert texts(world.ask(streamed("auto")).data) == "slow"
    assert roles(world) == [("primary", "one", None)]


def test_a_first_that_fails_beside_its_hedge_is_waited_for_no_more(begin: Begin) -> None:
    world = begin(silent(openai_error(500), 3.0), silent(answered("hedge"), 4.0), config=HEDGED)
    assert world.ask(chat("auto")).json["choices"][0]["message"]["content"] == "hedge"
    assert roles(world) == [("primary", "one", "server_error"), ("hedge", "two", None)]


def test_both_fail_and_the_client_is_told(begin: Begin) -> None:
    more = "retry: {max_attempts: 2}\n"
    world = begin(silent(openai_error(500), 3.0), silent(openai_error(503), 4.0), config=HEDGED, more=more)
    answer = world.ask(chat("auto"))
    assert answer.status == 503
    assert answer.header("x-should-retry") == "false"
    assert len(world.rows) == 2


def test_a_winner_that_breaks_is_not_followed_by_anybody(begin: Begin) -> None:
    world = begin(silent(a_stream(), HANG_S), stream(*a_stream().parts[:2], Break("reset")), config=HEDGED)
    answer = world.ask(streamed("auto"))
    assert answer.data[-1]["error"]["code"] == "upstream_reset"
    assert roles(world) == [("primary", "one", "cancelled"), ("hedge", "two", "reset")]


def test_two_holds_are_taken_and_what_cannot_be_paid_is_not_hedged(begin: Begin) -> None:
    held: list[int] = []
    world = begin(config=HEDGED, more=strict("1"))
    world.upstream.replies = [
        silent(answered(), 3.0),
        Reply(before=[0.5, lambda: held.append(world.budget("key:ci").held_nanousd), HANG_S]),
    ]
    assert world.ask(chat("auto")).status == 200
    first, hedge = world.rows
    assert held == [first.hold_nanousd + hedge.hold_nanousd]
    poor = begin(silent(answered(), 30.0), config=HEDGED, more=strict("0.005"))
    assert poor.ask(chat("auto")).status == 200
    assert roles(poor) == [("primary", "one", None)]


def test_where_the_client_leaves_both_are_over(begin: Begin) -> None:
    world = begin(config=HEDGED)
    exchange = world.exchange(streamed("auto"))
    world.upstream.replies = [silent(a_stream(), 10.0), silent(a_stream(), 10.0)]
    assert not world.cancel_at(exchange, 3, after_s=5.0)
    assert roles(world) == [("primary", "one", "cancelled"), ("hedge", "two", "cancelled")]


def test_a_deadline_ends_both(begin: Begin) -> None:
    world = begin(Reply(before=[HANG_S]), Reply(before=[HANG_S]), config=HEDGED)
    answer = world.ask(chat("auto"), headers={"x-bascule-deadline": "5s"})
    assert answer.status == 504
    assert roles(world) == [("primary", "one", "timeout_total"), ("hedge", "two", "timeout_total")]


def test_hedges_that_win_open_the_breaker_of_who_says_nothing(begin: Begin) -> None:
    world = begin(config=HEDGED)
    world.upstream.at = {
        "one.test": [*[silent(a_stream(), 0.2) for _ in range(20)], *[Reply(before=[HANG_S]) for _ in range(5)]],
        "two.test": [a_stream() for _ in range(6)],
    }
    for _ in range(25):
        assert world.ask(streamed("auto")).status == 200
    before_s = world.clock.monotonic_s()
    answer = world.ask(streamed("auto"))
    assert world.clock.monotonic_s() == pytest.approx(before_s, abs=0.01)
    assert answer.header("x-bascule-reason") == "cheapest; one/small-up open"
    assert world.decision(answer).health == {"one/small-up": "open"}


def test_a_hedge_waits_as_long_as_is_usual_once_that_is_known(begin: Begin) -> None:
    config = HEDGED.replace("hedge: {after_s: 2}", "hedge: {after_s: 30, after: p95}")
    world = begin(config=config)
    world.upstream.at = {
        "one.test": [*[silent(a_stream(), 0.5) for _ in range(20)], silent(a_stream(), HANG_S)],
        "two.test": [a_stream("hedge")],
    }
    for _ in range(20):
        world.ask(streamed("auto"))
    before_s = world.clock.monotonic_s()
    assert texts(world.ask(streamed("auto")).data) == "hedge"
    assert 0.5 <= world.clock.monotonic_s() - before_s < 0.6


def test_what_is_not_hedged_is_as_before(begin: Begin) -> None:
    world = begin(whole(completion()), config=HEDGED)
    assert world.ask(chat("small")).status == 200


def test_a_client_that_leaves_is_read_on_for_by_whoever_still_reads(begin: Begin) -> None:
    """The first was overtaken; only the hedge's stream is drained, and its place is given back."""
    world = begin(config=HEDGED)
    world.upstream.replies = [
        stream(a_stream().parts[0], HANG_S),
        stream(*a_stream("he", "dge").parts[:2], 5.0, *a_stream("he", "dge").parts[2:]),
    ]
    exchange = world.exchange(streamed("auto"), leave_after=2)
    world.handle(exchange)
    assert exchange.gone
    assert [row.error_class for row in world.rows] == ["cancelled", None]
    assert world.gateway.drains.open == 0
