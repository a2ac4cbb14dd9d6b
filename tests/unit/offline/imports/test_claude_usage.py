from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bascule.dialects.anthropic_messages.usage import read_usage
from bascule.offline.imports.claude_usage import usage_of

COUNT = st.none() | st.integers(-2, 2_000_000_000) | st.sampled_from(["7", 3.0, 2.5, True, [], {}])
FEW = st.integers(0, 5_000)
PARTS = st.none() | st.fixed_dictionaries(
    {}, optional={"ephemeral_5m_input_tokens": FEW | COUNT, "ephemeral_1h_input_tokens": FEW | COUNT}
)
WIRE = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": FEW | COUNT,
        "output_tokens": FEW | COUNT,
        "cache_read_input_tokens": FEW | COUNT,
        "cache_creation_input_tokens": FEW | COUNT,
        "cache_creation": PARTS | st.just("odd"),
        "server_tool_use": st.none() | st.fixed_dictionaries({}, optional={"web_search_requests": FEW | COUNT}),
        "service_tier": st.none() | st.sampled_from(["standard", "priority", 7]),
        "speed": st.none() | st.sampled_from(["standard", "fast"]),
        "inference_geo": st.none() | st.sampled_from(["us", "global", 7]),
        "output_tokens_details": st.none() | st.fixed_dictionaries({"thinking_tokens": FEW}),
        "iterations": st.none() | st.just([]) | st.just([{"type": "message", "input_tokens": 3}]),
        "unheard_of": st.just({"a": 1}),
    },
)


@given(WIRE)
def test_it_is_what_the_dialect_reads(wire: dict[str, Any]) -> None:
    if not wire:
        return
    ours, theirs = usage_of(msgspec.json.encode(wire)), read_usage(wire)
    assert structs.replace(ours, raw=None) == structs.replace(theirs, raw=None)


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"7"])
def test_no_object_is_no_usage(raw: bytes | None) -> None:
    assert usage_of(raw).source == "none"


def test_the_raw_text_is_kept_up_to_a_limit() -> None:
    assert usage_of(b'{"input_tokens": 3,"output_tokens":4, "cache_creation_input_tokens":0}').raw is not None
    long = msgspec.json.encode({"input_tokens": 3, "output_tokens": 4, "note": "x" * 5_000})
    assert usage_of(long).raw is None
