"""Cohere and Bedrock behind the engine: what their clients get, what is sent, what is billed, and how they fail."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import Begin, Playbook, strict
from tests.playbooks.engine.wire import HI, chat, completion, messages, named, streamed, texts

from bascule.testing.bedrock_wire import framed
from bascule.testing.transport import Break, Reply, stream, whole

CONFIG = """
data_dir: data
cache: {exact: {enabled: false}}
providers:
  one: {dialect: openai_chat, base_url: "https://one.test/v1", api_key: "env:ONE_KEY"}
  co: {dialect: cohere, base_url: "https://co.test", api_key: "env:TWO_KEY"}
  aws: {dialect: bedrock_converse, base_url: "https://aws.test", api_key: "env:CLAUDE_KEY"}
models:
  small: {endpoints: [{provider: one, model: small-up}], price: {input: 9, output: 90}, max_output: 4000}
  command: {endpoints: [{provider: co, model: command-up}], price: {input: 2, output: 10}, max_output: 4000}
  claude:
    endpoints: [{provider: aws, model: "eu.anthropic.claude-up-v1:0"}]
    price: {input: 3, output: 15, cache_read: 0.3, cache_write: 3.75, cache_write_1h: 6}
    max_output: 4000
routes:
  commanded: {candidates: [command, small]}
  hosted: {candidates: [claude, small]}
keys:
  ci: {secret: "env:CI_KEY", org: acme, team: platform, project: web, tags: {cost: "42"}}
