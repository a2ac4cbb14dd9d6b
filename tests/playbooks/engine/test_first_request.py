"""One priced request: what goes up, what comes back, what is written down, in which order."""

from tests.playbooks.engine.conftest import Begin, strict
from tests.playbooks.engine.wire import answered, chat, completion, message, messages

from bascule.testing.transport import whole


def test_a_priced_request_is_answered_and_in_the_ledger(begin: Begin) -> None:
    world = begin(answered("hello", tokens_in=10, tokens_out=5))
    answer = world.ask(chat())
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == "hello"
    row = world.row
    assert (row.kind, row.attempt_no, row.role, row.status, row.error_class) == ("settle", 1, "primary", 200, None)
    assert (row.model, row.model_requested, row.provider, row.upstream_model) == ("small", "small", "one", "small-up")
    assert (row.dialect_in, row.dialect_out, row.stream) == ("openai_chat", "openai_chat", False)
    assert (row.tokens_in, row.tokens_out, row.usage_source) == (10, 5, "reported")
    assert row.cost_nanousd == 10 * 1_000 + 5 * 10_000
    assert row.rates is not None
    assert (row.rates.input, row.rates.output) == (1_000_000, 10_000_000)
    assert row.model_reported == "small-up-2026"
    assert row.finish_reason == "stop"
    assert row.price_version
    assert row.policy_version


def test_the_order_of_effects_is_decision_intent_call_settlement_answer(begin: Begin) -> None:
    world = begin(answered())
    world.ask(chat())
    assert [effect[0] for effect in world.effects] == ["decision", "intent", "call", "settle", "respond"]


def test_the_provider_gets_its_own_key_and_model_and_nothing_of_ours(begin: Begin) -> None:
    world = begin(answered())
    body = chat(unknown_field={"kept": True})
    world.ask(body, headers={"x-bascule-session": "s1", "x-bascule-tag": "a=b", "helicone-user-id": "ann"})
    (call,) = world.upstream.calls
    assert (call.origin, call.method, call.target) == ("https://one.test", "POST", "/v1/chat/completions")
    assert world.upstream.body() == {**body, "model": "small-up"}
    assert world.upstream.header("authorization") == "Bearer sk-one-canary-0123456789"
    names = {name for name, _ in call.headers}
    assert names == {b"content-type", b"accept-encoding", b"user-agent", b"authorization"}


def test_the_answer_says_who_answered_and_what_it_cost(begin: Begin) -> None:
    world = begin(answered())
    answer = world.ask(chat())
    assert answer.header("x-bascule-model") == "small"
    assert answer.header("x-bascule-provider") == "one"
    assert answer.header("x-bascule-cost-usd") == "0.000060000"
    assert answer.header("x-bascule-cache") == "none"
    assert answer.header("x-bascule-reason") == "requested"
    assert answer.header("cache-control") == "private, no-store"
    assert answer.header("x-bascule-request-id") == world.row.request_id
    assert answer.json["usage"]["cost"] == 0.00006
    assert answer.json["model"] == "small-up-2026"


def test_cost_is_not_spliced_where_that_is_switched_off(begin: Begin) -> None:
    upstream = completion()
    world = begin(whole(upstream), more="server: {usage_cost: false}")
    answer = world.ask(chat())
    assert answer.json == upstream
    assert answer.header("x-bascule-cost-usd") == "0.000060000"


def test_the_other_direction(begin: Begin) -> None:
    """An OpenAI client at an Anthropic model, and back."""
    world = begin(whole(message("from claude")), answered("from openai"))
    first = world.ask(chat("opus"))
    assert first.json["choices"][0]["message"]["content"] == "from claude"
    assert world.upstream.header("x-api-key") == "sk-claude-canary-0123456789"
    second = world.ask(messages("small"), surface="anthropic_messages")
    assert second.json["content"][0]["text"] == "from openai"
    assert [(row.dialect_in, row.dialect_out) for row in world.rows] == [
        ("openai_chat", "anthropic_messages"),
        ("anthropic_messages", "openai_chat"),
    ]
    assert [row.cost_nanousd for row in world.rows] == [10 * 5_000 + 5 * 25_000, 60_000]


def test_savings_are_against_the_baseline_like_for_like(begin: Begin) -> None:
    world = begin(answered(), more="baseline: {model: big}")
    world.ask(chat())
    assert world.row.baseline_nanousd == 180_000
    assert world.row.saved_nanousd == 120_000


def test_an_unknown_price_is_unknown_where_no_budget_minds(begin: Begin) -> None:
    world = begin(answered())
    answer = world.ask(chat("riddle"))
    assert answer.status == 200
    assert "cost" not in answer.json["usage"]
    assert answer.header("x-bascule-cost-usd") is None
    assert world.row.cost_nanousd is None
    assert world.row.tokens_out == 5


def test_settling_spends_the_cost_and_releases_the_rest(begin: Begin) -> None:
    world = begin(answered(), more=strict("1"))
    world.ask(chat())
    state = world.budget("key:ci")
    assert (state.settled_nanousd, state.held_nanousd) == (60_000, 0)
    assert world.row.hold_nanousd is not None
    assert world.row.hold_nanousd > 100 * 10_000
    assert [(held.scope, held.window_id) for held in world.row.held] == [("key:ci", "2026-11-21")]
