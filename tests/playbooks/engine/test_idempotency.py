"""Requests with an Idempotency-Key as clients see them: what is given again, refused, or sent once more."""

import asyncio
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, OTHER, Begin, Playbook, strict
from tests.playbooks.engine.wire import a_stream, answered, chat, messages, openai_error, streamed, text

from bascule.model.errors import StoreError
from bascule.model.idempotency import KeyUse
from bascule.storage.sqlite.connect import open_database
from bascule.testing.exchange import ListExchange
from bascule.testing.transport import Break, Reply, broken, stream, whole

KEY = {"Idempotency-Key": "order-17"}


def ask(world: Playbook, body: dict[str, Any] | None = None, **how: Any) -> ListExchange:
    return world.ask(body or chat(), **{"headers": KEY, **how})


def code_of(answer: ListExchange) -> tuple[int | None, str | None]:
    return answer.status, answer.error["code"]


def test_a_repeated_request_gets_the_first_answer_and_costs_nothing(begin: Begin) -> None:
    world = begin(answered("once"), more=strict("1"))
    first = ask(world)
    again = ask(world)
    assert again.body == first.body
    assert again.header("x-bascule-request-id") == first.header("x-bascule-request-id")
    assert (first.header("idempotent-replayed"), again.header("idempotent-replayed")) == (None, "true")
    assert (again.header("x-bascule-cache"), again.header("x-bascule-cost-usd")) == ("idempotent", "0.000000000")
    assert again.header("cache-control") == "private, no-store"
    assert len(world.upstream.calls) == 1
    assert world.row.idempotency_key == "order-17"
    assert world.budget("key:ci").settled_nanousd == world.row.cost_nanousd
    assert world.gateway.metrics.replays == 1


def test_a_stream_is_given_again_as_its_events(begin: Begin) -> None:
    world = begin(a_stream("on", "ce"))
    first = ask(world, streamed())
    again = ask(world, streamed())
    assert again.data == first.data
    assert again.data[-1] == "[DONE]"
    assert again.header("content-type") == first.header("content-type")
    assert len(world.upstream.calls) == 1


def test_fifty_at_once_are_one_attempt(begin: Begin) -> None:
    world = begin(Reply(before=[3.0], parts=answered("once").parts))
    exchanges = [world.exchange(chat(), headers=KEY) for _ in range(50)]
    world.handle(*exchanges)
    assert len(world.upstream.calls) == 1
    assert {exchange.body for exchange in exchanges} == {exchanges[0].body}
    assert [exchange.header("idempotent-replayed") for exchange in exchanges].count("true") == 49


def test_one_that_waits_too_long_is_told_that_the_first_is_in_progress(begin: Begin) -> None:
    world = begin(Reply(before=[30.0], parts=answered().parts), more="idempotency: {wait_s: 5}")
    first, second = world.exchange(chat(), headers=KEY), world.exchange(chat(), headers=KEY)
    world.handle(first, second)
    assert first.status == 200
    assert code_of(second) == (409, "idempotency_in_progress")
    assert second.header("retry-after") == "1"
    assert second.header("x-should-retry") is None


def test_only_so_many_wait(begin: Begin) -> None:
    world = begin(Reply(before=[3.0], parts=answered().parts), more="idempotency: {max_waiting: 2}")
    exchanges = [world.exchange(chat(), headers=KEY) for _ in range(5)]
    world.handle(*exchanges)
    assert sorted(exchange.status or 0 for exchange in exchanges) == [200, 200, 200, 409, 409]


@pytest.mark.parametrize("meanwhile", [False, True])
def test_another_request_under_the_key_is_refused(begin: Begin, meanwhile: bool) -> None:
    world = begin(answered())
    first, other = world.exchange(chat(), headers=KEY), world.exchange(chat(max_tokens=101), headers=KEY)
    if meanwhile:
        world.handle(first, other)
    else:
        world.handle(first)
        world.handle(other)
    assert code_of(other) == (422, "idempotency_mismatch")
    assert other.header("x-should-retry") == "false"
    assert len(world.upstream.calls) == 1


