"""The exact cache as clients see it: what hits, what never does, and what a hit leaves in the ledger."""

from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, OTHER, Begin, strict
from tests.playbooks.engine.wire import (
    DONE,
    HI,
    ROLE,
    STOP,
    a_stream,
    answered,
    chat,
    chunk,
    completion,
    message,
    message_events,
    messages,
    openai_error,
    streamed,
    text,
    texts,
    used,
)

from bascule.testing.transport import Break, Reply, stream, whole

ZERO: dict[str, Any] = {"temperature": 0}


def test_the_same_request_again_is_a_hit(begin: Begin) -> None:
    world = begin(answered("once"), more=strict("1"))
    first = world.ask(chat(**ZERO))
    again = world.ask(chat(**ZERO))
    assert len(world.upstream.calls) == 1
    assert again.status == 200
    assert again.json["choices"] == first.json["choices"]
    assert (first.header("x-bascule-cache"), again.header("x-bascule-cache")) == ("none", "exact")
    assert again.header("x-bascule-cost-usd") == "0.000000000"
    assert again.header("x-bascule-model") == "small"
    assert again.header("cache-control") == "private, no-store"
    assert again.json["usage"] == {**first.json["usage"], "cost": 0}


def test_the_row_of_a_hit(begin: Begin) -> None:
    world = begin(answered(), more="baseline: {model: big}")
    world.ask(chat(**ZERO))
    answer = world.ask(chat(**ZERO), headers={"x-bascule-session": "s", "x-bascule-tag": "feature=search"})
    (row,) = [row for row in world.rows if row.request_id == answer.header("x-bascule-request-id")]
    assert (row.kind, row.attempt_no, row.role, row.cache, row.reason) == ("settle", 0, "cache", "exact", "cache")
    assert (row.provider, row.upstream_model, row.model) == (None, None, "small")
    assert (row.cost_nanousd, row.hold_nanousd, row.saved_nanousd) == (0, 0, 60_000)
    tokens = (row.tokens_in, row.tokens_cache_read, row.tokens_cache_write_5m, row.tokens_cache_write_1h)
    assert (*tokens, row.tokens_out, row.tokens_reasoning) == (0, 0, 0, 0, 0, 0)
    assert (row.session_id, row.tags["feature"], row.key) == ("s", "search", "ci")


def test_a_hit_names_no_provider_and_has_a_decision_record(begin: Begin) -> None:
    world = begin(answered(), a_stream(), more=strict("1"))
    for body in (chat("auto", **ZERO), streamed("auto", **ZERO)):
        live = world.ask(body)
        world.effects.clear()
        hit = world.ask(body)
        assert [effect[0] for effect in world.effects[:3]] == ["decision", "intent", "settle"]
        assert (live.header("x-bascule-provider"), hit.header("x-bascule-provider")) == ("one", None)
        assert (hit.header("x-bascule-cache"), hit.header("x-bascule-reason")) == ("exact", "cache")
        decision = world.decision(hit)
        assert (decision.chosen, decision.reason, decision.refusal) == ("one/small-up", "cache", None)
        assert [candidate["model"] for candidate in decision.candidates] == ["small", "big"]
        assert decision.budgets[0]["scope"] == "key:ci"
        (row,) = [row for row in world.rows if row.request_id == hit.header("x-bascule-request-id")]
        assert row.decision_id == decision.decision_id


def test_a_hit_is_served_although_its_decision_cannot_be_written(begin: Begin) -> None:
    world = begin(answered())
    world.ask(chat(**ZERO))
    world.journal.refuses = {"decision"}
    assert world.ask(chat(**ZERO)).header("x-bascule-cache") == "exact"
    assert [row.role for row in world.rows] == ["primary", "cache"]


def test_a_hit_needs_no_money_and_touches_no_hold(begin: Begin) -> None:
    world = begin(answered(), more=strict("0.0013"))
    assert world.ask(chat(**ZERO)).status == 200
    for _ in range(100):
        assert world.ask(chat(**ZERO)).status == 200
    assert world.budget("key:ci").settled_nanousd == 60_000
    assert len(world.upstream.calls) == 1
    world.reconfigure(CONFIG + strict("0.00006"))
    assert world.ask(chat(**ZERO)).status == 200
    assert world.ask(chat()).status == 402


