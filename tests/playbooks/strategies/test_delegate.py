"""A strong model hands work on within the request: what each side sees, what is capped, what all of it costs."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import Begin, Playbook, strict
from tests.playbooks.engine.wire import (
    DONE,
    ROLE,
    a_stream,
    answered,
    chat,
    chunk,
    completion,
    message,
    messages,
    openai_error,
    streamed,
    texts,
    used,
)
from tests.playbooks.strategies.wire import configured, content, sent

from bascule.testing.transport import Reply, stream, whole

BIG = configured("{delegate: {frontier: big, worker: small}}")
OPUS = configured("{delegate: {frontier: opus, worker: small}}", "opus, big")
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def calling(*calls: tuple[str, Any], text: str | None = None) -> Reply:
    """A chat completion that calls tools, by name and arguments."""
    made = [
        {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": _json(arguments)}}
        for at, (name, arguments) in enumerate(calls)
    ]
    told = {"role": "assistant", "content": text, "tool_calls": made}
    return whole(completion(choices=[{"index": 0, "message": told, "finish_reason": "tool_calls"}]))


def _json(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def handing(*tasks: str, **more: Any) -> Reply:
    return calling(*[("delegate", {"task": task, **more}) for task in tasks])


def results(world: Playbook, at: int) -> list[str]:
    """What the strong model was told of its calls, in the upstream call of this number."""
    return [turn["content"].removeprefix("Error: ") for turn in sent(world, at)["messages"] if turn["role"] == "tool"]


def served(world: Playbook) -> list[tuple[str, str | None]]:
    return [(row.role, row.model) for row in world.rows]


def test_work_is_handed_on_and_its_result_goes_back(begin: Begin) -> None:
    world = begin(config=BIG)
    world.upstream.at = {
        "two.test": [handing("list the names", context="Ann and Bo"), answered("Ann, Bo. Two names.")],
        "one.test": [answered("Ann\nBo")],
    }
    answer = world.ask(chat("way"))
    assert content(answer) == "Ann, Bo. Two names."
    assert answer.header("x-bascule-model") == "big"
    assert answer.header("x-bascule-reason") == "delegate: big answered; 1 calls of small"
    assert served(world) == [("primary", "big"), ("worker", "small"), ("primary", "big")]
    cost = sum(row.cost_nanousd or 0 for row in world.rows)
    assert answer.header("x-bascule-cost-usd") == f"{cost / 1e9:.9f}"
    assert answer.json["usage"]["cost"] == cost / 1e9
    assert "delegate" not in answer.body.decode().replace("delegate:", "")
    first, worker, second = (sent(world, at) for at in range(3))
    assert [tool["function"]["name"] for tool in first["tools"]] == ["delegate"]
    assert "tools" not in worker
    assert worker["messages"][-1]["content"].startswith("list the names")
    assert "Ann and Bo" in worker["messages"][-1]["content"]
    assert "hi" not in [turn["content"] for turn in worker["messages"]]
    assert results(world, 2) == ["Ann\nBo"]
    assert second["messages"][0]["content"] == "hi"


def test_an_answer_without_it_is_the_clients_as_it_came(begin: Begin) -> None:
    world = begin(answered("hello"), config=BIG)
    answer = world.ask(chat("way"))
    assert content(answer) == "hello"
    assert answer.header("x-bascule-reason") == "delegate: big answered; no work handed on"
    assert len(world.rows) == 1


def test_the_clients_own_tools_pass_through(begin: Begin) -> None:
    world = begin(calling(("look", {"at": 1})), config=BIG)
    answer = world.ask(chat("way", tools=[LOOK]))
    (call,) = answer.json["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "look"
    assert [tool["function"]["name"] for tool in sent(world, 0)["tools"]] == ["look", "delegate"]


def test_calls_of_both_kinds_at_once_come_one_after_the_other(begin: Begin) -> None:
    world = begin(config=BIG)
    both = calling(("look", {"at": 1}), ("delegate", {"task": "count"}))
    world.upstream.at = {"two.test": [both, calling(("look", {"at": 1}))], "one.test": [answered("3")]}
    answer = world.ask(chat("way", tools=[LOOK]))
    (call,) = answer.json["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "look"
    told, counted = results(world, 2)
    assert told.startswith("Not done")
    assert counted == "3"


def test_in_a_stream_its_calls_never_reach_the_client(begin: Begin) -> None:
    arguments = json.dumps({"task": "count"})
    call = {"index": 0, "id": "c0", "type": "function", "function": {"name": "delegate", "arguments": arguments}}
    handed = stream(
        ROLE, chunk({"content": "Let me ask."}), chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), used(), DONE
    )
    world = begin(config=BIG)
    world.upstream.at = {"two.test": [handed, a_stream("it is ", "3")], "one.test": [a_stream("3")]}
    answer = world.ask(streamed("way", stream_options={"include_usage": True}))
    assert texts(answer.data) == "it is 3"
    assert b"delegate" not in answer.body
    assert b"Let me ask" not in answer.body
    assert answer.data[-2]["usage"]["cost"] == sum(row.cost_nanousd or 0 for row in world.rows) / 1e9
    assert answer.data[-1] == "[DONE]"


def test_in_the_last_round_it_has_to_answer_itself_and_streams(begin: Begin) -> None:
    config = configured("{delegate: {frontier: big, worker: small, max_rounds: 1}}")
    world = begin(config=config)
    world.upstream.at = {"two.test": [handing("count"), answered("so be it")], "one.test": [answered("3")]}
    answer = world.ask(chat("way"))
    assert content(answer) == "so be it"
    assert "tools" not in sent(world, 2)
    assert answer.header("x-bascule-reason") == "delegate: round 2"


def test_calls_beyond_the_cap_are_told_so(begin: Begin) -> None:
    config = configured("{delegate: {frontier: big, worker: small, max_calls: 1}}")
    world = begin(config=config)
    world.upstream.at = {"two.test": [handing("a", "b"), answered("done")], "one.test": [answered("A")]}
    assert content(world.ask(chat("way"))) == "done"
    assert results(world, 2) == ["A", "Not done: no more work can be handed on. Do it yourself."]
    assert served(world).count(("worker", "small")) == 1


def test_a_cap_in_dollars_counts_what_workers_have_cost(begin: Begin) -> None:
    config = configured("{delegate: {frontier: big, worker: small, max_output_tokens: 100, max_cost_usd: 0.02}}")
    world = begin(config=config)
    world.upstream.at = {"two.test": [handing("a", "b"), answered("done")], "one.test": [answered("A")]}
    world.ask(chat("way"))
    hold = world.rows[1].hold_nanousd
    assert hold is not None
    assert 10_000_000 < hold < 20_000_000
    assert results(world, 2)[1].startswith("Not done: no more work")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("{", "Not done: the arguments are not JSON."),
        ({"context": "x"}, "Not done: `task` is missing."),
        ({"task": "x" * 20_000}, "Not done: at most 16384 bytes can be handed on. Pass less, or do it yourself."),
    ],
)
def test_what_cannot_be_handed_on_is_told_the_model(begin: Begin, arguments: Any, told: str) -> None:
    world = begin(config=BIG)
    world.upstream.at = {"two.test": [calling(("delegate", arguments)), answered("alone then")]}
    assert content(world.ask(chat("way"))) == "alone then"
    assert results(world, 1) == [told]


def test_a_worker_that_fails_is_told_the_model(begin: Begin) -> None:
    world = begin(config=BIG)
    world.upstream.at = {"two.test": [handing("a"), answered("alone then")], "one.test": [openai_error(400)]}
    assert content(world.ask(chat("way"))) == "alone then"
    assert results(world, 2)[0].startswith("Not done: the assistant failed")


def test_the_strong_models_own_turns_keep_their_signatures_whatever_the_client_speaks(begin: Begin) -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"}
    use = {"type": "tool_use", "id": "t1", "name": "delegate", "input": {"task": "count"}}
    world = begin(config=OPUS)
    world.upstream.at = {
        "claude.test": [whole(message(content=[thinking, use], stop_reason="tool_use")), whole(message("it is 3"))],
        "one.test": [answered("3")],
    }
    answer = world.ask(chat("way"))
    assert content(answer) == "it is 3"
    turns = sent(world, 2)["messages"]
    assert turns[1]["content"][0] == thinking
    assert turns[2]["content"][0]["tool_use_id"] == "t1"


@pytest.mark.parametrize("frontier", [BIG, OPUS])
def test_the_anthropic_client_is_answered_in_its_dialect(begin: Begin, frontier: str) -> None:
    use = {"type": "tool_use", "id": "t1", "name": "delegate", "input": {"task": "count"}}
    world = begin(config=frontier)
    world.upstream.at = {
        "claude.test": [whole(message(content=[use], stop_reason="tool_use")), whole(message("it is 3"))],
        "two.test": [handing("count"), answered("it is 3")],
        "one.test": [answered("3")],
    }
    answer = world.ask(messages("way"), surface="anthropic_messages")
    assert [block["text"] for block in answer.json["content"]] == ["it is 3"]
    assert answer.json["stop_reason"] == "end_turn"


@pytest.mark.parametrize("surface", ["openai_responses", "gemini"])
def test_and_so_are_the_others(begin: Begin, surface: Any) -> None:
    world = begin(config=BIG)
    world.upstream.at = {"two.test": [handing("count"), answered("it is 3")], "one.test": [answered("3")]}
    if surface == "gemini":
        body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        answer = world.ask(body, surface="gemini", model="way", stream=False)
        assert answer.json["candidates"][0]["content"]["parts"][0]["text"] == "it is 3"
    else:
        answer = world.ask({"model": "way", "input": "hi"}, surface="openai_responses")
        assert answer.json["output"][-1]["content"][0]["text"] == "it is 3"
        assert answer.json["tools"] == []
    assert served(world) == [("primary", "big"), ("worker", "small"), ("primary", "big")]


def test_a_client_with_a_tool_of_this_name_or_a_choice_of_its_own_is_served_without(begin: Begin) -> None:
    own = {"type": "function", "function": {"name": "delegate", "parameters": {"type": "object"}}}
    world = begin(calling(("delegate", {"task": "mine"})), answered("x"), config=BIG)
    answer = world.ask(chat("way", tools=[own]))
    assert answer.json["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "delegate"
    world.ask(chat("way", tools=[LOOK], tool_choice="none"))
    assert [len(sent(world, at)["tools"]) for at in (0, 1)] == [1, 1]


def test_all_rounds_and_workers_are_held_at_first(begin: Begin) -> None:
    world = begin(config=BIG, more=strict("10"))
    world.upstream.at = {"two.test": [handing("a"), answered("done")], "one.test": [answered("A")]}
    decision = world.decision(world.ask(chat("way")))
    assert decision.strategy is not None
    needed = decision.strategy["hold_nanousd"]
    assert [call["times"] for call in decision.strategy["calls"]] == [1, 1, 1, 4]
    assert world.budget("key:ci").settled_nanousd == sum(row.cost_nanousd or 0 for row in world.rows)
    short = begin(config=BIG, more=strict(f"{(needed - 1) / 1e9:.9f}"))
    assert short.ask(chat("way")).status == 402
    assert short.upstream.calls == []


@pytest.mark.parametrize("step", range(0, 80, 9))
def test_whenever_it_is_cancelled_nothing_stays_open(begin: Begin, step: int) -> None:
    world = begin(config=BIG, more=strict("10"))
    world.upstream.at = {"two.test": [handing("a", "b"), answered("done")], "one.test": [answered("A"), answered("B")]}
    world.cancel_at(world.exchange(chat("way")), step)
    world.assert_at_rest()


def test_a_conversation_that_grows_beyond_what_is_held_is_answered_anew_alone(begin: Begin) -> None:
    world = begin(config=BIG, more=strict("10"))
    long = calling(("delegate", {"task": "count"}), text="w" * 60_000)
    world.upstream.at = {"two.test": [long, answered("alone then")], "one.test": [answered("3")]}
    answer = world.ask(chat("way"))
    assert content(answer) == "alone then"
    assert answer.header("x-bascule-reason") == "delegate: grown too long; answered alone"
    assert sent(world, 2)["messages"] == [{"role": "user", "content": "hi"}]
    assert "tools" not in sent(world, 2)
    assert all((row.cost_nanousd or 0) <= (row.hold_nanousd or 0) for row in world.rows)
