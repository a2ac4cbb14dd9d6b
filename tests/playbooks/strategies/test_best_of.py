"""Several answers and a judge that picks one: blind, in both orders, without tools."""

import json

from tests.playbooks.engine.conftest import Begin, strict
from tests.playbooks.engine.wire import a_stream, answered, chat, message, openai_error, streamed, texts
from tests.playbooks.strategies.wire import configured, content, sent

from bascule.testing.transport import Reply, whole

TWO = configured("{best_of: {n: 2, models: [small, big], judge: {model: opus}}}")
THREE = configured("{best_of: {n: 3, temperature: 0.9, judge: {model: opus}}}")


def says(verdict: str) -> Reply:
    return whole(message(json.dumps({"reason": "because", "verdict": verdict})))


def test_the_one_that_wins_in_both_orders_goes_out(begin: Begin) -> None:
    world = begin(config=TWO)
    world.upstream.at = {
        "one.test": [answered("small's")],
        "two.test": [answered("big's")],
        "claude.test": [says("second"), says("first")],
    }
    answer = world.ask(chat("way"))
    assert content(answer) == "big's"
    assert answer.header("x-bascule-model") == "big"
    assert answer.header("x-bascule-reason") == "best_of: picked from 2; judge told in 1 of 1 comparisons"
    assert [(row.role, row.model) for row in world.rows] == [
        ("primary", "small"),
        ("primary", "big"),
        ("judge", "opus"),
        ("judge", "opus"),
    ]
    cost = sum(row.cost_nanousd or 0 for row in world.rows)
    assert answer.header("x-bascule-cost-usd") == f"{cost / 1e9:.9f}"
    asked = [json.dumps(sent(world, at)["messages"]) for at in (2, 3)]
    assert asked[0].index("small's") < asked[0].index("big's")
    assert asked[1].index("big's") < asked[1].index("small's")
    assert all("tools" not in sent(world, at) for at in (2, 3))
    assert all("opus-up" not in text and "big-up" not in text for text in asked)


def test_where_the_orders_disagree_it_is_a_tie_and_the_earlier_one_stays(begin: Begin) -> None:
    world = begin(config=TWO)
    world.upstream.at = {
        "one.test": [answered("small's")],
        "two.test": [answered("big's")],
        "claude.test": [says("second"), says("second")],
    }
    assert content(world.ask(chat("way"))) == "small's"


def test_a_judge_that_fails_picks_nothing_and_the_reason_says_so(begin: Begin) -> None:
    world = begin(config=TWO)
    world.upstream.at = {
        "one.test": [answered("small's")],
        "two.test": [answered("big's")],
        "claude.test": [openai_error(400), whole(message("both are nice"))],
    }
    answer = world.ask(chat("way"))
    assert content(answer) == "small's"
    assert answer.header("x-bascule-reason") == "best_of: picked from 2; judge told in 0 of 1 comparisons"


def test_a_tournament_of_three_at_the_temperature_that_is_set(begin: Begin) -> None:
    world = begin(config=THREE)
    world.upstream.at = {
        "one.test": [answered("a"), answered("b"), answered("c")],
        "claude.test": [says("second"), says("first"), says("second"), says("first")],
    }
    assert content(world.ask(chat("way"))) == "c"
    assert [sent(world, at)["temperature"] for at in range(3)] == [0.9] * 3
    assert [row.role for row in world.rows].count("judge") == 4


def test_answers_that_are_the_same_need_no_judge(begin: Begin) -> None:
    world = begin(answered("a"), answered("a"), config=configured("{best_of: {n: 2, judge: {model: opus}}}"))
    assert content(world.ask(chat("way"))) == "a"
    assert [row.role for row in world.rows] == ["primary", "primary"]


def test_one_that_fails_is_not_picked_and_alone_needs_no_judge(begin: Begin) -> None:
    world = begin(config=TWO)
    world.upstream.at = {"one.test": [openai_error(400)], "two.test": [answered("big's")]}
    answer = world.ask(chat("way"))
    assert content(answer) == "big's"
    assert answer.header("x-bascule-reason") == "best_of: the only answer"
    lost = begin(config=TWO)
    lost.upstream.at = {"one.test": [openai_error(400)], "two.test": [openai_error(400)]}
    assert lost.ask(chat("way")).status == 400


def test_the_best_is_streamed_to_who_asked_for_a_stream(begin: Begin) -> None:
    world = begin(config=TWO)
    world.upstream.at = {
        "one.test": [a_stream("small's")],
        "two.test": [a_stream("big's")],
        "claude.test": [says("second"), says("first")],
    }
    answer = world.ask(streamed("way"))
    assert texts(answer.data) == "big's"
    assert answer.data[-1] == "[DONE]"


def test_answers_and_judges_are_held_together_and_nothing_is_asked_where_they_do_not_fit(begin: Begin) -> None:
    seen: list[int] = []
    world = begin(config=TWO, more=strict("10"))
    world.upstream.at = {
        "one.test": [
            Reply(before=[lambda: seen.append(world.budget("key:ci").held_nanousd)], parts=answered("a").parts)
        ],
        "two.test": [answered("b")],
        "claude.test": [says("first"), says("second")],
    }
    decision = world.decision(world.ask(chat("way")))
    assert decision.strategy is not None
    needed = decision.strategy["hold_nanousd"]
    assert seen == [needed]
    assert [call["times"] for call in decision.strategy["calls"]] == [1, 1, 2]
    assert sum(row.hold_nanousd or 0 for row in world.rows) <= needed
    short = begin(config=TWO, more=strict(f"{(needed - 1) / 1e9:.9f}"))
    assert short.ask(chat("way")).status == 402
    assert short.upstream.calls == []
