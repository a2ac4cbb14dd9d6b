"""Cohere's embeddings for OpenAI's clients, beyond the wire cases: base64, odd bodies, odd answers."""

import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.base import ReplyContext, Target
from bascule.dialects.cohere.embed import COHERE_EMBED
from bascule.dialects.registry import beside, codec, dialect
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault

CODEC = codec("openai_embeddings", "cohere_embed")
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["float", "embeddings", "meta", "billed_units", "input_tokens"]), inner)
    ),
    max_leaves=10,
)


def facts(body: dict[str, Any]) -> Any:
    return dialect("openai_embeddings").read_facts(body, 100)


def test_it_stands_beside_coheres_chat() -> None:
    assert beside("embeddings", "cohere") == "cohere_embed"
    assert beside("embeddings", "bedrock_converse") is None


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_base64_is_what_openais_sdk_unpacks(vector: list[float]) -> None:
    body = {"model": "m", "input": "a", "encoding_format": "base64"}
    raw = json.dumps({"embeddings": {"float": [vector]}}).encode()
    told = json.loads(CODEC.reply(raw, facts(body), "m", None, ReplyContext(body=body)))
    packed = base64.b64decode(told["data"][0]["embedding"])
    assert list(struct.unpack(f"<{len(vector)}f", packed)) == vector


@given(JSON)
def test_no_answer_crashes_it(value: Any) -> None:
    for raw in (json.dumps(value).encode(), json.dumps({"embeddings": value, "meta": value}).encode()):
        if not isinstance(COHERE_EMBED.read_reply(raw), Fault):
            assert json.loads(CODEC.reply(raw, facts({"model": "m", "input": "a"}), "m", 1))["object"] == "list"


@pytest.mark.parametrize(("name", "value"), [("dimensions", "many"), ("encoding_format", 5), ("input_type", "novel")])
def test_what_is_read_is_checked(name: str, value: Any) -> None:
    body = {"model": "m", "input": "a", name: value}
    refusal = CODEC.request(body, b"", facts(body), Target(upstream_model="m"))
    assert isinstance(refusal, Refusal)
    assert (refusal.kind, refusal.param) == ("malformed", name)
