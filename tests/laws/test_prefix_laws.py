"""What a conversation was rendered to stays as it grows, so that what providers have cached of it is found again.

For every pair of dialects: what was said before the last message is rendered to the same bytes in every later request,
and so are tools and system prompt. Cache marks move, and are no part of what is cached.
"""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.base import Target
from bascule.dialects.registry import CLIENT_DIALECTS, PROVIDER_DIALECTS, codec, dialect

TURNS = ("messages", "input", "contents")
"""What the list of what was said is called in the dialects that providers speak."""
HEADS = ("tools", "toolConfig", "system", "systemInstruction", "instructions", "tool_choice", "response_format")
QUIRKS = sorted(
    {"reasoning_content", "mid_system", "adaptive_thinking", "system_first_only", "no_developer_role"}
    | {"no_json_schema", "strip_unknown", "prompt_cache_key", "cache_control", "unsigned_thinking"}
)
PNG = "iVBORw0KGgo="
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
NAMES = st.sampled_from(["read", "write", "n" * 80])
INPUTS = st.dictionaries(TEXT, st.integers(-9, 9) | TEXT | st.none(), max_size=3)

Body = dict[str, Any]


@st.composite
def schemas(draw: st.DrawFn) -> Body:
    properties = draw(st.dictionaries(TEXT, st.sampled_from([{"type": "string"}, {"type": "integer", "minimum": 1}])))
    names = draw(st.permutations(["type", "properties", "description", "required"]))
    whole = {"type": "object", "properties": properties, "description": draw(TEXT), "required": list(properties)}
    return {name: whole[name] for name in names}


@st.composite
def messages_sessions(draw: st.DrawFn) -> list[Body]:
    """Requests of one session of the Messages API, each with one turn more than the one before."""
    names = ["read", "write", "n" * 80]
    head: Body = {
        "model": "m",
        "max_tokens": 100,
        "system": [{"type": "text", "text": text} for text in draw(st.lists(TEXT, min_size=1, max_size=3))],
        "tools": [{"name": name, "description": draw(TEXT), "input_schema": draw(schemas())} for name in names],
        "thinking": {"type": "adaptive"},
    }
    said: list[Body] = [{"role": "user", "content": draw(messages_spoken())}]
    requests = [{**head, "messages": list(said)}]
    for turn in range(draw(st.integers(1, 5))):
        calls = [f"toolu_{turn}_{at}" for at in range(draw(st.integers(0, 2)))]
        content = draw(messages_answer())
        content += [{"type": "tool_use", "id": call, "name": draw(NAMES), "input": draw(INPUTS)} for call in calls]
        said.append({"role": "assistant", "content": content})
        results: list[Body] = [
            {"type": "tool_result", "tool_use_id": call, "content": draw(TEXT | messages_spoken()),
             "is_error": draw(st.booleans())}
            for call in calls
        ]  # fmt: skip
        spoken = draw(messages_spoken()) if not calls or draw(st.booleans()) else []
        said.append({"role": "user", "content": results + spoken})
        if draw(st.booleans()):
            said.append({"role": "system", "content": draw(TEXT)})
        requests.append({**head, "messages": list(said)})
    return requests


@st.composite
def messages_spoken(draw: st.DrawFn) -> list[Body]:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    return draw(
        st.lists(TEXT.map(lambda text: {"type": "text", "text": text}) | st.just(image), min_size=1, max_size=3)
    )


@st.composite
def messages_answer(draw: st.DrawFn) -> list[Body]:
    thought = {"type": "thinking", "thinking": draw(TEXT), "signature": draw(st.sampled_from(["c2ln", ""]))}
    text = {"type": "text", "text": draw(TEXT)}
    return draw(st.sampled_from([[text], [thought, text]]))


