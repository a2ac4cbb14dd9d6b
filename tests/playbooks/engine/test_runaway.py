"""A session that runs away is told of, made cheaper, and stopped: as far as policy says and no further."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, Playbook
from tests.playbooks.engine.wire import chat, completion, message, messages

from bascule.model.alert import KINDS, Alert
from bascule.testing.exchange import ListExchange
from bascule.testing.transport import Reply, whole

STOP = "runaway: {action: stop}"
TOOLS = [{"type": "function", "function": {"name": "ask", "parameters": {"type": "object", "properties": {}}}}]


def brings(number: int, question: str, model: str = "opus") -> dict[str, Any]:
    """The request of turn `number`: everything so far, the last of it a call that asks `question`."""
    turns: list[dict[str, Any]] = [{"role": "user", "content": "audit the market"}]
    for turn in range(number):
        asked = question if turn == number - 1 else f"earlier {turn}"
        use = {"type": "tool_use", "id": f"t{turn}", "name": "ask", "input": {"question": asked}}
        turns.append({"role": "assistant", "content": [use]})
        turns.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{turn}", "content": "no"}]})
    return messages(
        model, messages=turns, tools=[{"name": "ask", "input_schema": {"type": "object"}}], max_tokens=4_000
    )


def ask(world: Playbook, number: int, question: str = "again?", session: str = "s", **more: Any) -> ListExchange:
    return world.ask(
        brings(number, question, **more), surface="anthropic_messages", headers={"x-claude-code-session-id": session}
    )


def dear() -> Reply:
    """80,000 tokens in and 4,000 out of `opus`: 50 cents."""
    return whole(message(usage={"input_tokens": 80_000, "output_tokens": 4_000}))


def loop(world: Playbook, *, verbatim: bool, turns: int, pause_s: float = 10.1) -> tuple[int, int]:
    """(turns answered, nano-USD) until the session was stopped; all turns where it was not."""
    for turn in range(1, turns + 1):
        world.clock.advance(pause_s)
        answer = ask(world, turn, "is it verified?" if verbatim else f"is it verified, for the {turn}th time?")
        if answer.status == 403:
            return turn - 1, sum(row.cost_nanousd or 0 for row in world.rows)
    return turns, sum(row.cost_nanousd or 0 for row in world.rows)


def test_the_47_000_dollar_loop_is_stopped(begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    """Two agents that ask each other for eleven days, at 2.97 dollars a minute: by their calls, or by their bill."""
    said = []
    for verbatim in (True, False):
        world = begin(*[dear()] * 80, more=STOP)
        turns, cost_nanousd = loop(world, verbatim=verbatim, turns=80)
        said.append((verbatim, turns, cost_nanousd))
    with capsys.disabled():
        for verbatim, turns, cost_nanousd in said:
            words = "the same call each time" if verbatim else "another wording each time"
            print(f"\n  a loop at $2.97 a minute, {words}: stopped after {turns} turns and ${cost_nanousd / 1e9:.2f}")
    (_, repeated, repeated_nanousd), (_, reworded, reworded_nanousd) = said
    assert repeated == 14
    assert repeated_nanousd == 7_000_000_000
    assert reworded < 50
    assert reworded_nanousd < 25_000_000_000


def test_it_is_told_by_default_and_nothing_is_refused(begin: Begin) -> None:
    world = begin(*[dear()] * 30)
    told: list[Alert] = []
    world.gateway.alerting.listeners.append(told.append)
    answers = [ask(world, turn) for turn in range(1, 31)]
    assert {answer.status for answer in answers} == {200}
    assert answers[8].header("x-bascule-runaway") is None
    assert answers[9].header("x-bascule-runaway") == "warn; repeated_calls"
    (alert,) = told
    assert alert.event == "session_runaway"
    assert set(alert.fields) == set(KINDS["session_runaway"].fields)
    assert (alert.fields["step"], alert.fields["measured"], alert.fields["limit"]) == ("warn", "10", "10")
    assert world.gateway.metrics.runaway_sessions == {("warn", "repeated_calls"): 1}


def test_a_stopped_session_is_refused_in_its_clients_words_until_it_has_rested(begin: Begin) -> None:
    world = begin(*[dear()] * 16, more=STOP)
    for turn in range(1, 15):
        assert ask(world, turn).status == 200
    calls = len(world.upstream.calls)
    refused = ask(world, 15)
    assert refused.status == 403
    assert refused.header("x-should-retry") == "false"
    body = json.loads(refused.body)
    assert body["error"]["type"] == "permission_error"
    assert "same tool calls 15 times over (limit 10)" in body["error"]["message"]
    assert ask(world, 3, "something else").status == 403, "it is stopped, whatever it asks"
    assert len(world.upstream.calls) == calls
    assert ask(world, 1, session="another").status == 200
    world.clock.advance(901)
    assert ask(world, 16).status == 200


def test_a_stopped_session_goes_on_when_somebody_says_so(begin: Begin) -> None:
    world = begin(*[dear()] * 15, more=STOP)
    for turn in range(1, 16):
        last = ask(world, turn)
    assert last.status == 403
    world.gateway.runaway_watch.resume("s")
    assert ask(world, 16).status == 200


@pytest.mark.parametrize("models", ["degrade_to: [small]", "degrade_to: [riddle, small]"])
def test_a_cheaper_model_takes_over(begin: Begin, models: str) -> None:
    world = begin(*[dear()] * 12, *[whole(completion())] * 6, more=f"runaway: {{action: degrade, {models}}}")
    answers = [ask(world, turn) for turn in range(1, 19)]
    assert {answer.status for answer in answers} == {200}
    assert [answer.header("x-bascule-model") for answer in answers[11:13]] == [
        "opus",
        models.split("[")[1].split(",")[0].rstrip("]}"),
    ]
    assert answers[12].header("x-bascule-runaway") == "degrade; repeated_calls"
    assert answers[12].header("x-bascule-reason") == "runaway session"


def test_without_a_list_the_cheapest_of_the_plan_takes_over(begin: Begin) -> None:
    more = "runaway: {action: degrade}"
    config = "\nroutes: {auto: {candidates: [opus, small], objective: best}}\n"
    base = CONFIG.replace(
        "\nroutes:\n  auto: {candidates: [small, big]}\n  mixed: {candidates: [small, opus]}\n", config
    )
    base = base.replace("max_output: 4000}\n  sight", "max_output: 4000, quality: 0.9}\n  sight")
    world = begin(*[dear()] * 12, whole(completion()), config=base, more=more)
    answers = [ask(world, turn, model="auto") for turn in range(1, 14)]
    assert [answer.header("x-bascule-model") for answer in answers[11:]] == ["opus", "small"]


def test_where_nothing_is_cheaper_it_is_told_and_served(begin: Begin) -> None:
    world = begin(*[dear()] * 14, more="runaway: {action: degrade}")
    answers = [ask(world, turn) for turn in range(1, 15)]
    assert answers[-1].status == 200
    assert answers[-1].header("x-bascule-runaway") == "warn; repeated_calls"


@pytest.mark.parametrize(
    ("more", "statuses"),
    [("runaway: {action: off}", {200}), ("runaway: {action: stop, keys: {ci: warn}}", {200}),
     ("runaway: {keys: {ci: stop}}", {200, 403}), ("mode: observe\nrunaway: {action: stop}", {200}),
     ("runaway: {action: stop, repeated_calls: 100, usd_per_minute: 100}", {200})],
)  # fmt: skip
def test_it_goes_as_far_as_it_was_let(begin: Begin, more: str, statuses: set[int]) -> None:
    world = begin(*[dear()] * 20, more=more)
    assert {ask(world, turn).status for turn in range(1, 21)} == statuses


def test_a_route_has_its_own_word(begin: Begin) -> None:
    world = begin(*[whole(completion())] * 40, more="runaway: {routes: {auto: stop}}")
    assert 403 in {ask(world, turn, model="auto").status for turn in range(1, 21)}
    assert {ask(world, turn, session="t", model="small").status for turn in range(1, 21)} == {200}


def test_one_question_asked_often_without_a_session_is_no_loop(begin: Begin) -> None:
    world = begin(*[whole(completion())] * 69, more=STOP)
    assert {world.ask(chat("small", temperature=1)).status for _ in range(40)} == {200}
    named = [world.ask(chat("small", temperature=1), headers={"x-session-id": "n"}).status for _ in range(30)]
    assert named == [200] * 29 + [403]


def test_what_is_remembered_is_bounded(begin: Begin) -> None:
    world = begin(*[whole(completion())] * 60, more="runaway: {max_sessions: 5}")
    for number in range(60):
        world.ask(chat("small", tools=TOOLS), headers={"x-session-id": f"s{number}"})
    watch = world.gateway.runaway_watch
    assert len(watch._conversations) == len(watch._spending) == 5