def test_the_path_and_what_changes_answers_are_part_of_the_request(begin: Begin) -> None:
    world = begin(whole({}), whole({}))
    body = messages()
    first = ask(world, body, surface="anthropic_messages", headers={**KEY, "anthropic-beta": "a"})
    beta = ask(world, body, surface="anthropic_messages", headers={**KEY, "anthropic-beta": "b"})
    path = ask(world, body, surface="anthropic_count_tokens", headers={**KEY, "anthropic-beta": "a"})
    assert first.status != 422
    assert (beta.status, path.status) == (422, 422)


def test_keys_of_other_tenants_are_other_keys(begin: Begin) -> None:
    world = begin(answered("ours"), answered("theirs"))
    ours, theirs = ask(world), ask(world, key=OTHER)
    assert ours.json["choices"] != theirs.json["choices"]
    assert theirs.header("idempotent-replayed") is None


def test_what_was_refused_before_anything_was_sent_may_come_again(begin: Begin) -> None:
    world = begin(answered(), more=strict("0.0000001"))
    assert ask(world).status == 402
    world.reconfigure(CONFIG + strict("1"))
    assert ask(world).status == 200


def test_an_error_that_is_not_billed_frees_the_key(begin: Begin) -> None:
    world = begin(openai_error(400, "no"), answered())
    assert ask(world).status == 400
    assert ask(world).status == 200


def test_those_who_wait_get_the_error_of_the_first_and_do_not_ask_again(begin: Begin) -> None:
    world = begin(openai_error(400, "no"))
    exchanges = [world.exchange(chat(), headers=KEY) for _ in range(10)]
    world.handle(*exchanges)
    assert {exchange.status for exchange in exchanges} == {400}
    assert len(world.upstream.calls) == 1


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (broken("reset"), chat()),
        (stream(text("hel"), Break()), streamed()),
        (stream(text("hel")), streamed()),
    ],
)
def test_what_may_be_billed_and_broke_off_is_not_sent_again(begin: Begin, reply: Reply, body: dict[str, Any]) -> None:
    world = begin(reply, more="retry: {max_attempts: 1}")
    first = ask(world, body)
    assert first.status != 200 or first.data[-1] != "[DONE]"
    again = ask(world, body)
    assert code_of(again) == (409, "not_replayable")
    assert world.row.attempt_id in again.error["message"]
    assert again.header("x-should-retry") == "false"
    assert len(world.upstream.calls) == 1


def test_an_answer_too_large_to_keep_is_delivered_and_a_repetition_told_so(begin: Begin) -> None:
    world = begin(answered("x" * 5_000), more="idempotency: {max_answer_bytes: 1000}")
    first = ask(world)
    assert first.json["choices"][0]["message"]["content"] == "x" * 5_000
    again = ask(world)
    assert code_of(again) == (409, "not_replayable")
    assert "max_answer_bytes" in again.error["message"]
    assert len(world.upstream.calls) == 1


def test_a_client_that_leaves_finds_its_answer_when_it_comes_back(begin: Begin) -> None:
    world = begin(a_stream("hel", "lo"))
    left = ask(world, streamed(), leave_after=1)
    assert not left.ended
    again = ask(world, streamed())
    assert again.data[-1] == "[DONE]"
    assert len(world.upstream.calls) == 1


def test_a_hit_of_the_cache_is_an_answer_like_any_other(begin: Begin) -> None:
    world = begin(answered())
    world.ask(chat(temperature=0))
    hit = ask(world, chat(temperature=0))
    again = ask(world, chat(temperature=0))
    assert (hit.header("x-bascule-cache"), again.header("x-bascule-cache")) == ("exact", "idempotent")
    assert again.body == hit.body
    assert len(world.rows) == 2


def test_after_its_time_a_key_is_new(begin: Begin) -> None:
    world = begin(answered("one"), answered("two"), more="idempotency: {ttl_s: 60}")
    ask(world)
    world.clock.advance(61)
    assert "two" in ask(world).body.decode()


