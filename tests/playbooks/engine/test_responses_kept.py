"""Translated Responses answers that are kept for whoever refers to them."""

import pytest
from tests.playbooks.engine.conftest import OTHER, Begin, strict
from tests.playbooks.engine.responses_wire import NATIVE, events, response
from tests.playbooks.engine.wire import (
    a_stream,
    answered,
)

from bascule.testing.transport import whole


def test_previous_answers_are_kept_by_openai_only(begin: Begin) -> None:
    world = begin(whole(response()), config=NATIVE)
    body = {"model": "small", "input": "more", "previous_response_id": "resp_0"}
    refused = world.ask(body, surface="openai_responses")
    assert (refused.status, refused.error["param"]) == (400, "previous_response_id")
    assert "store: false" in refused.error["message"]
    assert world.ask({**body, "model": "five"}, surface="openai_responses").status == 200
    assert world.upstream.body()["previous_response_id"] == "resp_0"


KEEPING = "\nresponses: {store: {enabled: true}}\n"


@pytest.mark.parametrize("streams", [False, True])
def test_a_translated_answer_is_kept_for_its_key(begin: Begin, streams: bool) -> None:
    first = a_stream("Well.") if streams else answered("Well.")
    world = begin(first, answered("More."), config=NATIVE, more=KEEPING)
    asked = {"model": "small", "input": "hi", "stream": streams}
    answer = world.ask(asked, surface="openai_responses")
    told = events(answer)[-1]["response"] if streams else answer.json
    assert told["store"] is True
    more = {"model": "small", "input": "more", "previous_response_id": told["id"]}
    foreign = world.ask(more, surface="openai_responses", key=OTHER)
    assert (foreign.status, foreign.error["param"]) == (400, "previous_response_id")
    assert world.ask(more, surface="openai_responses").status == 200
    said = [(message["role"], message["content"]) for message in world.upstream.body()["messages"]]
    assert said == [("user", "hi"), ("assistant", "Well."), ("user", "more")]


def test_a_long_streamed_answer_is_kept_too(begin: Begin) -> None:
    """Its last event repeats it whole, and is longer than any that came from its provider."""
    word = "w" * 200_000
    world = begin(a_stream(*[word] * 6), answered("More."), config=NATIVE, more=KEEPING)
    told = events(world.ask({"model": "small", "input": "hi", "stream": True}, surface="openai_responses"))[-1]
    more = {"model": "small", "input": "more", "previous_response_id": told["response"]["id"]}
    assert world.ask(more, surface="openai_responses").status == 200
    assert world.upstream.body()["messages"][1] == {"role": "assistant", "content": word * 6}


@pytest.mark.parametrize("streams", [False, True])
def test_an_id_that_a_provider_gives_twice_names_two_answers(begin: Begin, streams: bool) -> None:
    replies = [a_stream(word) if streams else answered(word) for word in ("Noted, Ann.", "Hello, Bob.")]
    world = begin(*replies, answered(), answered(), config=NATIVE, more=KEEPING)
    told = []
    for name in ("Ann", "Bob"):
        asked = {"model": "small", "input": f"I am {name}.", "stream": streams}
        answer = world.ask(asked, surface="openai_responses")
        told.append(events(answer)[-1]["response"] if streams else answer.json)
    for one, name in zip(told, ("Ann", "Bob"), strict=True):
        more = {"model": "small", "input": "Who am I?", "previous_response_id": one["id"]}
        world.ask(more, surface="openai_responses")
        assert world.upstream.body()["messages"][0]["content"] == f"I am {name}."
    assert len({response["output"][0]["id"] for response in told}) == 2
    assert [row.upstream_request_id for row in world.rows[:2]] == ["chatcmpl-1"] * 2


def test_what_was_kept_is_bounded_like_what_was_sent(begin: Begin) -> None:
    """A reference to a long conversation costs what the conversation does."""
    world = begin(answered("Well."), answered(), config=NATIVE, more=KEEPING + strict("1"))
    told = world.ask({"model": "small", "input": "word " * 2_000}, surface="openai_responses").json
    more = {"model": "small", "input": "more", "previous_response_id": told["id"]}
    assert world.ask(more, surface="openai_responses").status == 200
    assert (world.rows[-1].hold_nanousd or 0) > 10_000 * 1_000  # a nano-USD for each byte at least


def test_a_short_request_does_not_become_a_long_one(begin: Begin) -> None:
    limit = "server: {limits: {max_body_bytes: 3000}}\n"
    world = begin(answered("word " * 300), answered(), config=NATIVE, more=KEEPING + limit)
    told = world.ask({"model": "small", "input": "word " * 300}, surface="openai_responses").json
    item = {"type": "item_reference", "id": told["output"][0]["id"]}
    again = world.ask({"model": "small", "input": [item, item]}, surface="openai_responses")
    assert (again.status, again.error["param"]) == (400, "input[1].id")
    more = {"model": "small", "input": "more", "previous_response_id": told["id"]}
    long = world.ask(more, surface="openai_responses")
    assert (long.status, long.error["code"]) == (413, "request_too_large")
    assert "server.limits.max_body_bytes" in long.error["message"]
    assert len(world.upstream.calls) == 1
    assert world.ask({"model": "small", "input": [item]}, surface="openai_responses").status == 200


def test_a_relayed_answer_is_its_providers_to_keep(begin: Begin) -> None:
    world = begin(whole(response()), whole(response()), config=NATIVE, more=KEEPING)
    world.ask({"model": "five", "input": "hi"}, surface="openai_responses")
    more = {"model": "five", "input": "more", "previous_response_id": "resp_1"}
    world.ask(more, surface="openai_responses")
    assert world.upstream.body() == {**more, "model": "five-up"}
    assert len(world.gateway.kept or ()) == 0