@st.composite
def chat_sessions(draw: st.DrawFn) -> list[Body]:
    """The same of Chat Completions."""
    names = ["read", "write", "n" * 80]
    tools = [{"type": "function", "function": {"name": name, "parameters": draw(schemas())}} for name in names]
    head: Body = {"model": "m", "max_tokens": 100, "tools": tools}
    said: list[Body] = [{"role": "system", "content": draw(TEXT)}, {"role": "user", "content": draw(chat_spoken())}]
    requests = [{**head, "messages": list(said)}]
    for turn in range(draw(st.integers(1, 5))):
        calls = [f"call_{turn}_{at}" for at in range(draw(st.integers(0, 2)))]
        answer: Body = {"role": "assistant", "content": draw(TEXT)}
        if draw(st.booleans()):
            answer["reasoning_content"] = draw(TEXT)
        if calls:
            answer["tool_calls"] = [
                {"id": call, "type": "function",
                 "function": {"name": draw(NAMES), "arguments": draw(INPUTS.map(json.dumps) | TEXT)}}
                for call in calls
            ]  # fmt: skip
        said.append(answer)
        said += [{"role": "tool", "tool_call_id": call, "content": draw(TEXT)} for call in calls]
        if not calls or draw(st.booleans()):
            said.append({"role": "user", "content": draw(chat_spoken())})
        if draw(st.booleans()):
            said.append({"role": draw(st.sampled_from(["system", "developer"])), "content": draw(TEXT)})
        requests.append({**head, "messages": list(said)})
    return requests


@st.composite
def chat_spoken(draw: st.DrawFn) -> str | list[Body]:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    parts = st.lists(TEXT.map(lambda text: {"type": "text", "text": text}) | st.just(image), min_size=1, max_size=3)
    return draw(TEXT | parts)


SESSIONS = {"anthropic_messages": messages_sessions(), "openai_chat": chat_sessions()}
"""By the dialect of the client; that of another client is added here."""


@st.composite
def targets(draw: st.DrawFn) -> Target:
    return Target(
        upstream_model=draw(st.sampled_from(["claude-sonnet-4-5", "anthropic/claude-opus-4.8", "gpt"])),
        quirks=frozenset(draw(st.sets(st.sampled_from(QUIRKS)))),
        cache_marks=draw(st.sampled_from(["off", "auto", "always"])),
        cache_key="key",
    )


def rendered(client: str, provider: str, body: Body, target: Target) -> Body:
    raw = json.dumps(body).encode()
    out = codec(client, provider).request(body, raw, dialect(client).read_facts(body, len(raw)), target)
    assert isinstance(out, bytes)
    made: Body = unmarked(json.loads(out))
    return made


def unmarked(value: Any) -> Any:
    """Without marks; a text that had to become a part to bear one is the text again."""
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: unmarked(inner) for key, inner in value.items() if key != "cache_control"}
    match made.get("content"):
        case [{"type": "text", "text": text, **rest}] if not rest:
            made["content"] = text
    return made


def in_bytes(value: Any) -> str:
    """Order of keys included."""
    return json.dumps(value)


@pytest.mark.parametrize("provider", PROVIDER_DIALECTS)
@pytest.mark.parametrize("client", [name for name in CLIENT_DIALECTS if name in SESSIONS])
@given(data=st.data(), target=targets())
def test_what_was_rendered_stays(client: str, provider: str, data: st.DataObject, target: Target) -> None:
    session = data.draw(SESSIONS[client])
    for before, after in itertools.pairwise([rendered(client, provider, body, target) for body in session]):
        name = next(name for name in TURNS if name in before)
        stays = before[name][:-1]
        assert in_bytes(after[name][: len(stays)]) == in_bytes(stays)
        for head in HEADS:
            assert in_bytes(after.get(head)) == in_bytes(before.get(head)), head
        assert after.get("prompt_cache_key") == before.get("prompt_cache_key")


@pytest.mark.parametrize("provider", PROVIDER_DIALECTS)
@pytest.mark.parametrize("client", [name for name in CLIENT_DIALECTS if name in SESSIONS])
@given(data=st.data(), target=targets())
def test_the_same_request_is_rendered_to_the_same_bytes(
    client: str, provider: str, data: st.DataObject, target: Target
) -> None:
    body = data.draw(SESSIONS[client])[-1]
    assert in_bytes(rendered(client, provider, body, target)) == in_bytes(rendered(client, provider, body, target))
