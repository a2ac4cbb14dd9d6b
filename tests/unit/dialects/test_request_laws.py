"""Requests through the canonical form: nothing changes after the first time, and the official SDKs know the result."""

import itertools
import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.sdk import parse_request as sdk_request

from bascule.dialects.anthropic_messages.parse_request import parse_request as parse_messages
from bascule.dialects.anthropic_messages.render_request import render_request as render_messages
from bascule.dialects.base import Target
from bascule.dialects.gemini.parse_request import parse_request as parse_gemini
from bascule.dialects.gemini.render_request import render_request as render_gemini
from bascule.dialects.names import call_id, tool_name
from bascule.dialects.openai_chat.parse_request import parse_request as parse_chat
from bascule.dialects.openai_chat.render_request import is_strict
from bascule.dialects.openai_chat.render_request import render_request as render_chat
from bascule.dialects.openai_responses.parse_request import parse_request as parse_responses
from bascule.dialects.openai_responses.render_request import render_request as render_responses
from bascule.dialects.registry import codec, dialect
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.testing.validate import complaint

TARGET = Target(upstream_model="m", quirks=frozenset({"reasoning_content", "mid_system"}))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
IDS = st.text("ab.:é-_1", min_size=1, max_size=50)
ARGUMENTS = st.dictionaries(TEXT, st.integers() | TEXT, max_size=2).map(lambda value: json.dumps(value))
NAMES = st.sampled_from(["read", "list", "n" * 80])
PNG = "data:image/png;base64,iVBORw0KGgo="

CHAT_PARTS = st.one_of(
    TEXT.map(lambda text: {"type": "text", "text": text}),
    st.sampled_from([PNG, "https://example.com/a.png"]).map(
        lambda url: {"type": "image_url", "image_url": {"url": url}}
    ),
)


@st.composite
def chat_turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    kind = draw(st.sampled_from(["user", "system", "text", "tools"]))
    if kind == "user":
        return [{"role": "user", "content": draw(TEXT | st.lists(CHAT_PARTS, min_size=1, max_size=3))}]
    if kind == "system":
        return [{"role": draw(st.sampled_from(["system", "developer"])), "content": draw(TEXT)}]
    if kind == "text":
        return [{"role": "assistant", "content": draw(TEXT), "reasoning_content": draw(TEXT)}]
    calls = draw(st.lists(st.tuples(IDS, NAMES, ARGUMENTS), min_size=1, max_size=3, unique_by=lambda call: call[0]))
    turn = {
        "role": "assistant",
        "content": draw(st.none() | TEXT),
        "tool_calls": [
            {"id": given, "type": "function", "function": {"name": name, "arguments": arguments}}
            for given, name, arguments in calls
        ],
    }
    return [turn, *({"role": "tool", "tool_call_id": given, "content": draw(TEXT)} for given, _, _ in calls)]


@st.composite
def chat_bodies(draw: st.DrawFn) -> dict[str, Any]:
    turns = draw(st.lists(chat_turns(), min_size=1, max_size=5))
    body: dict[str, Any] = {"model": "m", "messages": [message for turn in turns for message in turn]}
    tool = {"type": "function", "function": {"name": "read", "parameters": {"type": "object", "properties": {}}}}
    optional = {
        "tools": [tool],
        "tool_choice": draw(st.sampled_from(["auto", "none", "required"])),
        "max_tokens": draw(st.integers(1, 10**6)),
        "temperature": draw(st.floats(0, 2)),
        "stop": draw(st.lists(TEXT, max_size=2)),
        "stream": draw(st.booleans()),
        "user": draw(st.sampled_from(["ann", "ann@example.com"])),
        "reasoning_effort": draw(st.sampled_from(["none", "low", "high"])),
    }
    return body | {key: value for key, value in optional.items() if draw(st.booleans())}


def rendered(result: bytes | Refusal) -> dict[str, Any]:
    assert isinstance(result, bytes)
    body: dict[str, Any] = json.loads(result)
    return body


@given(chat_bodies())
def test_chat_completions_are_stable_after_one_round(body: dict[str, Any]) -> None:
    once = rendered(render_chat(parse_chat(body), TARGET))
    assert rendered(render_chat(parse_chat(once), TARGET)) == once
    sdk_request("openai_chat", once)


