"""Responses clients, Codex first of all: translated, relayed, cut off, and leaving as soon as they have all."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import Begin, strict
from tests.playbooks.engine.responses_wire import CREW, NATIVE, TOOL, begun, codex, completed, delta, events, response
from tests.playbooks.engine.wire import (
    DONE,
    ROLE,
    a_stream,
    answered,
    chunk,
    in_band_error,
    message,
    named,
    openai_error,
    streamed,
    text,
    texts,
    used,
)

from bascule.testing.transport import Break, stream, whole


def test_a_codex_turn_on_a_chat_model(begin: Begin) -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "crew__hire", "arguments": '{"a":1}'}}
    world = begin(stream(ROLE, text("On it."), chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), used(), DONE))
    answer = world.ask(codex(), surface="openai_responses", headers={"session-id": "s-1", "originator": "codex_exec"})
    assert answer.status == 200
    assert world.upstream.calls[0].target == "/v1/chat/completions"
    sent = world.upstream.body()
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["read", "crew__hire"]
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    told = events(answer)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert told[-1]["type"] == "response.completed"
    last = told[-1]["response"]
    assert last["usage"]["cost"] == 0.00006
    assert last["output"][-1] == {
        "id": "fc_1_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "c1",
        "namespace": "crew",
        "name": "hire",
        "arguments": '{"a":1}',
    }
    row = world.row
    assert (row.dialect_in, row.dialect_out, row.status) == ("openai_responses", "openai_chat", 200)
    assert (row.tokens_in, row.tokens_out, row.cost_nanousd) == (10, 5, 60_000)


def test_a_whole_answer_of_anthropics(begin: Begin) -> None:
    world = begin(whole(message()))
    answer = world.ask({"model": "opus", "input": "hi"}, surface="openai_responses")
    assert answer.json["output"][0]["content"][0]["text"] == "hello"
    assert answer.json["usage"]["total_tokens"] == 15
    assert world.row.dialect_out == "anthropic_messages"


@pytest.mark.parametrize(("model", "path"), [("five", "/v1/responses"), ("both", "/v1/responses")])
def test_a_provider_that_speaks_it_is_relayed(begin: Begin, model: str, path: str) -> None:
    world = begin(stream(begun(), delta("hello"), completed()), config=NATIVE)
    answer = world.ask(codex(model), surface="openai_responses")
    assert world.upstream.calls[0].target == path
    assert world.upstream.body() == {**codex(model), "model": f"{model}-up"}
    assert events(answer)[-1]["response"]["usage"]["cost"] == 0.00006
    assert (world.row.dialect_out, world.row.cost_nanousd) == ("openai_responses", 60_000)


def test_other_clients_reach_a_provider_of_this_dialect(begin: Begin) -> None:
    world = begin(stream(begun(), delta("hel"), delta("lo"), completed()), whole(response()), config=NATIVE)
    answer = world.ask(streamed("five"))
    assert texts(answer.data) == "hello"
    assert world.upstream.calls[0].target == "/v1/responses"
    assert world.upstream.body()["input"] == [{"type": "message", "role": "user", "content": "hi"}]
    asked = {"model": "five", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
    other = world.ask(asked, surface="anthropic_messages")
    assert other.json["content"][0]["text"] == "hello"
    assert [row.cost_nanousd for row in world.rows] == [60_000, 60_000]


def test_a_preset_that_speaks_both_is_asked_in_the_clients_own(begin: Begin) -> None:
    world = begin(answered(), config=NATIVE)
    world.ask({"model": "both", "messages": [{"role": "user", "content": "hi"}]})
    assert world.upstream.calls[0].target == "/v1/chat/completions"


@pytest.mark.parametrize("native", [True, False])
def test_the_last_event_goes_out_once_the_row_is_settled(begin: Begin, native: bool) -> None:
    """Codex closes its connection as soon as it has seen `response.completed`."""
    reply = stream(begun(), delta("hello"), completed()) if native else a_stream("hello")
    world = begin(reply, config=NATIVE)
    answer = world.ask(codex("five" if native else "small"), surface="openai_responses")
    done = [effect[0] for effect in world.did("settle", "end")]
    assert done == ["settle", "end"]
    assert b"response.completed" in answer.pieces[-1]
    assert not any(b"response.completed" in piece for piece in answer.pieces[:-1])
    assert (world.row.status, world.row.error_class, world.row.cost_nanousd) == (200, None, 60_000)


def test_leaving_earlier_is_read_on_for_its_usage(begin: Begin) -> None:
    world = begin(stream(begun(), delta("hel"), delta("lo"), completed()), config=NATIVE)
    world.ask(codex("five"), surface="openai_responses", leave_after=1)
    assert (world.row.usage_source, world.row.cost_nanousd) == ("reported", 60_000)


def test_a_failure_before_content_fails_over(begin: Begin) -> None:
    failed = named("response.failed", response={"error": {"code": "server_error", "message": "broke"}})
    world = begin(stream(begun(), failed), a_stream("hello"), config=NATIVE.replace("[small, big]", "[five, small]"))
    answer = world.ask(codex("auto"), surface="openai_responses")
    assert answer.status == 200
    assert answer.header("x-bascule-model") == "small"
    assert [row.error_class for row in world.rows] == ["server_error", None]


def failure(answer: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two events that end a stream that failed."""
    error, failed = events(answer)[-2:]
    assert (error["type"], failed["type"]) == ("error", "response.failed")
    assert failed["sequence_number"] == error["sequence_number"] + 1
    assert "completed" not in json.dumps([event["type"] for event in events(answer)])
    return error, failed["response"]


