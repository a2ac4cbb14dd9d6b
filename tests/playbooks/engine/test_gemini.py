"""Google's surfaces through the engine: to Google's own dialect, to others, and from others to it."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, strict
from tests.playbooks.engine.wire import (
    DONE,
    ROLE,
    a_stream,
    answered,
    chat,
    chunk,
    message,
    message_events,
    messages,
    sse,
    used,
)

from bascule.testing.exchange import ListExchange
from bascule.testing.transport import Reply, stream, whole
from bascule.testing.world import World

GOOGLE = (
    CONFIG.replace(
        "models:\n",
        '  goo: {dialect: gemini, base_url: "https://goo.test/v1beta", api_key: "env:ONE_KEY"}\n'
        "models:\n"
        "  gem: {endpoints: [{provider: goo, model: gem/up}], price: {input: 1, output: 10}, max_output: 4000}\n"
        "  gvec: {endpoints: [{provider: goo, model: gvec-up}], price: {input: 1, output: 0}}\n",
        1,
    )
    + "cache: {exact: {enabled: true}}\n"
)
BODY: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
CAPPED = {**BODY, "generationConfig": {"maxOutputTokens": 100, "temperature": 0}}
USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 15}


def response(text: str = "hello", finish: str | None = "STOP", usage: Any = USAGE) -> dict[str, Any]:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    told = {"candidates": [candidate], "modelVersion": "gem-up-2026", "responseId": "r1"}
    return told if usage is None else {**told, "usageMetadata": usage}


def events(*words: str) -> Reply:
    return stream(*[sse(response(word, None, None)) for word in words], sse(response("", "STOP")))


def ask(world: World, model: str = "gem", body: Any = CAPPED, **how: Any) -> ListExchange:
    return world.ask(body, **{"surface": "gemini", "model": model, "stream": False, **how})


def test_a_whole_answer_passes_with_its_cost(begin: Begin) -> None:
    world = begin(whole(response()), config=GOOGLE, more=strict("1"))
    answer = ask(world)
    assert answer.json == response(usage={**USAGE, "cost": 0.00006})
    call = world.upstream.calls[0]
    assert (call.origin, call.target) == ("https://goo.test", "/v1beta/models/gem%2Fup:generateContent")
    assert dict(call.headers)[b"x-goog-api-key"] == b"sk-one-canary-0123456789"
    assert world.upstream.body() == CAPPED
    row = world.row
    assert (row.dialect_in, row.model, row.provider, row.usage_source) == ("gemini", "gem", "goo", "reported")
    assert (row.tokens_in, row.tokens_out, row.tokens_reasoning, row.cost_nanousd) == (10, 3, 2, 60_000)


def test_events_pass_and_the_end_waits_for_the_row(begin: Begin) -> None:
    world = begin(events("hel", "lo"), config=GOOGLE)
    answer = ask(world, stream=True, query="alt=sse")
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert [event["candidates"][0]["content"]["parts"][0]["text"] for event in answer.data] == ["hel", "lo", ""]
    assert answer.data[-1]["usageMetadata"]["cost"] == 0.00006
    assert world.upstream.calls[0].target == "/v1beta/models/gem%2Fup:streamGenerateContent?alt=sse"
    assert world.row.cost_nanousd == 60_000


@pytest.mark.parametrize(("model", "reply"), [("gem", events("hel", "lo")), ("small", a_stream("hel", "lo"))])
def test_without_alt_sse_a_stream_is_one_array(begin: Begin, model: str, reply: Reply) -> None:
    world = begin(reply, config=GOOGLE)
    answer = ask(world, model, stream=True, query="key=secret")
    assert answer.header("content-type") == "application/json"
    found = answer.json
    assert "".join(part["text"] for event in found for part in event["candidates"][0]["content"]["parts"]) == "hello"
    assert found[-1]["candidates"][0]["finishReason"] == "STOP"
    assert len(answer.pieces) > 1


def test_a_call_that_is_larger_than_any_event_of_its_providers_is_in_the_array(begin: Begin) -> None:
    """Google's calls are whole, those of others come in pieces."""
    called = {"index": 0, "id": "c1", "type": "function", "function": {"name": "write", "arguments": '{"text":"'}}
    pieces = [{"index": 0, "function": {"arguments": "A" * 200_000}} for _ in range(6)]
    last = {"index": 0, "function": {"arguments": '"}'}}
    calls = [chunk({"tool_calls": [call]}) for call in (called, *pieces, last)]
    world = begin(stream(ROLE, *calls, chunk({}, "tool_calls"), used(), DONE), config=GOOGLE)
    found = ask(world, "small", stream=True).json
    parts = [part for event in found for part in event["candidates"][0]["content"]["parts"]]
    assert [part["functionCall"]["args"] for part in parts if "functionCall" in part] == [{"text": "A" * 1_200_000}]
    assert found[-1]["candidates"][0]["finishReason"] == "STOP"


