"""Recorded requests of real clients through every codec. See conftest.py for when there are none."""

import json
from typing import Any

import pytest
from tests.wire.recordings import FOLDER
from tests.wire.sdk import parse_request

from bascule.dialects.base import Target
from bascule.dialects.registry import PROVIDER_DIALECTS, codec, dialect
from bascule.model.errors import Refusal
from bascule.server.hot import hot_route
from bascule.testing import bedrock_wire, cohere_wire
from bascule.testing.validate import complaint

SURFACES = {
    "/v1/chat/completions": "openai_chat",
    "/v1/messages": "anthropic_messages",
    "/v1/messages/count_tokens": "anthropic_count_tokens",
    "/v1/embeddings": "openai_embeddings",
    "/v1/responses": "openai_responses",
}
WIRES: dict[str, Any] = {"cohere": cohere_wire, "bedrock_converse": bedrock_wire}
VERBS = {
    "generateContent": "gemini",
    "streamGenerateContent": "gemini",
    "countTokens": "gemini_count_tokens",
}
TOLD: dict[str, Any] = {"openai_chat": "openai", "anthropic_messages": "anthropic", "gemini": "gemini"}
"""What the scripted upstream, which knows what these refuse, calls them."""
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
    assert set(facts.unbounded) <= {"item_reference"}  # of an answer that only OpenAI has kept
    out = codec(client, client).request(body, raw, facts, TARGET)
    assert isinstance(out, bytes)
    unchanged = {"model", "max_tokens", "max_output_tokens", "stream_options"}
    if client in VERBS.values():
        assert json.loads(out).pop("generationConfig", {"maxOutputTokens": 4_000})["maxOutputTokens"] == 4_000
        unchanged = {"model", "stream", "generationConfig"}
    assert {k: v for k, v in json.loads(out).items() if k not in unchanged} == {
        k: v for k, v in body.items() if k not in unchanged
    }


def tools_of(body: dict[str, Any]) -> int:
    """Those that are the client's own: of a namespace all, of the vendor's searches none."""
    counts = [len(tool["tools"]) if tool.get("type") == "namespace" else 1 for tool in body.get("tools", ())]
    return sum(counts) - sum(tool.get("type") == "web_search" for tool in body.get("tools", ()))


def tools_sent(body: dict[str, Any]) -> int:
    """The same of a provider's body: Gemini declares functions together, Bedrock has a place of its own for tools."""
    tools = (body.get("toolConfig") or {}).get("tools") or body.get("tools", ())
    return sum([len(tool.get("functionDeclarations", [tool])) for tool in tools])


def translations() -> list[Any]:
    """Each recording of a chat, for each provider of another dialect."""
    found = []
    for given in recorded("openai_chat", "anthropic_messages", "openai_responses", "gemini"):
        client, body = given.values
        found += [
            pytest.param(client, provider, body, id=f"{given.id}-to-{provider}")
            for provider in PROVIDER_DIALECTS
            if provider != client
        ]
    return found


@pytest.mark.parametrize(("client", "provider", "body"), translations())
def test_translation(client: str, provider: str, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    out = codec(client, provider).request(body, raw, dialect(client).read_facts(body, len(raw)), TARGET)
    if '"item_reference"' in json.dumps(body):
        assert isinstance(out, Refusal)
        assert "input" in str(out.param)
        return
    assert isinstance(out, bytes)
    translated = json.loads(out)
    parse_request(provider, translated)
    if provider in TOLD:
        assert complaint(TOLD[provider], translated) is None
    assert b"x-anthropic-billing-header" not in out
    assert b"device_id" not in out
    assert tools_sent(translated) == tools_of(body)
    if client == "anthropic_messages" and provider == "openai_chat":
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
