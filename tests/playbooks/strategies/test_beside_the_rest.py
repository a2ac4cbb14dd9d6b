"""Strategies beside what else a gateway does: caches, keys of idempotency, deadlines, rates, recordings, outages."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import ENVIRONMENT, Begin, strict
from tests.playbooks.engine.wire import a_stream, answered, chat, message, openai_error, streamed, texts
from tests.playbooks.strategies.wire import configured, content, sent

from bascule.decide.calibration import Calibration
from bascule.testing.transport import HANG_S, Reply, whole

REGEX = configured("{cascade: {accept: {regex: '^yes'}}}")
VERIFY = configured("{verify: {check: {model: opus}}}")
KEY = {"Idempotency-Key": "order-17"}
WRONG = whole(message(json.dumps({"mistakes": [{"kind": "error", "what": "x"}], "score": 1})))


def test_a_repeated_request_gets_the_first_answer_and_nobody_is_asked_again(begin: Begin) -> None:
    world = begin(a_stream("no"), a_stream("we", "ll"), config=REGEX)
    first = world.ask(streamed("way"), headers=KEY)
    again = world.ask(streamed("way"), headers=KEY)
    assert texts(again.data) == texts(first.data) == "well"
    assert again.header("idempotent-replayed") == "true"
    assert len(world.upstream.calls) == 2


def test_a_key_is_used_up_by_a_strategy_that_broke_off_behind_its_first_call(begin: Begin) -> None:
    world = begin(answered("no"), openai_error(400), config=REGEX)
    assert world.ask(chat("way"), headers=KEY).status == 400
    again = world.ask(chat("way"), headers=KEY)
    assert again.status == 409
    assert str(world.rows[-1].attempt_id) in again.error["message"]


def test_an_accepted_answer_is_a_hit_when_it_is_asked_for_again(begin: Begin) -> None:
    world = begin(answered("yes"), config=REGEX)
    first, again = world.ask(chat("way", temperature=0)), world.ask(chat("way", temperature=0))
    assert content(again) == content(first) == "yes"
    assert again.header("x-bascule-cache") == "exact"
    assert sorted(row.role for row in world.rows) == ["cache", "primary"]


def test_the_deadline_is_one_for_all_calls(begin: Begin) -> None:
    world = begin(Reply(before=[4.0], parts=answered("no").parts), Reply(before=[HANG_S]), config=REGEX)
    before_s = world.clock.monotonic_s()
    answer = world.ask(chat("way"), headers={"x-bascule-deadline": "5s"})
    assert answer.status == 504
    assert world.clock.monotonic_s() - before_s == pytest.approx(5.0, abs=0.1)
    assert [row.error_class for row in world.rows] == [None, "timeout_total"]


def test_rates_count_the_tokens_of_all_calls(begin: Begin) -> None:
    limited = REGEX.replace('ci: {secret: "env:CI_KEY"', 'ci: {rate: {tpm: 1000}, secret: "env:CI_KEY"')
    world = begin(answered("no", tokens_out=400), answered("well", tokens_out=590), config=limited)
    assert world.ask(chat("way")).status == 200
    assert world.ask(chat("way")).status == 429


def test_every_call_is_recorded(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "CONTENT_KEY", "content-canary-0123456789abcdef0123")
    more = "privacy: {record_content: full, content_key: env:CONTENT_KEY}"
    world = begin(answered("draft"), WRONG, answered("better"), config=VERIFY, more=more)
    answer = world.ask(chat("way"))
    assert world.gateway.content is not None
    found = world.gateway.content.of_request(str(answer.header("x-bascule-request-id")))
    assert [one.request for one in found] == [call.body for call in world.upstream.calls]


def test_where_the_ledger_takes_no_line_nothing_is_sent(begin: Begin) -> None:
    world = begin(config=REGEX, more=strict("1"))
    world.journal.refuses = {"intent"}
    assert world.ask(chat("way")).status == 503
    assert world.upstream.calls == []
    assert (world.budget("key:ci").settled_nanousd, world.budget("key:ci").held_nanousd) == (0, 0)


def test_where_it_takes_none_after_the_first_call_nothing_more_is_sent(begin: Begin) -> None:
    world = begin(config=REGEX, more=strict("1"))

    def fill() -> None:
        world.journal.refuses = {"intent"}

    world.upstream.replies = [Reply(before=[fill], parts=answered("no").parts)]
    assert world.ask(chat("way")).status == 503
    assert len(world.rows) == 1


def test_a_client_that_leaves_while_an_answer_is_held_back_ends_it_all(begin: Begin) -> None:
    world = begin(config=REGEX)
    world.upstream.replies = [Reply(before=[2.0], parts=a_stream("no").parts)]
    exchange = world.exchange(streamed("way"))
    world.upstream.replies[0] = Reply(before=[2.0, exchange.leave], parts=a_stream("no").parts)
    world.handle(exchange)
    assert exchange.pieces == []
    assert len(world.upstream.calls) == 1


def responses(**more: Any) -> dict[str, Any]:
    return {"model": "way", "input": "hi", **more}


@pytest.mark.parametrize("accepted", [True, False])
def test_a_kept_answer_can_be_referred_to_and_has_nothing_of_the_critique(begin: Begin, accepted: bool) -> None:
    fine = whole(message(json.dumps({"mistakes": [], "score": 10})))
    replies = [answered("draft"), fine] if accepted else [answered("draft"), WRONG, answered("better")]
    world = begin(*replies, answered("draft"), fine, config=VERIFY, more="responses: {store: {enabled: true}}")
    first = world.ask(responses(), surface="openai_responses")
    said = "draft" if accepted else "better"
    assert first.json["output"][0]["content"][0]["text"] == said
    world.ask(responses(input="and?", previous_response_id=first.json["id"]), surface="openai_responses")
    turns = json.loads(world.upstream.calls[len(replies)].body)["messages"]
    assert [turn["content"] for turn in turns] == ["hi", said, "and?"]


def test_a_session_that_runs_away_gets_the_cheaper_model_alone(begin: Begin) -> None:
    world = begin(config=REGEX, more="runaway: {action: degrade, identical_requests: 4, degrade_to: [own]}")
    world.upstream.answer = lambda call: answered("no")
    answers = [world.ask(chat("way"), headers={"x-bascule-session": "s"}) for _ in range(8)]
    first, last = answers[0], answers[-1]
    assert (first.header("x-bascule-model"), first.header("x-bascule-runaway")) == ("big", None)
    assert (last.header("x-bascule-model"), last.header("x-bascule-reason")) == ("own", "runaway session")
    mine = [row for row in world.rows if row.request_id == last.header("x-bascule-request-id")]
    assert [(row.role, row.model) for row in mine] == [("primary", "own")]


def test_no_budget_and_unknown_prices_do_not_stop_it(begin: Begin) -> None:
    world = begin(
        answered("no"), answered("well"), config=configured("{cascade: {accept: {regex: '^yes'}}}", "riddle, big")
    )
    answer = world.ask(chat("way"))
    assert content(answer) == "well"
    assert answer.header("x-bascule-cost-usd") is None
    assert "cost" not in answer.json["usage"]
    assert [row.cost_nanousd for row in world.rows] == [None, 180_000]


def test_on_a_strict_budget_a_model_without_a_price_is_refused(begin: Begin) -> None:
    config = configured("{cascade: {accept: {regex: '^yes'}}}", "riddle, big")
    world = begin(config=config, more=strict("1"))
    assert world.ask(chat("way")).status == 402
    assert world.upstream.calls == []


def test_what_judges_say_teaches_nothing_of_how_long_answers_are(begin: Begin) -> None:
    """An answer without a cap would else be held, and cut, at the length of verdicts."""
    config = configured("{cascade: {accept: {judge: {model: own}}}}")
    fine = '{"reason": "", "score": 9}'
    world = begin(config=config, more=strict("10"))
    world.upstream.answer = lambda call: answered(fine if b"own-up" in call.body else "yes", tokens_out=5)
    for _ in range(3):
        assert world.ask(chat("way")).status == 200
    assert {row.role for row in world.rows} == {"primary", "judge"}
    known = world.gateway.calibrations
    assert known.of("one/own-up") == Calibration()
    assert known.of("one/small-up") != Calibration()


def test_caps_on_clients_answers_are_none_on_what_judges_say(begin: Begin) -> None:
    config = configured("{cascade: {accept: {judge: {model: own}}}}", more=", max_output_tokens: 20")
    config = config.replace('ci: {secret: "env:CI_KEY"', 'ci: {max_output_tokens: 30, secret: "env:CI_KEY"')
    world = begin(answered("yes"), answered('{"reason": "", "score": 9}'), config=config, more=strict("1"))
    assert content(world.ask(chat("way"))) == "yes"
    assert [sent(world, at)["max_tokens"] for at in (0, 1)] == [20, 1000]