def test_fields_that_do_not_change_the_answer_do_not_matter(begin: Begin) -> None:
    world = begin(answered())
    world.ask(chat(**ZERO, user="ann"))
    world.ask(dict(reversed(chat(**ZERO, user="bob", metadata={"a": "b"}).items())))
    assert len(world.upstream.calls) == 1


DIFFERENT: list[dict[str, Any]] = [
    {"model": "big"},
    {"messages": [{"role": "user", "content": "ho"}]},
    {"messages": [{"role": "system", "content": "Be brief."}, *HI]},
    {"max_tokens": 99},
    {"top_p": 0.5},
    {"seed": 1},
    {"response_format": {"type": "json_object"}},
    {"vendor_field": 1},
    {"stop": ["x"]},
]


@pytest.mark.parametrize("change", DIFFERENT)
def test_whatever_may_change_the_answer_makes_it_another(begin: Begin, change: dict[str, Any]) -> None:
    world = begin(answered("one"), answered("two"))
    world.ask(chat(**ZERO))
    assert world.ask({**chat(**ZERO), **change}).json["choices"][0]["message"]["content"] == "two"


def test_no_key_sees_the_answers_of_another(begin: Begin) -> None:
    world = begin(answered("for ci"), answered("for other"))
    world.ask(chat(**ZERO))
    assert world.ask(chat(**ZERO), key=OTHER).json["choices"][0]["message"]["content"] == "for other"


def test_no_surface_sees_the_answers_of_another(begin: Begin) -> None:
    world = begin(whole(message("one")), whole(message("two")))
    world.ask(messages(**ZERO), surface="anthropic_messages")
    assert "two" in world.ask(chat("opus", **ZERO)).body.decode()


def test_betas_are_part_of_what_was_asked(begin: Begin) -> None:
    world = begin(whole(message("one")), whole(message("two")))
    world.ask(messages(**ZERO), surface="anthropic_messages")
    answer = world.ask(messages(**ZERO), surface="anthropic_messages", headers={"anthropic-beta": "new-2026"})
    assert "two" in answer.body.decode()


@pytest.mark.parametrize(
    "body",
    [
        chat(),
        chat(temperature=0.1),
        chat(**ZERO, n=2),
        chat(**ZERO, tools=[{"type": "function", "function": {"name": "ls"}}]),
        chat(**ZERO, store=True),
        chat(**ZERO, web_search_options={}),
    ],
)
def test_what_is_not_cacheable_is_asked_anew(begin: Begin, body: dict[str, Any]) -> None:
    world = begin(answered(), answered())
    world.ask(body)
    assert world.ask(body).header("x-bascule-cache") == "none"
    assert len(world.upstream.calls) == 2