@given(chat_bodies())
def test_messages_are_stable_after_one_round(body: dict[str, Any]) -> None:
    once = rendered(render_messages(parse_chat(body), TARGET))
    assert rendered(render_messages(parse_messages(once), TARGET)) == once
    sdk_request("anthropic_messages", once)


@given(chat_bodies(), st.sampled_from(["gemini-2.5-pro", "gemini-3.8-flash"]))
def test_generate_content_is_stable_after_one_round(body: dict[str, Any], model: str) -> None:
    target = Target(upstream_model=model)
    once = rendered(render_gemini(parse_chat(body), target))
    again = rendered(render_gemini(parse_gemini({"model": "m", **once}), target))
    thought = [part for part in (once, again) if part.get("generationConfig", {}).pop("thinkingConfig", None)]
    assert again == once
    assert len(thought) != 1
    sdk_request("gemini", once)


@given(chat_bodies())
def test_googles_rules_hold(body: dict[str, Any]) -> None:
    out = rendered(render_gemini(parse_chat(body), Target(upstream_model="gemini-3.8-flash")))
    roles = [content["role"] for content in out["contents"]]
    assert roles[0] == "user"
    assert all(before != after for before, after in itertools.pairwise(roles))
    for content, following in itertools.pairwise([*out["contents"], {"parts": []}]):
        assert content["parts"]
        calls = [part for part in content["parts"] if "functionCall" in part]
        assert all("thoughtSignature" in part for part in calls[:1])
        responses = [part for part in following["parts"] if "functionResponse" in part]
        assert responses == following["parts"][: len(responses)]
        if calls and following["parts"]:
            ids = [part["functionCall"]["id"] for part in calls]
            assert sorted(ids) == sorted(part["functionResponse"]["id"] for part in responses)


