"""Usage that a stream tells more than once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.anthropic_messages.stream import EventReader
from bascule.dialects.cumulative import latest
from bascule.dialects.gemini.stream import ResponseReader
from bascule.dialects.openai_chat.stream import ChunkReader
from bascule.model.usage import NO_USAGE, Usage

FEW = st.none() | st.integers(0, 50)
USAGES = st.builds(
    Usage,
    tokens_in=FEW,
    tokens_cache_read=FEW,
    tokens_cache_write_5m=FEW,
    tokens_out=FEW,
    tokens_reasoning=FEW,
    tokens_audio_out=FEW,
    web_searches=FEW,
    source=st.just("reported"),
)


def made(usage: Usage) -> int:
    return usage.billed_output + (usage.tokens_audio_out or 0) + (usage.tokens_image_out or 0)


@given(USAGES, USAGES)
def test_neither_input_nor_output_is_less_than_was_said(earlier: Usage, later: Usage) -> None:
    stands = latest(earlier, later)
    assert stands.tier_input == max(earlier.tier_input, later.tier_input)
    assert made(stands) == max(made(earlier), made(later))
    assert (stands.web_searches or 0) == max(earlier.web_searches or 0, later.web_searches or 0)


@given(USAGES)
def test_what_says_more_stands_as_it_is(earlier: Usage) -> None:
    more = Usage(tokens_in=200, tokens_out=200, web_searches=60, source="reported")
    assert latest(earlier, more) is more
    assert latest(earlier, NO_USAGE) is earlier
    assert latest(NO_USAGE, earlier) is earlier


def test_input_that_turns_out_to_be_cached_is_not_counted_twice() -> None:
    earlier = Usage(tokens_in=100, tokens_out=1, source="reported")
    later = Usage(tokens_in=20, tokens_cache_read=80, tokens_out=5, source="reported")
    assert latest(earlier, later) is later


def test_what_was_taken_back_is_kept_and_flagged() -> None:
    earlier = Usage(tokens_in=100, tokens_out=500, source="reported")
    later = Usage(tokens_in=100, tokens_cache_read=3, tokens_out=7, source="reported", flags=("zero",))
    stands = latest(earlier, later)
    assert (stands.tokens_in, stands.tokens_cache_read, stands.tokens_out) == (100, 3, 500)
    assert stands.flags == ("shrunk",)


@pytest.mark.parametrize(
    "absurd", [Usage(tokens_out=10**9, source="reported"), Usage(tokens_in=0, source="reported", flags=("negative",))]
)
def test_a_count_that_cannot_be_one_is_not_kept(absurd: Usage) -> None:
    later = Usage(tokens_in=10, tokens_out=5, source="reported")
    assert latest(absurd, later) is later


def events(reader: Any, *said: dict[str, Any]) -> Usage:
    for event in said:
        reader.read(json.dumps(event).encode())
    usage: Usage = reader.canonical_usage()
    return usage


def test_each_dialect_that_counts_as_it_goes_keeps_the_larger() -> None:
    chunk: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": "hello"}, "finish_reason": "stop"}]}
    chat = events(
        ChunkReader(no_done=False),
        {**chunk, "usage": {"prompt_tokens": 10, "completion_tokens": 500}},
        {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 1}},
    )
    messages = events(
        EventReader(no_done=False),
        {"type": "message_start", "message": {"usage": {"input_tokens": 10, "output_tokens": 1}}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 500}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    )
    parts: dict[str, Any] = {"candidates": [{"content": {"parts": [{"text": "hello"}]}, "finishReason": "STOP"}]}
    gemini = events(
        ResponseReader(no_done=False),
        {**parts, "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 500}},
        {**parts, "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2}},
    )
    for usage in (chat, messages, gemini):
        assert (usage.tokens_in, usage.tokens_out, usage.flags) == (10, 500, ("shrunk",))


def test_usage_beside_an_error_in_a_stream_is_read() -> None:
    error = {"message": "overloaded", "type": "overloaded_error"}
    chat = events(ChunkReader(no_done=False), {"error": error, "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
    messages = events(
        EventReader(no_done=False), {"type": "error", "error": error, "usage": {"input_tokens": 10, "output_tokens": 5}}
    )
    told = {"promptTokenCount": 10, "candidatesTokenCount": 5}
    gemini = events(ResponseReader(no_done=False), {"error": {"code": 503, "message": "x"}, "usageMetadata": told})
    for usage in (chat, messages, gemini):
        assert (usage.tokens_in, usage.tokens_out) == (10, 5)