def choice(**fields: Any) -> dict[str, Any]:
    return {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop", **fields}


CALL = {"id": "c", "type": "function", "function": {"name": "ls", "arguments": "{}"}}


@pytest.mark.parametrize(
    "reply",
    [
        openai_error(400),
        whole(completion(choices=[choice(finish_reason="length")])),
        whole(completion(choices=[choice(finish_reason="content_filter")])),
        whole(completion(choices=[choice(message={"role": "assistant", "content": None, "tool_calls": [CALL]})])),
        whole(b'{"error": {"message": "no", "type": "invalid_request_error"}}'),
    ],
)
def test_errors_partial_answers_and_tool_calls_are_not_kept(begin: Begin, reply: Reply) -> None:
    world = begin(reply, answered("fresh"))
    world.ask(chat(**ZERO))
    assert world.ask(chat(**ZERO)).json["choices"][0]["message"]["content"] == "fresh"


@pytest.mark.parametrize(
    "reply",
    [
        stream(ROLE, text("hel"), Break("reset")),
        stream(ROLE, text("hel"), STOP),
        stream(ROLE, chunk({"tool_calls": [{"index": 0, **CALL}]}), chunk({}, "tool_calls"), used(), DONE),
        stream(ROLE, text("hel"), chunk({}, "length"), used(), DONE),
    ],
)
def test_nor_are_they_from_a_stream(begin: Begin, reply: Reply) -> None:
    world = begin(reply, a_stream("fresh"))
    world.ask(streamed(**ZERO))
    assert texts(world.ask(streamed(**ZERO)).data) == "fresh"


def test_a_stream_is_kept_and_played_again(begin: Begin) -> None:
    world = begin(a_stream("hel", "lo"))
    first = world.ask(streamed(**ZERO))
    again = world.ask(streamed(**ZERO))
    assert again.body == first.body
    assert (again.status, again.header("x-bascule-cache")) == (200, "exact")
    assert again.header("content-type") == first.header("content-type")
    with_usage = world.ask(streamed(**ZERO, stream_options={"include_usage": True}))
    assert with_usage.data[-2]["usage"]["cost"] == 0
    assert with_usage.data[-2]["usage"]["completion_tokens"] == 5
    assert len(world.upstream.calls) == 1


def test_a_messages_stream_is_kept_too(begin: Begin) -> None:
    world = begin(stream(*message_events("hel", "lo")))
    first = world.ask(messages(stream=True, **ZERO), surface="anthropic_messages")
    again = world.ask(messages(stream=True, **ZERO), surface="anthropic_messages")
    assert again.header("x-bascule-cache") == "exact"
    assert again.data[:-2] == first.data[:-2]
    assert again.data[-2]["usage"]["cost"] == 0


def test_a_stream_and_a_whole_answer_are_not_each_other(begin: Begin) -> None:
    world = begin(answered(), a_stream())
    world.ask(chat(**ZERO))
    assert world.ask(streamed(**ZERO)).header("x-bascule-cache") == "none"


def test_a_stream_whose_client_left_is_kept_only_if_it_was_read_to_its_end(begin: Begin) -> None:
    world = begin(stream(ROLE, text("hel"), 1.0, text("lo"), STOP, used(), DONE))
    world.ask(streamed(**ZERO), leave_after=1)
    assert texts(world.ask(streamed(**ZERO)).data) == "hello"
    cut = CONFIG.replace('api_key: "env:ONE_KEY"', 'api_key: "env:ONE_KEY", disconnect: cancel')
    world = begin(stream(ROLE, text("hel"), 1.0, text("lo"), STOP, used(), DONE), a_stream("fresh"), config=cut)
    world.ask(streamed(**ZERO), leave_after=1)
    assert texts(world.ask(streamed(**ZERO)).data) == "fresh"


def test_no_means_no(begin: Begin) -> None:
    """Neither looked up nor kept."""
    world = begin(answered("one"), answered("two"), answered("three"))
    no = {"x-bascule-cache": "no"}
    world.ask(chat(**ZERO), headers=no)
    world.ask(chat(**ZERO))
    assert world.ask(chat(**ZERO), headers=no).json["choices"][0]["message"]["content"] == "three"
    assert len(world.upstream.calls) == 3


def test_answers_grow_old(begin: Begin) -> None:
    world = begin(answered("old"), answered("new"), more="cache: {exact: {ttl_s: 60}}")
    world.ask(chat(**ZERO))
    world.clock.advance(59)
    assert world.ask(chat(**ZERO)).header("x-bascule-cache") == "exact"
    world.clock.advance(2)
    assert world.ask(chat(**ZERO)).header("x-bascule-cache") == "none"


def test_it_can_be_switched_off(begin: Begin) -> None:
    world = begin(answered(), answered(), more="cache: {exact: {enabled: false}}")
    world.ask(chat(**ZERO))
    assert world.ask(chat(**ZERO)).header("x-bascule-cache") == "none"


def test_a_route_hits_what_any_of_its_adequate_candidates_has_answered(begin: Begin) -> None:
    world = begin(openai_error(500), answered("from big"))
    world.ask(chat("auto", **ZERO))
    again = world.ask(chat("auto", **ZERO))
    assert again.header("x-bascule-cache") == "exact"
    assert again.header("x-bascule-model") == "big"


def test_observing_answers_nothing_from_the_cache(begin: Begin) -> None:
    """Nothing is changed then, and an old answer in place of a new one is a change."""
    world = begin(answered("one"), answered("two"), more="mode: observe")
    world.ask(chat(**ZERO))
    assert world.ask(chat(**ZERO)).json["choices"][0]["message"]["content"] == "two"


def test_a_hit_that_cannot_be_written_down_is_not_served(begin: Begin) -> None:
    world = begin(answered())
    world.ask(chat(**ZERO))
    world.journal.refuses = {"intent"}
    answer = world.ask(chat(**ZERO))
    assert answer.status == 503
    assert answer.header("retry-after") == "5"
    world.journal.refuses = set()
    assert world.ask(chat(**ZERO)).header("x-bascule-cache") == "exact"
