"""Wire usage to buckets, for whatever a provider may send."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.anthropic_messages.usage import merge_usage
from bascule.dialects.anthropic_messages.usage import read_usage as read_anthropic
from bascule.dialects.counts import MAX_COUNT
from bascule.dialects.openai_chat.usage import read_usage as read_openai
from bascule.model.usage import NO_USAGE, Usage

ODD = st.one_of(
    st.none(),
    st.integers(-10, 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.sampled_from(["12", "-3", "many", "", "1e3", "١٢"]),
    st.lists(st.integers(), max_size=2),
)
OPENAI_KEYS = ["prompt_tokens", "completion_tokens", "total_tokens", "prompt_cache_hit_tokens", "cached_tokens", "cost"]
DETAIL_KEYS = ["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "reasoning_tokens"]
ANTHROPIC_KEYS = [
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens_details",
    "server_tool_use",
    "service_tier",
    "speed",
]
DETAILS = ODD | st.dictionaries(st.sampled_from(DETAIL_KEYS), ODD)
BUCKETS = [field for field in Usage.__struct_fields__ if field.startswith("tokens_")]


def check_sane(usage: Usage) -> None:
    for bucket in BUCKETS:
        value = getattr(usage, bucket)
        assert value is None or 0 <= value <= MAX_COUNT


@given(
    st.dictionaries(st.sampled_from(OPENAI_KEYS), ODD),
    DETAILS,
    DETAILS,
)
def test_odd_openai_usage_never_breaks(body: dict[str, Any], prompt: Any, completion: Any) -> None:
    wire = {**body, "prompt_tokens_details": prompt, "completion_tokens_details": completion}
    check_sane(read_openai(json.dumps(wire).encode()))


@given(
    st.dictionaries(
        st.sampled_from(ANTHROPIC_KEYS),
        ODD
        | st.dictionaries(
            st.sampled_from(["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "web_search_requests"]), ODD
        ),
    )
)
def test_odd_anthropic_usage_never_breaks(wire: dict[str, Any]) -> None:
    check_sane(read_anthropic(wire))


COUNT = st.integers(0, 10**6)


@given(COUNT, COUNT, COUNT, COUNT, COUNT)
def test_openai_buckets_are_disjoint_and_add_up(
    prompt: int, completion: int, cached: int, audio: int, thought: int
) -> None:
    wire = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": audio},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    usage = read_openai(json.dumps(wire).encode())
    assert usage.billed_input + (usage.tokens_audio_in or 0) == prompt
    assert usage.billed_output == completion
    assert ("cached_exceeds_prompt" in usage.flags) == (cached > prompt)


def test_missing_is_unknown_and_zero_is_zero() -> None:
    assert read_openai(b"null") is NO_USAGE
    assert read_openai(b"{}") is NO_USAGE
    assert read_anthropic(None) is NO_USAGE
    zero = read_openai(b'{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}')
    assert (zero.tokens_in, zero.tokens_out, zero.source, zero.flags) == (0, 0, "reported", ("zero",))


def test_what_was_odd_is_flagged() -> None:
    def flags(**wire: Any) -> tuple[str, ...]:
        return read_openai(json.dumps(wire).encode()).flags

    assert flags(prompt_tokens=-5, completion_tokens=1) == ("negative",)
    assert flags(prompt_tokens="5", completion_tokens=1) == ("not_a_number",)
    assert flags(prompt_tokens=10**18, completion_tokens=1) == ("clamped",)
    assert flags(prompt_tokens=1, completion_tokens=1, prompt_tokens_details={"cached_tokens": 2}) == (
        "cached_exceeds_prompt",
    )


def test_the_providers_own_words_and_cost_are_kept() -> None:
    usage = read_openai(b'{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cost":0.0000123456789}')
    assert usage.provider_cost_nanousd == 12346
    assert usage.raw == '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cost":0.0000123456789}'


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6).map(sorted))
def test_cumulative_counts_are_taken_once(outputs: list[int]) -> None:
    merged: dict[str, Any] = {"input_tokens": 10, "output_tokens": 0}
    for output in outputs:
        merged = merge_usage(merged, {"input_tokens": None, "output_tokens": output})
    usage = read_anthropic(merged)
    assert (usage.tokens_in, usage.tokens_out) == (10, outputs[-1])


def test_a_final_zero_does_not_take_back_what_was_counted() -> None:
    merged = merge_usage({"input_tokens": 25, "output_tokens": 1}, {"input_tokens": 0, "output_tokens": 15})
    assert merged == {"input_tokens": 25, "output_tokens": 15}


def test_a_compaction_beside_the_answer_is_billed_with_it() -> None:
    totals = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 100, "inference_geo": ""}
    parts = [{"type": "compaction", "input_tokens": 1_000, "output_tokens": 50}, {"type": "message", **totals}]
    usage = read_anthropic({**totals, "iterations": parts})
    assert (usage.tokens_in, usage.tokens_out, usage.tokens_cache_read) == (1_010, 55, 100)
    assert (usage.flags, usage.inference_geo) == (("compaction",), None)
