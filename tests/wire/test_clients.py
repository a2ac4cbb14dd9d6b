"""Recorded requests of real clients through every codec. See conftest.py for when there are none."""

import json
from typing import Any

import pytest
from tests.wire.recordings import FOLDER
from tests.wire.sdk import parse_request

from bascule.dialects.base import Target
from bascule.dialects.registry import codec, dialect
from bascule.server.hot import hot_route
from bascule.testing.validate import complaint

SURFACES = {
    "/v1/chat/completions": "openai_chat",
    "/v1/messages": "anthropic_messages",
    "/v1/messages/count_tokens": "anthropic_count_tokens",
    "/v1/embeddings": "openai_embeddings",
}
VERBS = {
    "generateContent": "gemini",
    "streamGenerateContent": "gemini",
    "countTokens": "gemini_count_tokens",
}
TARGET = Target(upstream_model="upstream", max_tokens=4_000)


def recorded(*clients: str) -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        exchange = json.loads(path.read_text())
        where = exchange["path"].partition("?")[0]
        route = hot_route(where.encode())
        client = SURFACES.get(where) or VERBS.get(where.rpartition(":")[2])
        body = exchange["body"]
        if route is not None and route.model is not None:  # of the path, as `admit` puts it there
            body = {**body, "model": route.model, "stream": route.stream is True}
        if exchange["method"] == "POST" and client in clients:
            found.append(pytest.param(client, body, id=path.stem))
    return found


@pytest.mark.parametrize(("client", "body"), recorded(*SURFACES.values(), *VERBS.values()))
def test_facts_and_pass_through(client: str, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    facts = dialect(client).read_facts(body, len(raw))
    assert facts.model == body["model"]
    assert facts.text_bytes <= len(raw)
    assert facts.unbounded == ()
    out = codec(client, client).request(body, raw, facts, TARGET)
    assert isinstance(out, bytes)
    unchanged = {"model", "max_tokens", "stream_options"}
    if client in VERBS.values():
        assert json.loads(out).pop("generationConfig", {"maxOutputTokens": 4_000})["maxOutputTokens"] == 4_000
        unchanged = {"model", "stream", "generationConfig"}
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


@pytest.mark.parametrize(("client", "body"), recorded("openai_chat", "anthropic_messages"))
def test_translation_to_google(client: str, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    out = codec(client, "gemini").request(body, raw, dialect(client).read_facts(body, len(raw)), TARGET)
    assert isinstance(out, bytes)
    translated = json.loads(out)
    parse_request("gemini", translated)
    assert complaint("gemini", translated) is None
    assert b"x-anthropic-billing-header" not in out
    assert b"device_id" not in out
    functions = [function for tool in translated.get("tools", ()) for function in tool["functionDeclarations"]]
    assert len(functions) == len(body.get("tools", ()))


@pytest.mark.parametrize(("client", "body"), recorded("gemini"))
@pytest.mark.parametrize("provider", ["openai_chat", "anthropic_messages"])
def test_translation_from_google(client: str, provider: str, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    out = codec(client, provider).request(body, raw, dialect(client).read_facts(body, len(raw)), TARGET)
    assert isinstance(out, bytes)
    parse_request(provider, json.loads(out))
    told = {"openai_chat": "openai", "anthropic_messages": "anthropic"}[provider]
    assert complaint(told, json.loads(out)) is None
