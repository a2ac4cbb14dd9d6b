"""Any conversation towards Cohere and Bedrock: their SDKs know the body, and the APIs' own rules hold."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.dialects.test_request_laws import chat_bodies
from tests.wire.sdk import parse_request as sdk_request

from bascule.dialects.base import Target
from bascule.dialects.registry import codec, dialect
from bascule.testing import bedrock_wire, cohere_wire

COMMANDS = st.sampled_from(["command-a-03-2025", "command-a-reasoning-08-2025"])
HOSTED = st.sampled_from(["eu.anthropic.claude-x-v1:0", "us.amazon.nova-x-v1:0", "meta.llama-x"])


def sent(body: dict[str, Any], provider: str, model: str) -> dict[str, Any]:
    raw = json.dumps(body).encode()
    facts = dialect("openai_chat").read_facts(body, len(raw))
    result = codec("openai_chat", provider).request(body, raw, facts, Target(upstream_model=model))
    assert isinstance(result, bytes), result
    sdk_request(provider, out := json.loads(result))
    return out


def by_data(body: dict[str, Any]) -> dict[str, Any]:
    """Without images by their address, which Bedrock does not read."""
    for message in body["messages"]:
        if isinstance(message["content"], list):
            parts = [p for p in message["content"] if not p.get("image_url", {}).get("url", "").startswith("http")]
            message["content"] = parts or "."
    return body


@given(chat_bodies(), COMMANDS)
def test_coheres_rules_hold(body: dict[str, Any], model: str) -> None:
    out = sent(body, "cohere", model)
    assert cohere_wire.complaint(out) is None
    waiting: list[str] = []
    for message in out["messages"]:
        assert message.get("content") or message.get("tool_calls")
        if message["role"] == "tool":
            assert message["tool_call_id"] in waiting
            waiting.remove(message["tool_call_id"])
        else:
            assert not waiting, "calls must be answered before anything else is said"
        waiting += [call["id"] for call in message.get("tool_calls", ())]
    assert any(message["role"] != "system" for message in out["messages"])


@given(chat_bodies(), HOSTED)
def test_bedrocks_rules_hold(body: dict[str, Any], model: str) -> None:
    out = sent(by_data(body), "bedrock_converse", model)
    assert bedrock_wire.complaint(out) is None
    for turn in out["messages"]:
        assert turn["content"]
        kinds = [next(iter(block)) for block in turn["content"]]
        assert "toolResult" not in kinds[kinds.count("toolResult") :]
        assert model.startswith("eu.anthropic") or "reasoningContent" not in kinds


@given(chat_bodies(), HOSTED)
def test_a_longer_conversation_keeps_its_beginning(body: dict[str, Any], model: str) -> None:
    """What caches by prefix must find the same prefix."""
    body = by_data(body)
    longer = {**body, "messages": [*body["messages"], {"role": "user", "content": "And then?"}]}
    for provider, upstream in (("bedrock_converse", model), ("cohere", "command-a-03-2025")):
        before, after = sent(body, provider, upstream), sent(longer, provider, upstream)
        assert after["messages"][: len(before["messages"]) - 1] == before["messages"][:-1]
