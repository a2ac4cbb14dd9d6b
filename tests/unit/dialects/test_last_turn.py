"""What every dialect shows of the last turn: the same calls have the same digest, whatever their ids."""

from typing import Any

import pytest

from bascule.dialects.registry import CLIENT_DIALECTS, last_asked, last_calls, last_message
from bascule.dialects.sampling import digest


def body(dialect: str, name: str, path: str, *, number: int = 1, spoken: bool = False) -> dict[str, Any]:
    """A request that brings the result of one call; `spoken`: and then a person says something."""
    call_id = f"call_{number}"
    if dialect == "openai_chat":
        messages: list[Any] = [{"role": "user", "content": "go"}]
        called = {"name": name, "arguments": f'{{"path": "{path}"}}'}
        messages.append({"role": "assistant", "tool_calls": [{"id": call_id, "type": "function", "function": called}]})
        messages.append({"role": "tool", "tool_call_id": call_id, "content": "ok"})
        return {"messages": [*messages, *([{"role": "user", "content": "and now"}] if spoken else [])]}
    if dialect == "anthropic_messages":
        use = {"type": "tool_use", "id": call_id, "name": name, "input": {"path": path}}
        result = {"type": "tool_result", "tool_use_id": call_id, "content": "ok"}
        later = [{"role": "assistant", "content": "done"}, {"role": "user", "content": "and now"}] if spoken else []
        return {"messages": [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}, *later]}
    if dialect == "openai_responses":
        items: list[Any] = [{"role": "user", "content": "go"}]
        items.append({"type": "function_call", "call_id": call_id, "name": name, "arguments": f'{{"path": "{path}"}}'})
        items.append({"type": "function_call_output", "call_id": call_id, "output": "ok"})
        return {"input": [*items, *([{"role": "user", "content": "and now"}] if spoken else [])]}
    contents: list[Any] = [{"role": "model", "parts": [{"functionCall": {"name": name, "args": {"path": path}}}]}]
    contents.append({"role": "user", "parts": [{"functionResponse": {"name": name, "response": {"ok": number}}}]})
    return {"contents": [*contents, *([{"role": "user", "parts": [{"text": "and now"}]}] if spoken else [])]}


@pytest.mark.parametrize("dialect", CLIENT_DIALECTS)
def test_the_same_call_is_the_same_and_another_is_not(dialect: str) -> None:
    first = last_calls(dialect, body(dialect, "read", "a.py"))
    assert first is not None
    assert last_calls(dialect, body(dialect, "read", "a.py", number=2)) == first
    assert last_calls(dialect, body(dialect, "read", "b.py")) != first
    assert last_calls(dialect, body(dialect, "list", "a.py")) != first


@pytest.mark.parametrize("dialect", CLIENT_DIALECTS)
def test_where_a_person_speaks_nothing_is_brought(dialect: str) -> None:
    assert last_calls(dialect, body(dialect, "read", "a.py", spoken=True)) is None


@pytest.mark.parametrize(
    ("dialect", "plain"),
    [("openai_chat", {"messages": [{"role": "user", "content": "hi"}]}), ("openai_responses", {"input": "hi"}),
     ("openai_responses", {"previous_response_id": "r"}),
     ("openai_responses", {"input": [{"type": "function_call_output"}]}),
     ("anthropic_messages", {"messages": [{"role": "user", "content": "hi"}]}), ("gemini", {"contents": [{}]})],
)  # fmt: skip
def test_plain_requests_bring_none(dialect: str, plain: dict[str, Any]) -> None:
    assert last_calls(dialect, plain) is None


@pytest.mark.parametrize("dialect", CLIENT_DIALECTS)
def test_what_was_said_last_is_told_apart(dialect: str) -> None:
    brought, spoken = body(dialect, "read", "a.py"), body(dialect, "read", "a.py", spoken=True)
    assert last_message(dialect, brought) == last_message(dialect, brought)
    assert last_message(dialect, brought) != last_message(dialect, spoken)


def test_a_sample_is_bounded_and_tells_long_texts_apart() -> None:
    long = "x" * 1_000_000
    assert digest([long]) != digest([long + "y"])
    assert digest(["y" + long]) != digest(["z" + long])
    assert digest([{"a": [{"b": [{"c": [{"d": list(range(10_000))}]}]}]}] * 1_000)
    assert digest([{"a": 1}]) != digest([{"a": "1"}]) != digest([{"a": None}])


def turns(dialect: str, *said: str) -> dict[str, Any]:
    """What a user and a model say in turn."""
    roles = ["user" if place % 2 == 0 else "assistant" for place in range(len(said))]
    if dialect == "gemini":
        names = {"user": "user", "assistant": "model"}
        return {"contents": [{"role": names[r], "parts": [{"text": s}]} for r, s in zip(roles, said, strict=True)]}
    kinds = {"openai_responses": ("input_text", "output_text")}.get(dialect, ("text", "text"))
    listed = [
        {"role": role, "content": [{"type": kinds[role == "assistant"], "text": text}] if place else text}
        for place, (role, text) in enumerate(zip(roles, said, strict=True))
    ]
    return {"input" if dialect == "openai_responses" else "messages": listed}


@pytest.mark.parametrize("dialect", CLIENT_DIALECTS)
def test_what_was_asked_before_and_what_last(dialect: str) -> None:
    assert last_asked(dialect, turns(dialect, "one", "so", "two")) == ("one", "two")
    assert last_asked(dialect, turns(dialect, "one", "so", "two", "so", "three")) == ("two", "three")
    assert last_asked(dialect, turns(dialect, "one", "so")) is None
    assert last_asked(dialect, turns(dialect, "one")) is None
    assert last_asked(dialect, body(dialect, "read", "a.py")) is None, "a tool's result is nobody's message"
    long = last_asked(dialect, turns(dialect, "x" * 9_000, "so", "y" * 9_000))
    assert long == ("x" * 4_000, "y" * 4_000)


@pytest.mark.parametrize("dialect", CLIENT_DIALECTS)
def test_two_messages_without_an_answer_between_are_one_question(dialect: str) -> None:
    asked = turns(dialect, "one", "so", "two")
    listed = next(iter(asked.values()))
    listed.append(listed[-1])
    assert last_asked(dialect, asked) is None