def test_an_array_that_is_cut_ends_in_an_error_and_can_be_read(begin: Begin) -> None:
    cut = stream(sse(response("hel", None, None)))
    world = begin(cut, config=GOOGLE)
    answer = ask(world, stream=True)
    assert answer.json[-1]["error"]["status"] == "INTERNAL"
    assert "finishReason" not in answer.body.decode()
    assert world.row.error_class == "truncated"


def test_a_body_that_ends_without_a_reason_is_an_error(begin: Begin) -> None:
    world = begin(stream(sse(response("hel", None, None)), sse(response("lo", None, None))), config=GOOGLE)
    answer = ask(world, stream=True, query="alt=sse")
    assert answer.data[-1]["error"]["code"] == 502
    assert "finishReason" not in answer.body.decode()
    assert world.row.error_class == "truncated"


def test_chat_and_messages_clients_on_google(begin: Begin) -> None:
    world = begin(whole(response()), events("hel", "lo"), whole(response()), config=GOOGLE)
    assert world.ask(chat("gem")).json["choices"][0]["message"]["content"] == "hello"
    streamed = world.ask(messages("gem", stream=True), surface="anthropic_messages")
    assert streamed.body.endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert world.ask(messages("gem"), surface="anthropic_messages").json["content"][0]["text"] == "hello"
    assert all(row.cost_nanousd == 60_000 for row in world.rows)
    assert [call.target.rpartition(":")[2] for call in world.upstream.calls] == [
        "generateContent",
        "streamGenerateContent?alt=sse",
        "generateContent",
    ]


def test_googles_clients_on_others(begin: Begin) -> None:
    world = begin(answered(), whole(message()), stream(*message_events("hel", "lo")), config=GOOGLE)
    assert ask(world, "small").json["candidates"][0]["content"]["parts"] == [{"text": "hello"}]
    assert ask(world, "opus").json["candidates"][0]["finishReason"] == "STOP"
    events_ = ask(world, "opus", stream=True, query="alt=sse").data
    assert "".join(event["candidates"][0]["content"]["parts"][0]["text"] for event in events_) == "hello"
    assert [world.upstream.body(call)["model"] for call in range(3)] == ["small-up", "opus-up", "opus-up"]


def test_errors_are_googles(begin: Begin) -> None:
    world = begin(config=GOOGLE, more=strict("0.000001"))
    answer = ask(world)
    assert (answer.status, answer.error["status"]) == (402, "FAILED_PRECONDITION")
    assert ask(world, "none").error["status"] == "NOT_FOUND"
    assert ask(world, body={"contents": "x"}).error["status"] == "INVALID_ARGUMENT"
    assert ask(world, key="wrong").error["status"] == "UNAUTHENTICATED"
    assert world.upstream.calls == []


@pytest.mark.parametrize(
    "more",
    [
        {"cachedContent": "cachedContents/x"},
        {"tools": [{"googleSearch": {}}]},
        {"contents": [{"parts": [{"fileData": {"fileUri": "https://e.com/a.pdf"}}]}]},
    ],
)
def test_what_has_no_bound_is_refused_on_a_strict_budget(begin: Begin, more: dict[str, Any]) -> None:
    world = begin(whole(response()), config=GOOGLE, more=strict("1"))
    assert ask(world, body={**CAPPED, **more}).status == 402
    assert world.upstream.calls == []