@pytest.mark.parametrize(
    "reply",
    [
        lambda: stream(ROLE, text("hel"), Break("reset")),
        lambda: stream(ROLE, text("hel")),
        lambda: stream(ROLE, text("hel"), in_band_error()),
    ],
)
def test_a_cut_stream_ends_in_a_failed_response(begin: Begin, reply: Any) -> None:
    world = begin(reply())
    answer = world.ask(codex(), surface="openai_responses")
    assert answer.status == 200
    error, failed = failure(answer)
    assert error["error"]["message"] == error["message"]
    assert failed["status"] == "failed"
    assert failed["id"] == "resp_1"
    assert failed["error"]["code"]


def test_a_cut_relayed_stream_likewise(begin: Begin) -> None:
    world = begin(stream(begun(), delta("hel"), Break("reset")), config=NATIVE)
    answer = world.ask(codex("five"), surface="openai_responses")
    error, failed = failure(answer)
    assert error["sequence_number"] == 2
    assert (failed["id"], failed["model"]) == ("resp_1", "five")


def test_searches_of_a_cut_stream_are_on_the_row(begin: Begin) -> None:
    search = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search"}}
    searched = named("response.output_item.done", sequence_number=1, output_index=0, item=search)
    world = begin(stream(begun(), searched, delta("hel"), Break("reset")), config=NATIVE)
    world.ask(codex("five"), surface="openai_responses")
    assert (world.row.web_searches, world.row.usage_source) == (1, "estimated")


def test_a_context_that_is_too_long_has_codexs_code(begin: Begin) -> None:
    words = "This model's maximum context length is 100 tokens."
    world = begin(openai_error(400, words, "context_length_exceeded"))
    answer = world.ask(codex(), surface="openai_responses")
    assert (answer.status, answer.error["code"]) == (400, "context_length_exceeded")
    inside = {"code": "context_length_exceeded", "message": "Your input exceeds the context window of this model."}
    world = begin(stream(begun(), named("response.failed", response={"error": inside})), config=NATIVE)
    answer = world.ask(codex("five"), surface="openai_responses")
    assert (answer.status, answer.error["code"]) == (400, "context_length_exceeded")


def test_a_session_is_codexs_own_or_the_threads(begin: Begin) -> None:
    world = begin(a_stream(), a_stream())
    named_by = {"session-id": "s-1", "user-agent": "codex_exec/0.169.0"}
    world.ask(codex(), surface="openai_responses", headers=named_by)
    world.ask(codex(), surface="openai_responses")
    assert [row.session_id for row in world.rows] == ["s-1", "thread-7"]


