"""Responses clients, Codex first of all: translated, relayed, cut off, and leaving as soon as they have all."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, OTHER, Begin, strict
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

NATIVE = CONFIG.replace(
    "models:",
    """
  native: {dialect: openai_responses, base_url: "https://native.test/v1", api_key: "env:ONE_KEY"}
  openai: {base_url: "https://openai.test/v1", api_key: "env:ONE_KEY"}
models:
  five: {endpoints: [{provider: native, model: five-up}], price: {input: 1, output: 10}, max_output: 4000}
  both: {endpoints: [{provider: openai, model: both-up}], price: {input: 1, output: 10}, max_output: 4000}
""",
    1,
)
TOOL = {"type": "function", "name": "read", "parameters": {"type": "object", "properties": {}}, "strict": False}
CREW = {"type": "namespace", "name": "crew", "description": "Others.", "tools": [{**TOOL, "name": "hire"}]}
SEARCH = {"type": "web_search", "external_web_access": True}


def codex(model: str = "small", **more: Any) -> dict[str, Any]:
    """A first turn of Codex's, in short."""
    said = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You help with code."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
    ]
    return {
        "model": model,
        "input": said,
        "tools": [TOOL, CREW, SEARCH],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"summary": "auto"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "thread-7",
        "client_metadata": {"a": "b"},
        **more,
    }


def response(text: str = "hello", status: str = "completed", **more: Any) -> dict[str, Any]:
    """A whole response of 10 tokens in and 5 out, which costs 60,000 nano-USD at `five`."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    message = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": "five-up-2026",
        "output": [message],
        "error": None,
        "usage": {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 15,
        },
        **more,
    }


def begun() -> bytes:
    return named("response.created", sequence_number=0, response=response(status="in_progress", output=[], usage=None))


def delta(text: str) -> bytes:
    return named("response.output_text.delta", sequence_number=1, output_index=0, content_index=0, delta=text)


def completed(**more: Any) -> bytes:
    return named("response.completed", sequence_number=2, response=response(**more))


def events(answer: Any) -> list[dict[str, Any]]:
    return [event for event in answer.data if isinstance(event, dict)]


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
    for response, name in zip(told, ("Ann", "Bob"), strict=True):
        more = {"model": "small", "input": "Who am I?", "previous_response_id": response["id"]}
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