def test_a_cap_that_a_budget_shrinks_stands_inside_the_config(begin: Begin) -> None:
    world = begin(whole(response()), config=GOOGLE, more=strict("0.005"))
    assert ask(world, body={**BODY, "generation_config": {"top_k": 5}}).status == 200
    sent = world.upstream.body()
    assert sent["generation_config"].keys() == {"top_k", "maxOutputTokens"}
    assert sent["generation_config"]["maxOutputTokens"] < 500


def test_a_streamed_answer_comes_from_the_cache_in_every_framing(begin: Begin) -> None:
    world = begin(events("hel", "lo"), config=GOOGLE)
    first = ask(world, stream=True, query="alt=sse")
    again = ask(world, stream=True, query="alt=sse")
    as_array = ask(world, stream=True)
    assert len(world.upstream.calls) == 1
    assert (again.header("x-bascule-cache"), as_array.header("x-bascule-cache")) == ("exact", "exact")
    assert [event["candidates"] for event in again.data] == [event["candidates"] for event in first.data]
    assert [event["candidates"] for event in as_array.json] == [event["candidates"] for event in first.data]


def test_counts_between_dialects(begin: Begin) -> None:
    world = begin(whole({"totalTokens": 7}), whole({"input_tokens": 8}), whole({"totalTokens": 9}), config=GOOGLE)
    count = {"surface": "gemini_count_tokens"}
    assert ask(world, body=BODY, **count).json == {"totalTokens": 7}
    assert world.upstream.body(0) == BODY
    wrapped = {"generateContentRequest": {"model": "models/opus", **BODY}}
    assert ask(world, "opus", wrapped, **count).json == {"totalTokens": 8}
    assert world.upstream.calls[1].target == "/v1/messages/count_tokens"
    assert world.upstream.body(1).keys() == {"model", "messages"}
    asked = {"model": "gem", "messages": [{"role": "user", "content": "hi"}], "system": "Be brief."}
    assert world.ask(asked, surface="anthropic_count_tokens").json == {"input_tokens": 9}
    assert world.upstream.calls[2].target == "/v1beta/models/gem%2Fup:countTokens"
    assert world.upstream.body(2)["generateContentRequest"].keys() == {"model", "contents", "systemInstruction"}
    local = ask(world, "small", {"contents": [{"parts": [{"text": "word " * 1_000}]}]}, **count)
    assert 1_000 <= local.json["totalTokens"] <= 1_600
    assert all(row.cost_nanousd == 0 for row in world.rows)


def test_a_count_of_a_wrapped_request_names_the_providers_model(begin: Begin) -> None:
    world = begin(whole({"totalTokens": 7}), config=GOOGLE)
    wrapped = {"generateContentRequest": {"model": "models/gem", **BODY}}
    assert ask(world, body=wrapped, surface="gemini_count_tokens").status == 200
    assert world.upstream.body()["generateContentRequest"] == {"model": "models/gem/up", **BODY}


