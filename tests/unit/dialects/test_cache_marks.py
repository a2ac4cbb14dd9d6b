"""Cache marks that the client did not set: where they go, when, and what they leave alone."""

import json
from typing import Any

import pytest

from bascule.dialects.base import CacheMarks, Target
from bascule.dialects.cache_marks import comes_again, least_cacheable_tokens, marked
from bascule.dialects.registry import codec, dialect

MARK = {"type": "ephemeral"}
LONG = "what every request of this session begins with. " * 400
TOOL = {"name": "read", "input_schema": {"type": "object"}}
CHAT_TOOL = {"type": "function", "function": {"name": "read", "parameters": {"type": "object", "properties": {}}}}


def said(*roles: str) -> list[dict[str, Any]]:
    return [{"role": role, "content": [{"type": "text", "text": f"{role} {at}"}]} for at, role in enumerate(roles)]


def marks(value: Any, path: str = "") -> list[str]:
    """Paths of everything that bears a mark."""
    if isinstance(value, dict):
        found = [path] if "cache_control" in value else []
        return found + [one for key, inner in value.items() for one in marks(inner, f"{path}.{key}")]
    if isinstance(value, list):
        return [one for at, inner in enumerate(value) for one in marks(inner, f"{path}[{at}]")]
    return []


def sent(client: str, provider: str, body: dict[str, Any], target: Target) -> dict[str, Any]:
    raw = json.dumps(body).encode()
    out = codec(client, provider).request(body, raw, dialect(client).read_facts(body, len(raw)), target)
    assert isinstance(out, bytes)
    found: dict[str, Any] = json.loads(out)
    return found


def target(wanted: CacheMarks, model: str = "claude-sonnet-4-5", *quirks: str) -> Target:
    return Target(upstream_model=model, cache_marks=wanted, quirks=frozenset(quirks))


def chat(*turns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "system", "content": LONG}, *turns], **more}


GOING_ON = (
    {"role": "user", "content": "look"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "found"},
)


def test_an_agent_gets_four_marks_on_tools_system_and_the_last_two_user_turns() -> None:
    out = sent(
        "openai_chat", "anthropic_messages", chat(*GOING_ON, tools=[CHAT_TOOL] * 3), target("auto", "claude-sonnet-4-5")
    )
    assert marks(out) == [".messages[0].content[0]", ".messages[2].content[0]", ".tools[2]", ".system[0]"]
    assert out["tools"][2]["cache_control"] == MARK


def test_off_marks_nothing() -> None:
    assert marks(sent("openai_chat", "anthropic_messages", chat(*GOING_ON), target("off"))) == []


def test_the_clients_own_marks_are_the_only_ones() -> None:
    own = {"role": "user", "content": [{"type": "text", "text": "look", "cache_control": MARK}]}
    out = sent("openai_chat", "anthropic_messages", chat(own, *GOING_ON[1:], tools=[CHAT_TOOL]), target("auto"))
    assert marks(out) == [".messages[0].content[0]"]


def test_a_mark_inside_a_tool_result_is_a_mark() -> None:
    inner = {"type": "text", "text": "x", "cache_control": MARK}
    turn = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": [inner]}]}
    assert marked({"messages": [*said("user", "assistant"), turn]}, "always") is None


@pytest.mark.parametrize(
    ("body", "again"),
    [
        ({"messages": said("user")}, False),
        ({"messages": said("user", "assistant", "user")}, True),
        ({"messages": said("user"), "tools": [TOOL]}, True),
        ({"messages": said("user"), "tools": [TOOL], "tool_choice": {"type": "auto"}}, True),
        ({"messages": said("user"), "tools": [TOOL], "tool_choice": {"type": "tool", "name": "read"}}, False),
        ({"messages": said("user"), "tools": [TOOL], "tool_choice": {"type": "any"}}, False),
        ({"messages": said("user"), "tools": [TOOL], "tool_choice": {"type": "none"}}, False),
        ({"messages": said("user"), "tools": [TOOL], "tool_choice": "required"}, False),
        ({"messages": said("user"), "tools": [TOOL], "tool_choice": "auto"}, True),
        ({"messages": said("user"), "tools": []}, False),
    ],
)
def test_only_what_is_likely_to_come_again_is_marked(body: dict[str, Any], again: bool) -> None:
    assert comes_again(body) is again
    assert (marked(body, "auto") is not None) is again


