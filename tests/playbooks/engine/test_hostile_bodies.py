"""Bodies that are JSON and nothing else: refused as the client's mistake, or passed on as they were judged."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import Begin
from tests.playbooks.engine.wire import answered, chat, messages


@pytest.mark.parametrize(
    ("surface", "body"),
    [
        ("anthropic_messages", messages("small", stop_sequences=7)),
        ("anthropic_messages", messages("small", metadata=5)),
        ("anthropic_messages", messages("small", messages=[{"role": "user", "content": [{"type": ["a"]}]}])),
        ("openai_chat", chat("opus", reasoning_effort=["x"])),
        ("openai_chat", chat("opus", stop=[1])),
        ("openai_chat", chat("small", modalities=5)),
    ],
)
def test_a_wrong_type_is_the_clients_mistake(begin: Begin, surface: Any, body: dict[str, Any]) -> None:
    world = begin()
    got = world.ask(body, surface=surface)
    assert got.status == 400
    assert world.upstream.calls == []


def test_of_a_key_given_twice_only_what_was_judged_goes_on(begin: Begin) -> None:
    world = begin(answered())
    fields = json.dumps(chat("small"))[1:]
    world.ask(('{"n": 50, "max_tokens": 100000, ' + fields[:-1] + ', "n": 1}').encode())
    (call,) = world.upstream.calls
    assert call.body.count(b'"n"') == 1
    assert call.body.count(b'"max_tokens"') == 1
    assert json.loads(call.body)["n"] == 1


def test_endless_nesting_is_the_clients_mistake(begin: Begin) -> None:
    world = begin()
    fields = json.dumps(chat("small"))[:-1]
    got = world.ask((fields + ', "x": ' + "[" * 5_000 + "]" * 5_000 + "}").encode())
    assert got.status == 400
    assert world.upstream.calls == []
