"""Recorded requests of real clients through every codec. See conftest.py for when there are none."""

import json
from typing import Any

import pytest
from tests.wire.recordings import FOLDER
from tests.wire.sdk import parse_request

from bascule.dialects.base import Target
from bascule.dialects.registry import codec, dialect
from bascule.testing import bedrock_wire, cohere_wire

SURFACES = {
    "/v1/chat/completions": "openai_chat",
    "/v1/messages": "anthropic_messages",
    "/v1/messages/count_tokens": "anthropic_count_tokens",
    "/v1/embeddings": "openai_embeddings",
}
WIRES: dict[str, Any] = {"cohere": cohere_wire, "bedrock_converse": bedrock_wire}
TARGET = Target(upstream_model="upstream", max_tokens=4_000)


def recorded(*clients: str) -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        exchange = json.loads(path.read_text())
        client = SURFACES.get(exchange["path"].partition("?")[0])
        if exchange["method"] == "POST" and client in clients:
            found.append(pytest.param(client, exchange["body"], id=path.stem))
    return found


@pytest.mark.parametrize(("client", "body"), recorded(*SURFACES.values()))
def test_facts_and_pass_through(client: str, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    facts = dialect(client).read_facts(body, len(raw))
    assert facts.model == body["model"]
    assert facts.text_bytes <= len(raw)
    assert facts.unbounded == ()
    out = codec(client, client).request(body, raw, facts, TARGET)
    assert isinstance(out, bytes)
    unchanged = {"model", "max_tokens", "stream_options"}
    assert {k: v for k, v in json.loads(out).items() if k not in unchanged} == {
        k: v for k, v in body.items() if k not in unchanged
    }


@pytest.mark.parametrize(("client", "body"), recorded("openai_chat", "anthropic_messages"))
def test_translation(client: str, body: dict[str, Any]) -> None:
    provider = "openai_chat" if client == "anthropic_messages" else "anthropic_messages"
    raw = json.dumps(body).encode()
    out = codec(client, provider).request(body, raw, dialect(client).read_facts(body, len(raw)), TARGET)
    assert isinstance(out, bytes)
    translated = json.loads(out)
    parse_request(provider, translated)
    assert b"x-anthropic-billing-header" not in out
    assert b"device_id" not in out
    assert len(translated.get("tools", ())) == len(body.get("tools", ()))
    if client == "anthropic_messages":
        systems = [message["role"] for message in body["messages"]].count("system")
        assert [message["role"] for message in translated["messages"]].count("system") == systems + bool(
            body.get("system")
        )


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("cohere", "command-a-reasoning-08-2025"),
        ("bedrock_converse", "eu.anthropic.claude-sonnet-5-v1:0"),
        ("bedrock_converse", "meta.llama4-maverick-17b-instruct-v1:0"),
    ],
)
@pytest.mark.parametrize(("client", "body"), recorded("openai_chat", "anthropic_messages"))
def test_translation_for_those_whom_no_client_speaks(
    client: str, body: dict[str, Any], provider: str, model: str
) -> None:
    raw = json.dumps(body).encode()
    target = Target(upstream_model=model, max_tokens=4_000)
    out = codec(client, provider).request(body, raw, dialect(client).read_facts(body, len(raw)), target)
    assert isinstance(out, bytes)
    translated = json.loads(out)
    parse_request(provider, translated)
    assert WIRES[provider].complaint(translated) is None
    assert b"x-anthropic-billing-header" not in out
    assert b"device_id" not in out