def test_on_a_strict_budget_what_has_no_bound_is_refused(begin: Begin) -> None:
    world = begin(a_stream(), more=strict("1"))
    assert world.ask(codex(tools=[TOOL, CREW]), surface="openai_responses").status == 200
    for more in ({"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]}, {"novelty": 1}):
        answer = world.ask(codex(**more), surface="openai_responses")
        assert (answer.status, answer.error["code"]) == (402, "unpriceable")


def test_a_search_costs_only_where_it_is_sent(begin: Begin) -> None:
    world = begin(a_stream(), config=NATIVE, more=strict("1"))
    assert world.ask(codex(), surface="openai_responses").status == 200
    refused = world.ask(codex("five"), surface="openai_responses")
    assert (refused.status, refused.error["param"]) == (402, "web_search")


def test_the_cap_goes_into_the_providers_own_field(begin: Begin) -> None:
    world = begin(whole(response()), answered(), config=NATIVE, more=strict("1"))
    world.ask({"model": "five", "input": "hi"}, surface="openai_responses")
    assert world.upstream.body()["max_output_tokens"] == 4_000
    world.ask({"model": "small", "input": "hi", "max_output_tokens": 77}, surface="openai_responses")
    assert world.upstream.body()["max_tokens"] == 77


ONE_TOKEN: dict[str, dict[str, Any]] = {
    "anthropic_messages": {"max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]},
    "openai_chat": {"max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]},
    "openai_responses": {"max_output_tokens": 1, "input": "quota"},
}


@pytest.mark.parametrize("more", ["", strict("1")], ids=["no budget", "strict"])
@pytest.mark.parametrize("surface", ONE_TOKEN)
def test_a_cap_below_what_responses_providers_take_is_raised_and_held_so(begin: Begin, surface: Any, more: str) -> None:
    world = begin(whole(response()), whole(response()), config=NATIVE, more=more)
    body = {"model": "five", **ONE_TOKEN[surface]}
    assert world.ask(body, surface=surface).status == 200
    assert world.upstream.body()["max_output_tokens"] == 16
    field = "max_output_tokens" if "input" in body else "max_tokens"
    assert world.ask({**body, field: 17}, surface=surface).status == 200
    assert world.upstream.body()["max_output_tokens"] == 17
    low, high = [row.hold_nanousd or 0 for row in world.rows]
    # one token of output at 10,000 nano-USD, and a byte more of input at 1,000
    assert high - low == 11_000


def test_other_providers_get_the_clients_small_cap(begin: Begin) -> None:
    world = begin(answered(), config=NATIVE)
    world.ask({"model": "small", "max_output_tokens": 1, "input": "quota"}, surface="openai_responses")
    assert world.upstream.body()["max_tokens"] == 1


@pytest.mark.parametrize("more", ["", strict("1")], ids=["no budget", "strict"])
@pytest.mark.parametrize("surface", ONE_TOKEN)
def test_a_key_that_allows_less_than_responses_providers_take_is_told_so(begin: Begin, surface: Any, more: str) -> None:
    config = NATIVE.replace('ci: {secret: "env:CI_KEY"', 'ci: {max_output_tokens: 10, secret: "env:CI_KEY"')
    config = config.replace("[small, big]", "[five, small]")
    world = begin(answered(), config=config, more=more)
    for cap in (1, 100):
        body = {"model": "five", **ONE_TOKEN[surface]}
        body["max_output_tokens" if "input" in body else "max_tokens"] = cap
        refused = world.ask(body, surface=surface)
        assert refused.status == 400
        assert "`max_output_tokens` of your key or of the route" in refused.json["error"]["message"]
    assert world.rows == []
    assert world.ask({**ONE_TOKEN[surface], "model": "auto"}, surface=surface).status == 200  # by the next candidate
    assert [row.model for row in world.rows] == ["small"]


def test_an_answer_can_come_from_the_cache(begin: Begin) -> None:
    world = begin(stream(begun(), delta("hello"), completed()), config=NATIVE)
    body = {"model": "five", "input": "hi", "temperature": 0, "stream": True}
    world.ask(body, surface="openai_responses")
    again = world.ask(body, surface="openai_responses")
    assert again.header("x-bascule-cache") == "exact"
    assert events(again)[-1]["response"]["usage"]["cost"] == 0
