"""Answers of providers with bytes and types where none of them belongs: a fault or an answer, never an exception."""

import json
from typing import Any

import pytest

from bascule.dialects.openai_chat.render_request import is_strict
from bascule.dialects.registry import codec, dialect
from bascule.gateway.mending import understood
from bascule.model.facts import Facts
from bascule.model.outcome import Fault

COMPLETION = b'{"id":"c","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}'
MESSAGE = b'{"id":"m","type":"message","content":[{"type":"text","text":"hi"}],"usage":{"input_tokens":1}'
CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi"}}],"no\xffte":1}\n\n'
EVENT = b'data: {"type":"message_start","message":{"id":"m"},"no\xffte":1}\n\n'


@pytest.mark.parametrize(("provider", "sound"), [("openai_chat", COMPLETION), ("anthropic_messages", MESSAGE)])
def test_an_answer_that_is_not_utf8_is_read_with_a_mark_for_the_byte(provider: str, sound: bytes) -> None:
    read = dialect(provider).read_reply
    assert understood(sound + b"}", read)[0] == sound + b"}"
    better, found = understood(sound + b',"no\xffte":1}', read)
    assert better == sound + ',"no\ufffdte":1}'.encode()
    assert not isinstance(found, Fault)


@pytest.mark.parametrize(("provider", "event"), [("openai_chat", CHUNK), ("anthropic_messages", EVENT)])
@pytest.mark.parametrize("client", ["openai_chat", "anthropic_messages"])
def test_so_is_an_event_and_a_relay_forwards_what_came(client: str, provider: str, event: bytes) -> None:
    stream = codec(client, provider).stream(Facts(model="m", stream=True), "m", False)
    step = stream.feed(event)
    assert step.fault is None
    assert (event in step.forward) == (client == provider)


@pytest.mark.parametrize("finish", [["stop"], {"a": 1}, 7, True])
def test_a_finish_reason_that_is_no_text_says_nothing(finish: Any) -> None:
    body = {"id": "c", "choices": [{"message": {"content": "hi"}, "finish_reason": finish}]}
    read = dialect("openai_chat").read_reply(json.dumps(body).encode())
    assert not isinstance(read, Fault)
    assert read.finish_reason is None
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": finish}]}
    stream = codec("openai_chat", "openai_chat").stream(Facts(model="m", stream=True), "m", False)
    assert stream.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n").fault is None


@pytest.mark.parametrize("schema", [{"type": "object", "required": [{}]}, {"type": "object", "properties": [1]}])
def test_a_schema_that_is_none_is_not_strict(schema: dict[str, Any]) -> None:
    assert not is_strict({**schema, "additionalProperties": False})