"""
TARGET = "/model/eu.anthropic.claude-up-v1%3A0"


def cohere_answer(**more: Any) -> dict[str, Any]:
    usage = {"billed_units": {"input_tokens": 10, "output_tokens": 5}, "tokens": {"input_tokens": 70}}
    message = {"role": "assistant", "content": [{"type": "text", "text": "hello"}]}
    return {"id": "c-1", "finish_reason": "COMPLETE", "message": message, "usage": usage, **more}


def cohere_events(*words: str) -> list[bytes]:
    told = [named("message-start", id="c-1", delta={"message": {"role": "assistant"}})]
    told += [named("content-delta", index=0, delta={"message": {"content": {"text": word}}}) for word in words]
    end = {"finish_reason": "COMPLETE", "usage": cohere_answer()["usage"]}
    return [*told, named("message-end", delta=end)]


USAGE = {"inputTokens": 10, "outputTokens": 5, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 20}
COST = 10 * 3_000 + 100 * 300 + 20 * 3_750 + 5 * 15_000


def converse_answer(**more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": [{"text": "hello"}]}
    return {"output": {"message": message}, "stopReason": "end_turn", "usage": USAGE, **more}


def event(kind: str, **payload: Any) -> bytes:
    return framed("exception" if kind.endswith("Exception") else "event", kind, json.dumps(payload).encode())


def converse_events(*words: str, usage: Any = USAGE) -> list[bytes]:
    deltas = [event("contentBlockDelta", contentBlockIndex=0, delta={"text": word}) for word in words]
    start, stop = event("messageStart", role="assistant"), event("messageStop", stopReason="end_turn")
    return [start, *deltas, event("contentBlockStop", contentBlockIndex=0), stop, event("metadata", usage=usage)]


def begun(begin: Begin, *replies: Reply, more: str = "") -> Playbook:
    return begin(*replies, config=CONFIG, more=more)


def test_a_whole_answer_of_cohere(begin: Begin) -> None:
    world = begun(begin, whole(cohere_answer()))
    answer = world.ask(chat("command"))
    assert answer.json["choices"][0]["message"]["content"] == "hello"
    assert answer.json["usage"]["cost"] == 0.00007
    call = world.upstream.calls[0]
    assert (call.origin, call.target) == ("https://co.test", "/v2/chat")
    assert world.upstream.header("authorization") == "Bearer sk-two-canary-0123456789"
    assert world.upstream.body() == {"model": "command-up", "messages": HI, "max_tokens": 100}
    row = world.row
    assert (row.dialect_out, row.tokens_in, row.tokens_out, row.cost_nanousd) == ("cohere", 10, 5, 70_000)


def test_a_stream_of_cohere(begin: Begin) -> None:
    world = begun(begin, stream(*cohere_events("hel", "lo")))
    answer = world.ask(messages("command", stream=True), surface="anthropic_messages")
    assert b'"text":"hel"' in answer.body
    assert answer.body.endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert world.upstream.body()["stream"] is True
    assert world.row.cost_nanousd == 70_000


def test_a_whole_answer_of_bedrock(begin: Begin) -> None:
    world = begun(begin, whole(converse_answer()))
    answer = world.ask(messages("claude"), surface="anthropic_messages")
    assert answer.json["content"][0]["text"] == "hello"
    assert answer.json["id"] == f"msg_{answer.header('x-bascule-request-id')}"
    call = world.upstream.calls[0]
    assert call.target == f"{TARGET}/converse"
    assert call.signing is None
    assert world.upstream.header("authorization") == "Bearer sk-claude-canary-0123456789"
    row = world.row
    assert (row.tokens_in, row.tokens_cache_read, row.tokens_cache_write_5m, row.tokens_out) == (10, 100, 20, 5)
    assert row.cost_nanousd == COST


@pytest.mark.parametrize("size", [1, 11, 100_000])
def test_a_stream_of_bedrock_however_it_is_cut(begin: Begin, size: int) -> None:
    raw = b"".join(converse_events("hél", "lo"))
    world = begun(begin, stream(*[raw[at : at + size] for at in range(0, len(raw), size)]))
    answer = world.ask(streamed("claude"))
    assert texts(answer.data) == "héllo"
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert world.upstream.calls[0].target == f"{TARGET}/converse-stream"
    assert world.row.cost_nanousd == COST


THROTTLED = whole({"message": "Too many requests"}, 429, x_amzn_errortype="ThrottlingException:http://x/")
FIRST = stream(event("throttlingException", message="slow down"))


@pytest.mark.parametrize("reply", [THROTTLED, FIRST], ids=["status", "event"])
def test_bedrock_throttles_and_the_next_one_answers(begin: Begin, reply: Reply) -> None:
    told = b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\n'
    world = begun(begin, reply, stream(told, b"data: [DONE]\n\n"))
    answer = world.ask(streamed("hosted"))
    assert texts(answer.data) == "hello"
    assert [row.error_class for row in world.rows] == ["rate_limited", None]
    assert world.rows[0].cost_nanousd == 0


def test_cohere_is_overloaded_and_the_next_one_answers(begin: Begin) -> None:
    world = begun(begin, whole({"message": "try later"}, 503), whole(completion()))
    assert world.ask(chat("commanded")).json["choices"][0]["message"]["content"] == "hello"
    assert [row.error_class for row in world.rows] == ["overloaded", None]


DAMAGED = bytearray(event("contentBlockDelta", contentBlockIndex=0, delta={"text": "xyz"}))
DAMAGED[-9] ^= 4
ENDINGS: list[tuple[str, list[Any], str]] = [
    ("exception", [event("modelStreamErrorException", message="the model failed")], "server_error"),
    ("cut", [], "truncated"),
    ("half a message", [event("messageStop", stopReason="end_turn")[:40]], "truncated"),
    ("no metadata", [event("messageStop", stopReason="end_turn")], "truncated"),
    ("reset", [Break("reset")], "reset"),
    ("damaged", [bytes(DAMAGED)], "protocol"),
    ("HTML", [b"<html><body>gateway</body></html>"], "protocol"),
]


@pytest.mark.parametrize(("ending", "error"), [(e, c) for _, e, c in ENDINGS], ids=[name for name, _, _ in ENDINGS])
def test_a_stream_of_bedrock_that_breaks_is_never_a_clean_end(begin: Begin, ending: list[Any], error: str) -> None:
    world = begun(begin, stream(*converse_events("hello")[:2], *ending), more=strict("1"))
    answer = world.ask(messages("claude", stream=True), surface="anthropic_messages")
    assert b'"text":"hello"' in answer.body
    assert b"event: error" in answer.body
    assert b"message_stop" not in answer.body
    assert world.row.error_class == error
    assert world.row.usage_source == "estimated"
    cost, hold = world.row.cost_nanousd or 0, world.row.hold_nanousd or 0
    assert cost == hold if error == "protocol" else 0 < cost < hold


def test_a_stream_without_usage_is_estimated(begin: Begin) -> None:
    world = begun(begin, stream(*converse_events("hello", usage=None)))
    assert texts(world.ask(streamed("claude")).data) == "hello"
    assert world.row.usage_source == "estimated"
    assert (world.row.cost_nanousd or 0) > 0


@pytest.mark.parametrize("model", ["command", "claude"])
def test_tokens_are_counted_here(begin: Begin, model: str) -> None:
    world = begun(begin)
    answer = world.ask({"model": model, "messages": HI}, surface="anthropic_count_tokens")
    assert answer.json["input_tokens"] > 0
    assert world.upstream.calls == []


def test_embeddings_of_cohere(begin: Begin) -> None:
    told = {"id": "e", "embeddings": {"float": [[0.5, 0.25]]}, "meta": {"billed_units": {"input_tokens": 8}}}
    world = begun(begin, whole(told))
    answer = world.ask({"model": "command", "input": "hi"}, surface="openai_embeddings")
    assert answer.json["data"][0]["embedding"] == [0.5, 0.25]
    assert answer.json["usage"]["cost"] == 0.000016
    assert world.upstream.calls[0].target == "/v2/embed"
    assert world.upstream.body()["texts"] == ["hi"]
    row = world.row
    assert (row.dialect_out, row.tokens_in, row.tokens_out, row.cost_nanousd) == ("cohere_embed", 8, 0, 16_000)


def test_embeddings_are_refused_where_there_are_none(begin: Begin) -> None:
    world = begun(begin)
    answer = world.ask({"model": "claude", "input": "hi"}, surface="openai_embeddings")
    assert answer.status == 400
    assert "does not serve" in answer.json["error"]["message"]


def test_what_cannot_be_said_is_refused_before_anything_is_sent(begin: Begin) -> None:
    world = begun(begin)
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    body = chat("claude", messages=[{"role": "user", "content": [image]}])
    answer = world.ask(body)
    assert answer.status == 400
    assert world.upstream.calls == []