def test_after_a_restart_it_is_told_that_the_answer_is_not_kept(begin: Begin) -> None:
    before = begin(answered())
    ask(before)
    before.close()
    world = begin(after=before)
    again = ask(world)
    assert code_of(again) == (409, "not_replayable")
    assert "restarted" in again.error["message"]
    assert world.rows[0].attempt_id in again.error["message"]


def test_a_request_that_the_process_died_in_is_not_sent_again_and_one_not_yet_sent_is(begin: Begin) -> None:
    before = begin(Reply(before=[60.0], parts=answered().parts))
    exchange = before.exchange(chat(), headers=KEY)
    store = before.gateway.keys_used
    assert store is not None
    assert not before.cancel_at(exchange, 5, after_s=1.0)
    (attempt,) = before.rows
    with open_database(
        before.store.data_dir
    ).transaction() as connection:  # as if it had been killed before it could write its end
        connection.execute("UPDATE idempotency_keys SET state = 'open', attempt_id = NULL")
        connection.execute(
            "INSERT INTO idempotency_keys SELECT x'00', digest, tenant, 'req_none', owner, started_ms, until_ms,"
            " 'open', NULL FROM idempotency_keys"
        )
    before.close()
    world = begin(after=before)
    again = ask(world)
    assert code_of(again) == (409, "not_replayable")
    assert attempt.attempt_id in again.error["message"]
    assert len(world.upstream.calls) == 0
    assert world.gateway.keys_used is not None
    assert world.gateway.keys_used.find(b"\0", world.clock.now_ms()) is None


def test_a_store_that_does_not_answer_refuses_and_nothing_is_sent(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def frozen(use: KeyUse) -> None:
        raise StoreError("scripted: it hangs")

    world = begin(answered())
    with monkeypatch.context() as patched:
        patched.setattr(world.gateway.keys_used, "claim", frozen)
        refused = ask(world)
    assert (refused.status, refused.header("retry-after"), len(world.upstream.calls)) == (503, "1", 0)
    assert ask(world).status == 200


def test_more_keys_than_may_be_remembered(begin: Begin) -> None:
    world = begin(answered(), answered(), answered(), more="idempotency: {max_rows: 3, max_rows_per_key: 2}")
    statuses = [ask(world, headers={"Idempotency-Key": f"k{number}"}).status for number in range(3)]
    statuses.append(ask(world, headers={"Idempotency-Key": "k9"}, key=OTHER).status)
    assert statuses == [200, 200, 503, 200]


@pytest.mark.parametrize("key", ["x" * 256, "caf\u00e9", "a\tb"])
def test_a_key_that_cannot_be_one(begin: Begin, key: str) -> None:
    world = begin()
    assert ask(world, headers={"Idempotency-Key": key}).status == 400


def test_two_different_keys_on_one_request(begin: Begin) -> None:
    world = begin()
    answer = ask(world, headers=[("idempotency-key", "a"), ("idempotency-key", "b")])
    assert (answer.status, answer.error["param"]) == (400, "idempotency-key")


def test_switched_off_and_observing_it_is_only_written_down(begin: Begin) -> None:
    for more in ("idempotency: {enabled: false}", "mode: observe"):
        world = begin(answered(), answered(), more=more)
        assert ask(world).status == ask(world).status == 200
        assert [row.idempotency_key for row in world.rows] == ["order-17", "order-17"]


def test_a_first_request_that_is_stopped_frees_those_who_wait(begin: Begin) -> None:
    world = begin(Reply(before=[60.0], parts=answered().parts), more="retry: {max_attempts: 1}")
    second = world.exchange(chat(), headers=KEY)

    async def stopped() -> None:
        first = asyncio.ensure_future(world.gateway.engine.handle(world.exchange(chat(), headers=KEY)))
        await asyncio.sleep(1)
        waiting = asyncio.ensure_future(world.gateway.engine.handle(second))
        await asyncio.sleep(1)
        first.cancel()
        await asyncio.wait([first, waiting])

    world.run(stopped())
    assert code_of(second) == (409, "not_replayable")
    assert len(world.upstream.calls) == 1
