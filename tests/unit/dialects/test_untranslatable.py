"""Between dialects nothing that a client relies on is dropped or becomes something else: it is said, or refused."""

import json
from typing import Any

import pytest

from bascule.dialects.base import Target
from bascule.dialects.registry import codec, dialect
from bascule.model.errors import Refusal

USER = {"role": "user", "content": "hi"}
CHAT, MESSAGES = "openai_chat", "anthropic_messages"
QUIRKS = frozenset({"reasoning_effort"})
F, G = ({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in "fg")


def sent(client: str, provider: str, **fields: Any) -> dict[str, Any] | Refusal:
    body = {"model": "m", "max_tokens": 5_000, "messages": [USER], **fields}
    raw = json.dumps(body).encode()
    facts = dialect(client).read_facts(body, len(raw))
    result = codec(client, provider).request(body, raw, facts, Target(upstream_model="m", quirks=QUIRKS))
    return result if isinstance(result, Refusal) else json.loads(result)


def to_messages(**fields: Any) -> Any:
    return sent(CHAT, MESSAGES, **fields)


def to_chat(**fields: Any) -> Any:
    return sent(MESSAGES, CHAT, **fields)


def called(**fields: Any) -> list[dict[str, Any]]:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, **fields}
    return [USER, {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": "r"}]


ALLOWED = {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [F], "tool_choice": {"type": 5, "function": {"name": "f"}}}, "tool_choice.type"),
        ({"tools": [F], "tool_choice": {"type": "none", "function": {"name": "f"}}}, "tool_choice.type"),
        ({"tools": [F], "tool_choice": {"type": "function"}}, "tool_choice.function"),
        ({"tools": [F], "tool_choice": {"type": "allowed_tools"}}, "tool_choice.allowed_tools"),
        (
            {"tools": [F], "tool_choice": {"type": "allowed_tools", "allowed_tools": {**ALLOWED, "mode": "zz"}}},
            "tool_choice.allowed_tools.mode",
        ),
        ({"tools": [G], "tool_choice": {"type": "allowed_tools", "allowed_tools": ALLOWED}}, "tool_choice"),
        ({"tools": [{**F, "type": ""}]}, "tools[0].type"),
        ({"messages": called(type=5)}, "messages[1].tool_calls[0].type"),
        ({"messages": called(type="custom")}, "messages[1].tool_calls[0].type"),
        (
            {"messages": called(function={"name": "f", "arguments": {"a": 1}})},
            "messages[1].tool_calls[0].function.arguments",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "zz"}}]}]},
            "messages[0].content[0].image_url.url",
        ),
        ({"reasoning_effort": "zz"}, "reasoning_effort"),
        ({"reasoning": {"effort": "zz"}}, "reasoning.effort"),
        (
            {"messages": [{**USER, "content": [{"type": "text", "text": "a", "cache_control": {"type": 5}}]}]},
            "messages[0].content[0].cache_control.type",
        ),
    ],
)
def test_what_chat_completions_does_not_know_is_malformed(fields: dict[str, Any], param: str) -> None:
    refusal = to_messages(**fields)
    assert isinstance(refusal, Refusal), refusal
    assert (refusal.kind, refusal.param) == ("malformed", param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"messages": [{"role": "user", "content": [{"type": "video_url"}]}]}, "messages[0].content[0].type"),
        ({"audio": {"voice": "a", "format": "mp3"}}, "audio"),
        ({"web_search_options": {}}, "web_search_options"),
        (
            {
                "messages": [
                    {"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://x/y"}}]},
                    USER,
                ]
            },
            "messages[0].content",
        ),
    ],
)
def test_what_anthropic_has_no_word_for_is_refused(fields: dict[str, Any], param: str) -> None:
    refusal = to_messages(**fields)
    assert isinstance(refusal, Refusal), refusal
    assert (refusal.kind, refusal.param) == ("unsupported", param)


def test_tools_that_are_not_allowed_are_not_sent() -> None:
    body = to_messages(tools=[F, G], tool_choice={"type": "allowed_tools", "allowed_tools": ALLOWED})
    assert [tool["name"] for tool in body["tools"]] == ["f"]
    assert body["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize("choice", ["none", {"type": "none"}])
def test_no_tool_is_no_tool(choice: Any) -> None:
    assert to_messages(tools=[F], tool_choice=choice)["tool_choice"] == {"type": "none"}


def blocks(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(given)}]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        (
            {"messages": blocks({"type": "text", "text": "a"}, {"type": "zz", "text": "I"})},
            "messages[0].content[1].type",
        ),
        (
            {"messages": blocks({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "zz"}]})},
            "messages[0].content[0].content[0].type",
        ),
        ({"system": [{"type": "zz", "text": "RULE"}]}, "system[0].type"),
        ({"system": [{"type": "image", "source": {"type": "url", "url": "https://x"}}]}, "system"),
        ({"messages": blocks({"type": "document", "source": {"type": "url", "url": "https://x"}})}, "messages"),
        ({"mcp_servers": [{"type": "url", "url": "https://x", "name": "n"}]}, "mcp_servers"),
        ({"container": "c"}, "container"),
    ],
)
def test_what_chat_completions_has_no_word_for_is_refused(fields: dict[str, Any], param: str) -> None:
    refusal = to_chat(**fields)
    assert isinstance(refusal, Refusal), refusal
    assert (refusal.kind, refusal.param) == ("unsupported", param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"thinking": {"type": "zz"}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": -1}}, "thinking.budget_tokens"),
        ({"output_config": {"effort": "zz"}}, "output_config.effort"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "zz"}}, "output_config.effort"),
        (
            {"messages": blocks({"type": "text", "text": "a", "cache_control": {"type": 5}})},
            "messages[0].content[0].cache_control.type",
        ),
        (
            {"messages": blocks({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": 5}})},
            "messages[0].content[0].cache_control.ttl",
        ),
        (
            {"messages": blocks({"type": "search_result", "title": "t", "source": "s", "content": [{"type": "zz"}]})},
            "messages[0].content[0].content[0].type",
        ),
    ],
)
def test_what_messages_does_not_know_is_malformed(fields: dict[str, Any], param: str) -> None:
    refusal = to_chat(**fields)
    assert isinstance(refusal, Refusal), refusal
    assert (refusal.kind, refusal.param) == ("malformed", param)


def test_search_results_and_documents_arrive_as_text() -> None:
    found = {"type": "search_result", "title": "T", "source": "S", "content": [{"type": "text", "text": "found"}]}
    source = {"type": "text", "media_type": "text/plain", "data": "DOC"}
    document = {"type": "document", "title": "N", "context": "C", "source": source}
    assert to_chat(messages=blocks(found))["messages"][0]["content"] == "T\nS\nfound"
    assert to_chat(system=[found])["messages"][0] == {"role": "system", "content": "T\nS\nfound"}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [found, document]}
    assert to_chat(messages=blocks(result))["messages"][0]["content"] == "T\nS\nfound\nN:\nC\nDOC"


def test_unknown_blocks_pass_within_their_dialect() -> None:
    unknown = blocks({"type": "zz", "text": "I"})
    body = sent(MESSAGES, MESSAGES, messages=unknown, mcp_servers=[{"type": "url"}])
    assert isinstance(body, dict)
    assert (body["messages"], body["mcp_servers"]) == (unknown, [{"type": "url"}])
