"""Usage in the body of an error."""

import json
from typing import Any

import pytest

from bascule.dialects.told import usage_told
from bascule.model.usage import NO_USAGE

CHAT = {"prompt_tokens": 10, "completion_tokens": 5}
ERROR: dict[str, Any] = {"message": "it broke", "type": "server_error"}


@pytest.mark.parametrize(
    ("dialect", "usage"),
    [
        ("openai_chat", {"usage": CHAT}),
        ("openai_responses", {"usage": {"input_tokens": 10, "output_tokens": 5}}),
        ("anthropic_messages", {"usage": {"input_tokens": 10, "output_tokens": 5}}),
        ("gemini", {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5}}),
        ("cohere", {"usage": {"billed_units": {"input_tokens": 10, "output_tokens": 5}}}),
        ("bedrock_converse", {"usage": {"inputTokens": 10, "outputTokens": 5}}),
    ],
)
def test_it_is_read_beside_the_error_and_inside_it(dialect: str, usage: dict[str, Any]) -> None:
    beside, inside = {"error": ERROR, **usage}, {"error": {**ERROR, **usage}}
    for body in (beside, inside, [beside]):
        found = usage_told(dialect, json.dumps(body).encode())
        assert (found.tokens_in, found.tokens_out, found.source) == (10, 5, "reported")


@pytest.mark.parametrize(
    ("dialect", "usage"),
    [
        ("openai_embeddings", {"usage": {"prompt_tokens": 10}}),
        ("gemini_embeddings", {"usageMetadata": {"promptTokenCount": 10}}),
        ("cohere_embed", {"meta": {"billed_units": {"input_tokens": 10, "output_tokens": 0}}}),
    ],
)
def test_embeddings_have_no_output(dialect: str, usage: dict[str, Any]) -> None:
    found = usage_told(dialect, json.dumps({"error": ERROR, **usage}).encode())
    assert (found.tokens_in, found.tokens_out) == (10, 0)


@pytest.mark.parametrize(
    "raw",
    [
        *[b"", b"usage", b'{"usage":', b'{"usage": null}', b'{"usage": 5}', b'["usage"]', b'"usage"', b"[]"],
        *[
            b'{"error": "usage"}',
            b'{"usage": {}}',
            b"[" * 100_000 + b'"usage"',
            b'\xff{"usage"',
            b'{"x": {"usage": 1}}',
        ],
    ],
)
def test_where_there_is_none_nothing_is_made_up(raw: bytes) -> None:
    assert usage_told("openai_chat", raw) == NO_USAGE
    assert usage_told("anthropic_count_tokens", b'{"usage": {"input_tokens": 10}}') == NO_USAGE


def test_counts_beyond_all_range_are_read_as_such() -> None:
    found = usage_told("openai_chat", b'{"usage": {"prompt_tokens": 1' + b"0" * 40 + b', "completion_tokens": 1e999}}')
    assert found.tokens_in == 1_000_000_000
    assert found.tokens_out is None
