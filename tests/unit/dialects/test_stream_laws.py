"""Streams: cut anywhere they never look complete; split anywhere they are the same."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from tests.wire.loader import MINIMAL, Case, cases, run_stream
from tests.wire.sdk import parse_stream, stream_events

from bascule.dialects.base import StreamCodec
from bascule.dialects.registry import CLIENT_DIALECTS, PROVIDER_DIALECTS, codec, dialect, provider_dialect
from bascule.model.facts import Facts
from bascule.testing.bedrock_wire import framed

STREAMS = [case for case in cases() if case.upstream_stream()]
COMPLETE = [case for case in STREAMS if case.text("fault.json") is None and not case.settings.get("target")]
PAIRS = [(client, provider) for client in CLIENT_DIALECTS for provider in PROVIDER_DIALECTS]
TERMINAL = {
    "openai_chat": rb"data: \[DONE\]",
    "anthropic_messages": b"event: message_stop",
    "openai_responses": rb"event: response\.(completed|incomplete)",
    "gemini": rb'"finishReason"|"blockReason"',
    "cohere": b"event: message-end",
    "bedrock_converse": b"metadata",
}
"""Before what a stream is not complete."""


def asked(client: str) -> Facts:
    return dialect(client).read_facts({**MINIMAL[client], "stream": True}, 100)


def opened(client: str, provider: str) -> StreamCodec:
    return codec(client, provider).stream(asked(client), "m", True)


def upstream(case: Case) -> bytes:
    raw = case.upstream_stream()
    assert raw is not None
    return raw


@given(st.sampled_from(STREAMS), st.lists(st.integers(1, 300), min_size=1, max_size=30))
def test_any_split_gives_the_same_bytes_facts_and_fault(case: Case, sizes: list[int]) -> None:
    raw = upstream(case)
    whole = case.stream()
    expected = run_stream(whole, raw, len(raw), case.cost_nanousd)
    stream = case.stream()
    out, at, turn, fault = b"", 0, 0, None
    while at < len(raw) and fault is None:
        size = sizes[turn % len(sizes)]
        step = stream.feed(raw[at : at + size])
        out, at, turn, fault = out + step.forward, at + size, turn + 1, step.fault
    if fault is None:
        step = stream.end()
        out, fault = out + step.forward, step.fault
    if fault is None:
        out += stream.close(case.cost_nanousd)
    assert (out, fault) == expected
    assert stream.facts == whole.facts


@given(st.sampled_from(COMPLETE), st.data())
def test_a_stream_cut_before_its_terminal_event_never_looks_complete(case: Case, data: st.DataObject) -> None:
    raw = upstream(case)
    end = re.search(TERMINAL[case.provider], raw)
    assert end is not None
    cut = data.draw(st.integers(0, end.start()))
    stream = case.stream()
    body, fault = run_stream(stream, raw[:cut], max(cut, 1), case.cost_nanousd)
    assert fault is not None
    assert fault.error_class == "truncated"
    assert b"[DONE]" not in body
    assert b"message_stop" not in body
    assert b'"finish_reason":"' not in body or case.folder.name == "stream-two-choices"
    assert b'"stop_reason":"' not in body
    assert b"event: response.completed" not in body
    assert b"event: response.incomplete" not in body
    assert b"finishReason" not in body


@given(st.sampled_from(COMPLETE), st.data())
def test_what_was_seen_before_a_cut_is_counted(case: Case, data: st.DataObject) -> None:
    raw = upstream(case)
    cut = data.draw(st.integers(0, len(raw)))
    seen = case.stream()
    run_stream(seen, raw[:cut], max(cut, 1), None)
    whole = case.stream()
    run_stream(whole, raw, len(raw), None)
    assert seen.facts.output_bytes <= whole.facts.output_bytes
    if seen.facts.usage.source == "none":
        assert seen.facts.usage.tokens_out is None


@given(st.binary(max_size=400))
def test_no_bytes_crash_a_stream(data: bytes) -> None:
    for client, provider in PAIRS:
        stream = opened(client, provider)
        step = stream.feed(data)
        step = step if step.fault else stream.feed(b"\n\n")
        step = step if step.fault else stream.end()
        assert step.fault is not None
        assert not step.content


FIELDS = [
    *("id", "type", "index", "delta", "choices", "content", "text", "usage", "error", "finish_reason", "tool_calls"),
    *("function", "name", "arguments", "message", "content_block", "stop_reason", "input", "reasoning_content"),
    *("signature", "partial_json", "role", "prompt_tokens", "tool_plan", "tool_call_id", "billed_units", "toolUse"),
    *("reasoningContent", "reasoningText", "redactedContent", "citationsContent", "contentBlockIndex", "start"),
    *("stopReason", "toolUseId", "additionalModelResponseFields", "cacheDetails", "inputTokens", "item", "response"),
    *("output", "output_index", "summary", "encrypted_content", "status", "call_id", "incomplete_details"),
    *("input_tokens", "logprobs"),
    *("candidates", "parts", "finishReason", "usageMetadata", "promptFeedback", "blockReason", "functionCall", "args"),
    *("promptTokensDetails", "thought", "thoughtSignature", "promptTokenCount", "inlineData", "executableCode", "code"),
]
EVENTS = {
    "anthropic_messages": ["content_block_delta", "content_block_start", "message_delta"],
    "openai_responses": [
        *("response.created", "response.output_item.added", "response.output_text.delta"),
        *("response.reasoning_summary_text.delta", "response.function_call_arguments.delta"),
        *("response.output_item.done", "response.incomplete", "response.failed", "error", "response.completed"),
    ],
    "cohere": ["message-start", "content-delta", "tool-call-start", "tool-call-delta", "tool-call-end", "message-end"],
    "bedrock_converse": ["contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"],
}
WORDS = [
    "",
    "x",
    "text",
    "tool_use",
    "stop",
    "STOP",
    "message",
    "reasoning",
    "function_call",
    "custom_tool_call",
    "completed",
]


def on_the_wire(provider: str, kind: str, data: bytes) -> bytes:
    return framed("event", kind, data) if provider == "bedrock_converse" else b"data: " + data + b"\n\n"


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(st.integers(0, 9), st.lists(ODD, max_size=4))
def test_no_json_crashes_a_stream_or_an_answer(first: int, values: list[object]) -> None:
    for client, provider in PAIRS:
        stream = opened(client, provider)
        for number, value in enumerate(values):
            kinds = EVENTS.get(provider, EVENTS["anthropic_messages"])
            kind = kinds[(first + number) % len(kinds)]
            if isinstance(value, dict) and provider != "bedrock_converse":
                value = {"type": kind, **value}
            stream.feed(on_the_wire(provider, kind, json.dumps(value).encode()))
        step = stream.end()
        if step.terminal:
            stream.close(1)
        for value in [*values, *({"output": {"message": {"content": [v]}}, "message": v} for v in values)]:
            raw = json.dumps(value).encode()
            if not hasattr(provider_dialect(provider).read_reply(raw), "error_class"):
                codec(client, provider).reply(raw, asked(client), "m", 1)


def test_content_is_said_only_once_something_can_be_shown() -> None:
    body = {"model": "m", "max_tokens": 5, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    stream = codec("anthropic_messages", "openai_chat").stream(
        dialect("anthropic_messages").read_facts(body, 10), "m", True
    )
    hidden = b'data: {"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}\n\n'
    assert not stream.feed(hidden).content
    shown = b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
    assert stream.feed(shown).content
    assert stream.facts.output_bytes == 4


def test_keep_alives_before_content_cost_nothing() -> None:
    body = {"model": "m", "max_tokens": 5, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    for name, ping in (
        ("openai_chat", b": waiting\n\n"),
        ("anthropic_messages", b'event: ping\ndata: {"type":"ping"}\n\n'),
    ):
        stream = codec(name, name).stream(dialect(name).read_facts(body, 10), "m", True)
        assert all(stream.feed(ping).forward == b"" for _ in range(100))


def test_an_endless_event_is_a_fault() -> None:
    for case in COMPLETE[:1] + [case for case in COMPLETE if case.client != case.provider][:1]:
        stream = case.stream()
        step = stream.feed(b"data: " + b"x" * 1_100_000)
        assert step.fault is not None
        assert step.fault.error_class == "protocol"


def test_the_sdk_adds_up_what_was_streamed() -> None:
    case = next(case for case in COMPLETE if case.folder.name == "stream-tools-interleaved")
    body, _ = run_stream(case.stream(), upstream(case), 10_000, case.cost_nanousd)
    message = parse_stream("anthropic_messages", body)
    assert [block.type for block in message.content] == ["tool_use", "tool_use", "text"]
    assert [block.input for block in message.content[:2]] == [{"path": "/a"}, {"path": "/b"}]
    assert (message.usage.input_tokens, message.usage.output_tokens) == (10, 5)
    opened = [data["index"] for name, data in stream_events(body) if name == "content_block_start"]
    assert opened == [0, 1, 2]


GEMINI_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "STOP", "SAFETY", "AUDIO"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([f for f in FIELDS if f != "type"]), inner)
    ),
    max_leaves=6,
)
GEMINI_EVENTS = st.lists(
    st.builds(
        lambda part, reason, usage, index: {
            "candidates": [{"content": {"parts": [part]}, "finishReason": reason, "index": index}],
            "usageMetadata": usage,
        },
        st.dictionaries(
            st.sampled_from(["text", "thought", "functionCall", "thoughtSignature", "inlineData", "executableCode"]),
            GEMINI_VALUES,
        ),
        GEMINI_VALUES,
        st.dictionaries(st.sampled_from(["promptTokenCount", "candidatesTokenCount", "x"]), GEMINI_VALUES),
        GEMINI_VALUES,
    ),
    max_size=4,
)


@given(GEMINI_EVENTS)
def test_no_candidate_crashes_a_stream_or_an_answer(events: list[dict[str, object]]) -> None:
    for client in CLIENT_DIALECTS:
        stream = opened(client, "gemini")
        for event in events:
            stream.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
        if stream.end().terminal:
            stream.close(1)
        for event in events:
            raw = json.dumps(event).encode()
            if not hasattr(dialect("gemini").read_reply(raw), "error_class"):
                codec(client, "gemini").reply(raw, asked(client), "m", 1)
