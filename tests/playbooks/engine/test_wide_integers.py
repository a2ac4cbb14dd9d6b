"""Integers beyond 64 bits in a request: carried as they are written, or refused with their place."""

import json
from typing import Any

import pytest
from msgspec.json import decode
from tests.playbooks.engine.conftest import CONFIG, Begin
from tests.playbooks.engine.wire import answered, chat, message, messages

from bascule.testing.transport import whole

WIDE = 123456789012345678901234567890
NEGATIVE = -18446744073709551617
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer", "enum": [WIDE, NEGATIVE, 2**64 - 1, 7]}}}
PADDED = {"description": "x" * 3_000}
"""So long that tools are decoded apart and remembered."""


@pytest.mark.parametrize("more", [{}, PADDED], ids=["short", "remembered"])
def test_a_schema_keeps_them_from_chat_to_anthropic(begin: Begin, more: dict[str, Any]) -> None:
    world = begin(whole(message()))
    function = {"type": "function", "function": {"name": "f", "parameters": SCHEMA, **more}}
    assert world.ask(chat("opus", tools=[function])).status == 200
    assert decode(world.upstream.calls[0].body)["tools"][0]["input_schema"] == SCHEMA


def test_a_calls_arguments_keep_them_from_anthropic_to_chat(begin: Begin) -> None:
    world = begin(answered())
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"x": WIDE}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "done"}]},
    ]
    tools = [{"name": "f", "input_schema": SCHEMA}]
    assert world.ask(messages("small", messages=turns, tools=tools), surface="anthropic_messages").status == 200
    sent = decode(world.upstream.calls[0].body)
    assert json.loads(sent["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"x": WIDE}
    assert sent["tools"][0]["function"]["parameters"] == SCHEMA


def test_gemini_keeps_them_and_the_model_of_its_path(begin: Begin) -> None:
    world = begin(answered())
    body = {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}]}],
    }
    assert world.ask(body, surface="gemini", model="small", stream=False).status == 200
    assert decode(world.upstream.calls[0].body)["tools"][0]["function"]["parameters"] == SCHEMA


def test_a_redacted_request_keeps_them_too(begin: Begin) -> None:
    config = CONFIG.replace("ci: {", "ci: {protect: {personal: redact, secrets: redact}, ")
    world = begin(answered(), config=config)
    function = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
    text = [{"role": "user", "content": "write to ann@example.com"}]
    assert world.ask(chat(tools=[function], messages=text)).status == 200
    sent = decode(world.upstream.calls[0].body)
    assert "ann@example.com" not in sent["messages"][0]["content"]
    assert sent["tools"][0]["function"]["parameters"] == SCHEMA


def test_what_is_relayed_goes_on_as_it_came(begin: Begin) -> None:
    world = begin(answered())
    assert world.ask(chat(metadata={"number": WIDE})).status == 200
    assert str(WIDE).encode() in world.upstream.calls[0].body


@pytest.mark.parametrize("field", ["seed", "top_k", "thinking_budget", "top_logprobs"])
@pytest.mark.parametrize("value", [WIDE, NEGATIVE])
def test_where_a_number_is_read_it_is_refused_with_its_place(begin: Begin, field: str, value: int) -> None:
    world = begin()
    answer = world.ask(chat("opus", **{field: value}))
    assert (answer.status, answer.error["param"]) == (400, field)
    assert not world.upstream.calls


@pytest.mark.parametrize("value", [2**63 - 1, 2**64 - 1, 10**9 + 1])
def test_a_thinking_budget_beyond_belief_is_refused(begin: Begin, value: int) -> None:
    """Held, it would be more money than an amount can be."""
    world = begin()
    answer = world.ask(chat(thinking_budget=value))
    assert (answer.status, answer.error["param"]) == (400, "thinking_budget")