@given(chat_bodies())
def test_responses_are_stable_after_one_round(body: dict[str, Any]) -> None:
    body.pop("stop", None)
    once = rendered(render_responses(parse_chat(body), TARGET))
    assert rendered(render_responses(parse_responses(once), TARGET)) == once
    sdk_request("openai_responses", once)
    assert complaint("responses", {**once, "max_output_tokens": 16}) is None


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Items in any order in which a result comes after its call: what OpenAI takes."""
    calls = draw(st.integers(1, 4))
    items: list[dict[str, Any]] = []
    for number in range(calls):
        call = {"type": "function_call", "call_id": f"c{number}", "name": "read", "arguments": "{}"}
        at = draw(st.integers(0, len(items)))
        items.insert(at, call)
        after = draw(st.integers(at + 1, len(items)))
        items.insert(after, {"type": "function_call_output", "call_id": f"c{number}", "output": "done"})
    for _ in range(draw(st.integers(0, 4))):
        role = draw(st.sampled_from(["user", "assistant", "developer"]))
        items.insert(draw(st.integers(0, len(items))), {"role": role, "content": "said"})
    return [{"role": "user", "content": "begin"}, *items]


@given(histories())
def test_calls_and_results_in_any_order_are_a_history_for_all(items: list[dict[str, Any]]) -> None:
    request = parse_responses({"model": "m", "input": items})
    assert complaint("openai", rendered(render_chat(request, TARGET))) is None
    assert complaint("anthropic", rendered(render_messages(request, Target(upstream_model="m")))) is None
    again = rendered(render_responses(request, TARGET))["input"]
    kinds = [item["type"] for item in again]
    assert kinds.count("function_call") == kinds.count("function_call_output")
    assert kinds.count("function_call") == sum(item.get("type") == "function_call" for item in items)


@given(chat_bodies())
def test_anthropics_rules_hold(body: dict[str, Any]) -> None:
    out = rendered(render_messages(parse_chat(body), Target(upstream_model="m")))
    roles = [turn["role"] for turn in out["messages"]]
    assert roles[0] == "user"
    assert all(before != after for before, after in itertools.pairwise(roles))
    assert out["max_tokens"] >= 1
    for turn in out["messages"]:
        assert turn["content"]
        kinds = [block["type"] for block in turn["content"]]
        assert "tool_result" not in kinds[kinds.count("tool_result") :]
        for block in turn["content"]:
            assert block["type"] != "thinking"
            assert block.get("text", "x").strip()
            for name in ("id", "tool_use_id"):
                assert set(block.get(name, "a")) <= set(
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
                )


@given(chat_bodies())
def test_openais_rules_hold_for_what_came_from_messages(body: dict[str, Any]) -> None:
    messages_body = rendered(render_messages(parse_chat(body), TARGET))
    out = rendered(render_chat(parse_messages(messages_body), TARGET))["messages"]
    sdk_request("openai_chat", {"model": "m", "messages": out})
    waiting: list[str] = []
    for message in out:
        if message["role"] == "tool":
            assert message["tool_call_id"] in waiting
            waiting.remove(message["tool_call_id"])
        else:
            assert not waiting, "calls must be answered before anything else is said"
        waiting += [call["id"] for call in message.get("tool_calls", ())]


@given(st.text(max_size=200), st.text(max_size=200))
def test_fitted_ids_and_names_fit_and_stay_apart(one: str, other: str) -> None:
    for fit, limit in ((call_id, 40), (lambda name: tool_name(name, 64), 64)):
        assert fit(one)
        assert len(fit(one)) <= limit
        assert fit(fit(one)) == fit(one)
        assert (fit(one) == fit(other)) == (one == other)


def test_strictness_of_schemas() -> None:
    closed = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    assert is_strict(closed)
    assert is_strict({**closed, "properties": {"a": {"type": "array", "items": closed}}})
    assert not is_strict({**closed, "required": []})
    assert not is_strict({"type": "array", "items": {"type": "object", "properties": {}}})


def facts(client: str, body: dict[str, Any]) -> Facts:
    return dialect(client).read_facts(body, 100)


def test_pass_through_returns_the_very_bytes_where_nothing_must_change() -> None:
    raw = b'{"model" : "m",  "messages":[{"role":"user","content":"hi"}],"max_tokens":5, "x":1e2}'
    body = json.loads(raw)
    for name in ("openai_chat", "anthropic_messages"):
        target = Target(upstream_model="m", max_tokens=5)
        assert codec(name, name).request(body, raw, facts(name, body), target) is raw


def test_a_malformed_part_is_a_refusal_that_names_it() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text"}]}]}
    refusal = codec("openai_chat", "anthropic_messages").request(body, b"", Facts(model="m"), TARGET)
    assert isinstance(refusal, Refusal)
    assert (refusal.kind, refusal.param) == ("malformed", "messages[0].content[0].text")


def test_a_place_for_the_model_is_not_dropped_on_the_way_to_another_vendor() -> None:
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], "inference_geo": "us"}
    raw = json.dumps(body).encode()
    refusal = codec("anthropic_messages", "openai_chat").request(body, raw, facts("anthropic_messages", body), TARGET)
    assert isinstance(refusal, Refusal)
    assert (refusal.kind, refusal.param) == ("unsupported", "inference_geo")
    own = codec("anthropic_messages", "anthropic_messages")
    assert rendered(own.request(body, raw, facts("anthropic_messages", body), TARGET)) == body
    body["inference_geo"] = "global"
    sent = codec("anthropic_messages", "openai_chat").request(body, raw, facts("anthropic_messages", body), TARGET)
    assert "inference_geo" not in rendered(sent)


def test_an_explicit_cap_wins_over_the_clients() -> None:
    body = {"model": "m", "max_tokens": 50_000, "messages": [{"role": "user", "content": "hi"}]}
    target = Target(upstream_model="m", max_tokens=100)
    for client in ("openai_chat", "anthropic_messages"):
        raw = msgspec.json.encode(body)
        for provider in ("openai_chat", "anthropic_messages"):
            out = rendered(codec(client, provider).request(body, raw, facts(client, body), target))
            assert out["max_tokens"] == 100
        out = rendered(codec(client, "gemini").request(body, raw, facts(client, body), target))
        assert out["generationConfig"]["maxOutputTokens"] == 100
