"""Usage of Cohere and Bedrock in disjoint buckets, as sound providers report it and as odd ones do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.bedrock_converse.usage import read_usage as converse
from bascule.dialects.cohere.usage import read_usage as cohere
from bascule.model.usage import NO_USAGE, Usage

ODD = st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | st.text(max_size=3) | st.lists(st.none())


def buckets(usage: Usage) -> tuple[int | None, ...]:
    writes = (usage.tokens_cache_write_5m, usage.tokens_cache_write_1h)
    return (usage.tokens_in, usage.tokens_cache_read, *writes, usage.tokens_out)


def billed(tokens_in: Any, tokens_out: Any) -> dict[str, Any]:
    return {"billed_units": {"input_tokens": tokens_in, "output_tokens": tokens_out}}


@pytest.mark.parametrize(
    ("wire", "expected", "flags"),
    [
        (billed(9.0, 4.0), (9, None, None, None, 4), ()),
        (
            {**billed(9, 4), "tokens": {"input_tokens": 80, "output_tokens": 6}},
            (9, None, None, None, 4),
            (),
        ),
        ({**billed(9, 4), "cached_tokens": 7}, (2, 7, None, None, 4), ()),
        ({**billed(9, 4), "cached_tokens": 64}, (0, 9, None, None, 4), ()),
        ({"tokens": {"input_tokens": 8, "output_tokens": 3}}, (8, None, None, None, 3), ()),
        (billed(-9, "4"), (0, None, None, None, 4), ("negative", "not_a_number")),
        (billed(0, 0), (0, None, None, None, 0), ("zero",)),
    ],
)  # fmt: skip
def test_cohere(wire: dict[str, Any], expected: tuple[int | None, ...], flags: tuple[str, ...]) -> None:
    usage = cohere(wire)
    assert buckets(usage) == expected
    assert (usage.source, usage.flags) == ("reported", flags)


@pytest.mark.parametrize(
    ("wire", "expected", "flags"),
    [
        ({"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}, (9, None, None, None, 4), ()),
        (
            {"inputTokens": 9, "outputTokens": 4, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 50},
            (9, 100, 50, None, 4),
            (),
        ),
        (
            {
                "inputTokens": 9,
                "outputTokens": 4,
                "cacheWriteInputTokens": 50,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 30}, {"ttl": "5m", "inputTokens": 20}],
            },
            (9, None, 20, 30, 4),
            (),
        ),
        (
            {
                "inputTokens": 9,
                "outputTokens": 4,
                "cacheWriteInputTokens": 10,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 30}],
            },
            (9, None, 0, 30, 4),
            ("clamped",),
        ),
        ({"inputTokens": "9", "outputTokens": 10**15}, (9, None, None, None, 10**9), ("not_a_number", "clamped")),
        ({"inputTokens": 0, "outputTokens": 0}, (0, None, None, None, 0), ("zero",)),
    ],
)
def test_converse(wire: dict[str, Any], expected: tuple[int | None, ...], flags: tuple[str, ...]) -> None:
    usage = converse(wire)
    assert buckets(usage) == expected
    assert (usage.source, usage.flags) == ("reported", flags)


def test_what_is_none_is_no_usage() -> None:
    for read in (cohere, converse):
        for nothing in (None, {}, [], "x", 5):
            assert read(nothing) == NO_USAGE
    assert converse({"metrics": 1}).source == cohere({"x": 1}).source == "none"


COHERE = st.dictionaries(
    st.sampled_from(["billed_units", "tokens", "cached_tokens"]),
    ODD | st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), ODD),
)
DETAILS = st.lists(st.dictionaries(st.sampled_from(["ttl", "inputTokens"]), ODD | st.just("1h")), max_size=3)
CONVERSE = st.dictionaries(
    st.sampled_from(["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "cacheDetails"]),
    ODD | DETAILS,
)


@given(COHERE)
def test_no_usage_of_coheres_crashes_or_counts_below_zero(wire: dict[str, Any]) -> None:
    assert all(count is None or 0 <= count <= 10**9 for count in buckets(cohere(wire)))


@given(CONVERSE)
def test_no_usage_of_bedrocks_crashes_or_counts_below_zero(wire: dict[str, Any]) -> None:
    assert all(count is None or 0 <= count <= 3 * 10**9 for count in buckets(converse(wire)))