def test_always_marks_what_a_question_asked_once_may_share_with_others() -> None:
    body = chat({"role": "user", "content": "classify"})
    assert marks(sent("openai_chat", "anthropic_messages", body, target("always"))) == [".system[0]"]
    assert marks(sent("openai_chat", "anthropic_messages", body, target("auto"))) == []


@pytest.mark.parametrize(("model", "at_least"), [("claude-opus-4-6", 4_096), ("claude-sonnet-4-5", 1_024)])
def test_what_is_certainly_too_short_has_no_marks(model: str, at_least: int) -> None:
    assert least_cacheable_tokens(model) == at_least
    short = {"model": "m", "messages": [{"role": "user", "content": "x" * at_least}, *GOING_ON[1:]]}
    assert marks(sent("openai_chat", "anthropic_messages", short, target("auto", model))) == []
    long = {"model": "m", "messages": [{"role": "user", "content": "x" * 2 * at_least}, *GOING_ON[1:]]}
    assert marks(sent("openai_chat", "anthropic_messages", long, target("auto", model)))


def test_a_tool_that_is_loaded_later_is_not_marked_and_neither_is_thinking() -> None:
    body = {
        "messages": [
            *said("user", "assistant"),
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": "b"}]},
        ],
        "tools": [TOOL, {**TOOL, "name": "late", "defer_loading": True}],
    }
    out = marked(body, "auto")
    assert marks(out) == [".messages[0].content[0]", ".messages[2].content[0]", ".tools[0]"]
    assert marks(body) == [], "the body itself stays as it is"


def test_a_standing_instruction_after_the_users_turn_takes_no_mark_away() -> None:
    messages = [*said("user", "system", "assistant", "user", "system")]
    assert marks(marked({"messages": messages}, "auto")) == [".messages[0].content[0]", ".messages[3].content[0]"]


def relayed(**more: Any) -> dict[str, Any]:
    body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": said("user", "assistant", "user")}
    return {**body, "system": LONG, "tools": [TOOL], **more}


def test_a_relayed_request_keeps_its_bytes_unless_all_are_to_be_marked() -> None:
    body = relayed()
    raw = json.dumps(body).encode()
    facts = dialect("anthropic_messages").read_facts(body, len(raw))
    relay = codec("anthropic_messages", "anthropic_messages")
    assert relay.request(body, raw, facts, target("auto")) == raw
    out = sent("anthropic_messages", "anthropic_messages", body, target("always"))
    assert marks(out) == [".messages[0].content[0]", ".messages[2].content[0]", ".system[0]", ".tools[0]"]
    assert out["system"] == [{"type": "text", "text": LONG, "cache_control": MARK}]
    assert out["messages"][1] == body["messages"][1]


@pytest.mark.parametrize("own", [{"cache_control": MARK}, {"tools": [{**TOOL, "cache_control": MARK}]}])
def test_a_relayed_request_with_marks_keeps_its_bytes(own: dict[str, Any]) -> None:
    body = relayed(**own)
    raw = json.dumps(body).encode()
    facts = dialect("anthropic_messages").read_facts(body, len(raw))
    assert codec("anthropic_messages", "anthropic_messages").request(body, raw, facts, target("always")) == raw


def test_a_count_of_tokens_has_no_marks() -> None:
    body = relayed()
    raw = json.dumps(body).encode()
    facts = dialect("anthropic_count_tokens").read_facts(body, len(raw))
    counted = codec("anthropic_count_tokens", "anthropic_count_tokens").request(body, raw, facts, target("always"))
    assert counted == raw


def test_marks_go_on_to_anthropic_through_a_seller_of_its_models() -> None:
    body = {
        "model": "m",
        "max_tokens": 9,
        "system": LONG,
        "tools": [TOOL],
        "messages": [
            *said("user"),
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "read", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "found"}]},
        ],
    }
    claude = target("auto", "anthropic/claude-sonnet-4.5", "cache_control")
    out = sent("anthropic_messages", "openai_chat", body, claude)
    assert marks(out) == [".messages[0].content[0]", ".messages[1].content[0]", ".messages[3].content[0]"]
    assert out["messages"][3]["content"] == [{"type": "text", "text": "found", "cache_control": MARK}]
    for other in (
        target("auto", "openai/gpt-5", "cache_control"),
        target("off", "anthropic/claude-sonnet-4.5", "cache_control"),
        target("auto", "anthropic/claude-sonnet-4.5"),
    ):
        assert marks(sent("anthropic_messages", "openai_chat", body, other)) == []
