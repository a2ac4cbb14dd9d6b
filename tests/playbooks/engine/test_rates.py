"""Requests, tokens and slots per key: who waits, for how long, and what does not count."""

import asyncio

import pytest
from tests.playbooks.engine.conftest import CONFIG, OTHER, Begin, Playbook, strict
from tests.playbooks.engine.wire import HI, a_stream, answered, chat, messages, openai_error, streamed, used

from bascule.testing.transport import Reply, stream


def limited(rate: str) -> str:
    return CONFIG.replace('ci: {secret: "env:CI_KEY"', f'ci: {{rate: {rate}, secret: "env:CI_KEY"')


def statuses(world: Playbook, count: int) -> list[int | None]:
    return [world.ask(chat()).status for _ in range(count)]


def test_requests_per_minute(begin: Begin) -> None:
    world = begin(*[answered() for _ in range(4)], config=limited("{rpm: 2}"))
    assert statuses(world, 2) == [200, 200]
    refused = world.ask(chat())
    assert refused.status == 429
    assert refused.error["code"] == "rate_limit_exceeded"
    assert refused.header("retry-after") == "30"
    assert world.ask(messages("small"), surface="anthropic_messages").status == 429
    assert len(world.rows) == 2
    world.clock.advance(29)
    assert world.ask(chat()).status == 429
    world.clock.advance(1.1)
    assert statuses(world, 2) == [200, 429]


def test_a_refusal_has_a_decision_record(begin: Begin) -> None:
    world = begin(answered(), config=limited("{rpm: 1}"))
    assert world.ask(chat("auto")).status == 200
    refused = world.ask(chat("auto"))
    decision = world.decision(refused)
    assert (decision.refusal or "").startswith("rate_limited: ")
    assert decision.chosen is None
    assert [candidate["model"] for candidate in decision.candidates] == ["small", "big"]
    assert len(world.rows) == 1


def test_a_limit_is_its_own_keys_alone(begin: Begin) -> None:
    world = begin(answered(), answered(), config=limited("{rpm: 1}"))
    assert statuses(world, 2) == [200, 429]
    assert world.ask(chat(), key=OTHER).status == 200


def test_tokens_per_minute_are_what_was_really_used(begin: Begin) -> None:
    world = begin(answered(tokens_in=500, tokens_out=500), answered(), config=limited("{tpm: 1000}"))
    assert world.ask(chat()).status == 200
    refused = world.ask(chat())
    assert refused.status == 429
    assert 1 <= int(refused.header("retry-after") or 0) <= 60
    world.clock.advance(60)
    assert world.ask(chat()).status == 200


@pytest.mark.parametrize("reply", [answered(), a_stream()])
def test_so_many_at_once(begin: Begin, reply: Reply) -> None:
    world = begin(config=limited("{in_flight: 2}"))
    world.upstream.replies = [reply] * 2
    body = chat(stream=True) if reply.headers else chat()
    exchanges = [world.exchange(body) for _ in range(5)]
    world.handle(*exchanges)
    assert sorted(exchange.status or 0 for exchange in exchanges) == [200, 200, 429, 429, 429]
    world.upstream.replies = [reply] * 2
    assert [world.ask(body).status for _ in range(2)] == [200, 200]


def test_a_slot_is_taken_until_the_stream_has_ended(begin: Begin) -> None:
    world = begin(stream(*a_stream().parts[:2], 5.0, *a_stream().parts[2:]), config=limited("{in_flight: 1}"))
    inside: list[int | None] = []

    async def second_comes_later() -> None:
        first = asyncio.ensure_future(world.gateway.engine.handle(world.exchange(streamed())))
        await asyncio.sleep(1)
        second = world.exchange(streamed())
        await world.gateway.engine.handle(second)
        inside.append(second.status)
        await first

    world.run(second_comes_later())
    assert inside == [429]
    world.upstream.replies = [a_stream()]
    assert world.ask(streamed()).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"model": "small"}', 400),
        (chat("nothing"), 404),
        (chat(max_tokens=4_000), 402),
        (chat("riddle"), 402),
        (chat(provider={"only": ["two"]}), 403),
    ],
)
def test_refused_requests_do_not_count(begin: Begin, body: object, status: int) -> None:
    world = begin(answered(), config=limited("{rpm: 1, in_flight: 1}"), more=strict("0.01"))
    for _ in range(5):
        assert world.ask(body).status == status
    assert world.ask(chat()).status == 200
    assert world.ask(chat()).status == 429


def test_what_the_ledger_would_not_take_does_not_count(begin: Begin) -> None:
    world = begin(answered(), config=limited("{rpm: 1, in_flight: 1}"))
    world.journal.refuses = {"intent"}
    assert statuses(world, 3) == [503, 503, 503]
    world.journal.refuses = set()
    assert statuses(world, 2) == [200, 429]


def test_what_failed_upstream_counts(begin: Begin) -> None:
    world = begin(openai_error(400), config=limited("{rpm: 1}"))
    assert statuses(world, 2) == [400, 429]


def test_what_was_used_before_the_money_ran_out_counts(begin: Begin) -> None:
    """The first attempt is billed, the second one no longer affordable: the request was served by somebody's work."""
    world = begin(
        stream(used(1_500, 0), b'data: {"error": {"message": "boom"}}\n\n'),
        config=limited("{rpm: 1}"),
        more=strict("0.0045"),
    )
    assert world.ask(streamed("auto")).status == 402
    assert len(world.upstream.calls) == 1
    assert world.ask(chat()).status == 429


def test_hits_take_no_share(begin: Begin) -> None:
    world = begin(answered(), config=limited("{rpm: 1}"))
    body = chat(temperature=0, messages=HI)
    assert [world.ask(body).status for _ in range(5)] == [200] * 5
    assert world.ask(chat()).status == 429


def test_tokens_that_nobody_has_told_count_as_they_were_expected(begin: Begin) -> None:
    """Else whoever leaves before each answer has no limit at all."""
    world = begin(config=limited("{tpm: 1000}").replace('"env:ONE_KEY"', '"env:ONE_KEY", disconnect: cancel'))
    world.upstream.answer = lambda call: Reply(before=[1_000.0])
    body = chat(messages=[{"role": "user", "content": "x" * 2_000}])
    assert [world.ask(body, leave_after=0).status for _ in range(5)] == [None, 429, 429, 429, 429]
    assert [row.usage_flags for row in world.rows] == [("unknown_bill",)]
