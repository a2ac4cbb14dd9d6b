"""`mode: observe`: the request goes where its client sent it, as if nobody stood in between, and what enforcing
would have done is written down."""

from tests.playbooks.engine.conftest import CONFIG, Begin, strict
from tests.playbooks.engine.wire import answered, chat, openai_error

OBSERVE = "mode: observe\n"


def keyed(fields: str) -> str:
    return CONFIG.replace('ci: {secret: "env:CI_KEY"', f'ci: {{{fields}, secret: "env:CI_KEY"')


def test_a_spent_budget_refuses_nothing_and_goes_on_counting(begin: Begin) -> None:
    world = begin(answered(), answered(), more=OBSERVE + strict("0.00007"))
    assert [world.ask(chat(max_tokens=None)).status for _ in range(2)] == [200, 200]
    assert world.budget("key:ci").settled_nanousd == 120_000
    assert "max_tokens" not in world.upstream.body()


def test_the_body_goes_on_as_it_came_but_for_the_model(begin: Begin) -> None:
    world = begin(answered(), config=keyed("max_output_tokens: 10"), more=OBSERVE + strict("0.001"))
    body = chat(max_tokens=5_000, vendor={"x": [1, 2]})
    world.ask(body)
    assert world.upstream.body() == {**body, "model": "small-up"}


def test_rates_and_grants_refuse_nothing(begin: Begin) -> None:
    world = begin(
        *[answered() for _ in range(3)], config=keyed("rate: {rpm: 1, in_flight: 1}, models: [auto]"), more=OBSERVE
    )
    assert [world.ask(chat()).status for _ in range(3)] == [200] * 3


def test_a_key_must_still_be_known(begin: Begin) -> None:
    assert begin(more=OBSERVE).ask(chat(), key="wrong").status == 401


def test_what_it_would_have_done_is_in_the_decision(begin: Begin) -> None:
    world = begin(answered(), more=OBSERVE)
    answer = world.ask(chat("big"), headers={"x-bascule-max-cost-usd": "0.000001"})
    assert answer.status == 200
    assert answer.header("x-bascule-model") == "big"
    assert answer.header("x-bascule-reason") == "observe"
    decision = world.decision(answer)
    assert decision.reason == "observe"
    assert decision.observed is not None
    assert decision.observed["refusal"].startswith("budget_exhausted: ")


def test_a_route_is_followed_because_its_name_is_nobodys_model(begin: Begin) -> None:
    world = begin(answered(), more=OBSERVE)
    answer = world.ask(chat("auto"))
    assert answer.header("x-bascule-model") == "small"
    assert world.decision(answer).observed == {
        "endpoint": "one/small-up",
        "reason": "cheapest",
        "expected_nanousd": world.decision(answer).candidates[0]["expected_nanousd"],
    }


def test_nothing_is_asked_instead_of_what_was_asked_for(begin: Begin) -> None:
    world = begin(openai_error(401), more=OBSERVE)
    assert world.ask(chat("auto")).status == 502
    assert [host for _, host in world.did("call")] == ["one.test"]


def test_what_stands_for_nothing_is_still_404(begin: Begin) -> None:
    assert begin(more=OBSERVE).ask(chat("nothing")).status == 404


def test_what_has_no_price_is_served_and_stays_unknown(begin: Begin) -> None:
    world = begin(answered(), more=OBSERVE + strict("1"))
    assert world.ask(chat("riddle")).status == 200
    assert world.row.cost_nanousd is None