VECTORS = {"embeddings": [{"values": [0.5, -1.0]}], "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4}}
ONE = {"content": {"parts": [{"text": "hi"}]}, "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 2}


def embed(world: World, body: Any, model: str = "gvec") -> ListExchange:
    return ask(world, model, body, surface="gemini_embeddings")


def test_embeddings_of_one_and_of_several(begin: Begin) -> None:
    world = begin(whole(VECTORS), whole(VECTORS), config=GOOGLE)
    one = embed(world, ONE)
    assert one.json["embedding"] == VECTORS["embeddings"][0]
    assert one.json["usageMetadata"]["cost"] == 0.000004
    assert world.upstream.calls[0].target == "/v1beta/models/gvec-up:batchEmbedContents"
    assert world.upstream.body(0) == {"requests": [{**ONE, "model": "models/gvec-up"}]}
    several = embed(world, {"requests": [{"model": "models/gvec", **ONE}]})
    assert several.json["embeddings"] == VECTORS["embeddings"]
    assert world.upstream.body(1) == {"requests": [{**ONE, "model": "models/gvec-up"}]}
    assert [row.cost_nanousd for row in world.rows] == [4_000, 4_000]


def test_embeddings_between_dialects(begin: Begin) -> None:
    openai = {
        "object": "list",
        "model": "v",
        "data": [{"object": "embedding", "index": 1, "embedding": "AAAAPwAAgL8="}, {"index": 0, "embedding": [1, 0.5]}],
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }
    world = begin(whole(VECTORS), whole(VECTORS), whole(openai), config=GOOGLE)
    asked = {"model": "gvec", "input": "hi", "dimensions": 2}
    floats = world.ask(asked, surface="openai_embeddings").json
    assert (floats["data"][0]["embedding"], floats["usage"]["prompt_tokens"]) == ([0.5, -1.0], 4)
    packed = world.ask({**asked, "encoding_format": "base64"}, surface="openai_embeddings").json
    assert packed["data"][0]["embedding"] == "AAAAPwAAgL8="
    assert world.upstream.body(1) == {
        "requests": [{"model": "models/gvec-up", "content": {"parts": [{"text": "hi"}]}, "outputDimensionality": 2}]
    }
    two = {"requests": [{**ONE, "model": "models/vector"}, {**ONE, "model": "models/vector"}]}
    answer = embed(world, two, "vector").json
    assert answer["embeddings"] == [{"values": [1.0, 0.5]}, {"values": [0.5, -1.0]}]
    assert answer["usageMetadata"]["promptTokenCount"] == 8
    assert world.upstream.body(2) == {
        "model": "vector-up",
        "input": ["hi", "hi"],
        "encoding_format": "float",
        "dimensions": 2,
    }


@pytest.mark.parametrize(
    ("body", "model", "param"),
    [
        ({"requests": []}, "gvec", "requests"),
        ({}, "gvec", "content"),
        ({"requests": [{}]}, "gvec", "requests[0].content"),
        ({"requests": [ONE, {**ONE, "outputDimensionality": 3}]}, "vector", "requests"),
        (
            {"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},
            "vector",
            "content.parts[0]",
        ),
    ],
)
def test_what_cannot_be_embedded_is_named(begin: Begin, body: Any, model: str, param: str) -> None:
    world = begin(config=GOOGLE)
    answer = embed(world, body, model)
    assert answer.status == 400
    (violation,) = next(detail for detail in answer.error["details"] if "fieldViolations" in detail)["fieldViolations"]
    assert violation["field"] == param
    assert world.upstream.calls == []


def test_tokens_cannot_be_embedded_at_google(begin: Begin) -> None:
    world = begin(config=GOOGLE)
    answer = world.ask({"model": "gvec", "input": [[1, 2]]}, surface="openai_embeddings")
    assert (answer.status, answer.error["param"]) == (400, "input[0]")


def test_a_model_of_the_body_does_not_count(begin: Begin) -> None:
    world = begin(whole(response()), config=GOOGLE)
    assert ask(world, body=json.dumps({**CAPPED, "model": "models/dearer", "stream": True}).encode()).status == 200
    assert world.upstream.body() == CAPPED


@pytest.mark.parametrize("depth", [900, 960, 5_000])
def test_arguments_that_are_nested_too_deeply_are_a_cut_stream_and_no_failure_of_ours(begin: Begin, depth: int) -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":' * depth}}
    rest = {"index": 0, "function": {"arguments": "1" + "}" * depth}}
    world = begin(
        stream(ROLE, chunk({"tool_calls": [call]}), chunk({"tool_calls": [rest]}, "tool_calls"), used(), DONE),
        config=GOOGLE,
    )
    answer = ask(world, "small", stream=True, query="alt=sse")
    assert answer.ended or answer.status == 502
    assert world.row.error_class in (None, "protocol")


@pytest.mark.parametrize("name", ["generationConfig", "generation_config"])
def test_of_a_cap_or_a_count_given_twice_only_what_was_judged_goes_on(begin: Begin, name: str) -> None:
    world = begin(whole(response()), config=GOOGLE, more=strict("100"))
    config = '{"candidateCount": 8, "maxOutputTokens": 3000, "maxOutputTokens": 100, "candidateCount": 1}'
    raw = f'{{"contents": {json.dumps(BODY["contents"])}, "{name}": {config}}}'
    assert world.ask(raw.encode(), surface="gemini", model="gem").status == 200
    (call,) = world.upstream.calls
    assert call.body.count(b"maxOutputTokens") == call.body.count(b"candidateCount") == 1
    assert json.loads(call.body)[name] == {"candidateCount": 1, "maxOutputTokens": 100}
    assert (world.row.hold_nanousd or 0) < 3_000 * 10_000
