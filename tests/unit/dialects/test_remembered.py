from copy import deepcopy
from typing import Any

import msgspec
import pytest

from bascule.dialects.base import ReplyContext, Target
from bascule.dialects.registry import CLIENT_DIALECTS, PROVIDER_DIALECTS, codec, dialect
from bascule.dialects.remembered import LEAST_ITEMS, MAX_JSON_BYTES, MAX_REMEMBERED, Remembered
from bascule.model.errors import MalformedRequest

TARGET = Target(upstream_model="m", max_tokens=100)


def test_what_was_made_of_an_object_is_found_again_by_the_object_alone():
    made: list[list[int]] = []

    def total(numbers: list[int]) -> int:
        made.append(numbers)
        return sum(numbers)

    remembered = Remembered(total)
    numbers, equal = list(range(LEAST_ITEMS)), list(range(LEAST_ITEMS))
    assert remembered(numbers) == remembered(numbers) == remembered(equal)
    assert len(made) == 2
    short = numbers[:-1]
    assert remembered(short) == remembered(short)
    assert len(made) == 4


def test_only_the_last_are_remembered():
    made: list[int] = []

    def first(numbers: list[int]) -> int:
        made.append(numbers[0])
        return numbers[0]

    remembered = Remembered(first)
    lists = [[number] * LEAST_ITEMS for number in range(MAX_REMEMBERED + 1)]
    assert [remembered(one) for one in lists] == list(range(MAX_REMEMBERED + 1))
    assert remembered(lists[-1]) == MAX_REMEMBERED
    assert remembered(lists[0]) == 0
    assert made == [*range(MAX_REMEMBERED + 1), 0]


def test_what_is_too_long_is_made_each_time():
    made: list[int] = []

    def length(texts: list[str]) -> int:
        made.append(len(texts))
        return len(texts)

    remembered = Remembered(length)
    long = ["x" * (MAX_JSON_BYTES // LEAST_ITEMS)] * LEAST_ITEMS
    assert remembered(long) == remembered(long) == LEAST_ITEMS
    assert len(made) == 2


def test_what_is_raised_is_not_remembered():
    remembered: Remembered[list[int], int] = Remembered(max)
    mixed: list[Any] = [1, "2"] * LEAST_ITEMS
    for _ in range(2):
        with pytest.raises(TypeError):
            remembered(mixed)


def request_of(name: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"path": {"type": "string", "description": "\u00e4"}}}
    names = [f"tool.{number}" for number in range(12)]
    body: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    if name == "anthropic_messages":
        mark = {"cache_control": {"type": "ephemeral"}}
        tools = [{"name": one, "description": "d", "input_schema": schema} for one in names]
        return {**body, "tools": [*tools[:-1], {**tools[-1], **mark}]}
    return {
        **body,
        "tools": [{"type": "function", "function": {"name": n, "parameters": schema}} for n in names],
        "tool_choice": {"type": "function", "function": {"name": names[3]}},
    }


PAIRS = [
    (client, provider)
    for client in CLIENT_DIALECTS
    for provider in PROVIDER_DIALECTS
    if client != provider and client in ("openai_chat", "anthropic_messages")
]


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_request_with_known_tools_is_rendered_as_one_with_new_tools_and_changes_none(client, provider):
    body = request_of(client)
    before = deepcopy(body)
    pair = codec(client, provider)
    raw = msgspec.json.encode(body)
    facts = dialect(client).read_facts(body, len(raw))
    first = pair.request(body, raw, facts, TARGET)
    shared = {**request_of(client), "tools": body["tools"], "messages": [{"role": "user", "content": "and now"}]}
    again = pair.request(shared, raw, facts, TARGET)
    fresh = pair.request(deepcopy(shared), raw, facts, TARGET)
    assert isinstance(first, bytes)
    assert again == fresh
    told, told_again = msgspec.json.decode(first), msgspec.json.decode(again)
    tools = told.get("tools") or told["toolConfig"]["tools"]  # Bedrock has them elsewhere
    assert tools == (told_again.get("tools") or told_again["toolConfig"]["tools"])
    assert body == before


def test_a_fault_in_a_long_list_of_tools_is_named_each_time():
    body = request_of("openai_chat")
    body["tools"][9]["function"]["name"] = 3
    raw = msgspec.json.encode(body)
    pair = codec("openai_chat", "anthropic_messages")
    facts = dialect("openai_chat").read_facts(body, len(raw))
    for _ in range(2):
        refusal = pair.request(body, raw, facts, TARGET)
        assert getattr(refusal, "param", None) == "tools[9].function.name"
    with pytest.raises(MalformedRequest):
        dialect("openai_chat").read_facts({**body, "tools": {}}, len(raw))


def test_names_that_had_to_change_are_given_back_with_known_tools():
    body = request_of("openai_chat")
    raw = msgspec.json.encode(body)
    pair = codec("openai_chat", "anthropic_messages")
    facts = dialect("openai_chat").read_facts(body, len(raw))
    sent = pair.request(body, raw, facts, TARGET)
    assert isinstance(sent, bytes)
    called = msgspec.json.decode(sent)["tools"][5]["name"]
    assert called != "tool.5"
    answer = msgspec.json.encode(
        {
            "type": "message",
            "id": "msg_1",
            "model": "m",
            "content": [{"type": "tool_use", "id": "t1", "name": called, "input": {}}],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
    )
    for _ in range(2):
        reply = msgspec.json.decode(pair.reply(answer, facts, "m", None, ReplyContext(body=body, target=TARGET)))
        assert reply["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "tool.5"
