"""On a strict budget nothing goes on whose cost the gateway does not know how to bound."""

import json
from typing import Any

import pytest

from bascule.decide.bounds import input_bound_tokens
from bascule.decide.estimate import Priced, fit_output, held_thinking_tokens, output_cap
from bascule.decide.fingerprint import cacheable
from bascule.dialects.base import Target
from bascule.dialects.registry import codec, dialect
from bascule.model.catalog import BoundFacts
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.facts import Facts
from bascule.model.money import Rates
from bascule.providers.spec import ANTHROPIC_BOUNDS, OPENAI_BOUNDS

USER = {"role": "user", "content": "hi"}


def read(name: str, body: dict[str, Any]) -> Facts:
    return dialect(name).read_facts(body, len(json.dumps(body)))


def chat(**fields: Any) -> Facts:
    return read("openai_chat", {"model": "m", "max_tokens": 5, "temperature": 0, "messages": [USER], **fields})


def messages(**fields: Any) -> Facts:
    return read("anthropic_messages", {"model": "m", "max_tokens": 5, "messages": [USER], **fields})


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"search_parameters": {"mode": "on"}}, "search_parameters"),
        ({"plugins": [{"id": "web"}]}, "plugins"),
        ({"enable_search": True}, "enable_search"),
        ({"data_sources": [{"type": "azure_search"}]}, "data_sources"),
        ({"extra_body": {"google": {"cached_content": "c"}}}, "extra_body.google.cached_content"),
        ({"extra_body": {"x": 1}}, "extra_body"),
        ({"best_of": 5}, "best_of"),
        ({"max_output_tokens": 5}, "max_output_tokens"),
        ({"audio": {"voice": "a"}}, "audio"),
        ({"modalities": ["text", "image"]}, "image"),
        ({"options": {"num_predict": 9}}, "options"),
        ({"reasoning": {"effort": "low", "mode": "pro"}}, "reasoning.mode"),
        ({"prediction": {"type": "content", "content": [{"type": "file"}]}}, "prediction"),
        ({"prediction": {"type": "other", "content": "x"}}, "prediction"),
        ({"invented_tomorrow": 1}, "invented_tomorrow"),
        ({"messages": [{"role": "assistant", "audio": {"id": "a"}}, USER]}, "messages[].audio"),
        ({"messages": [{"role": "assistant", "content": "x", "audio": {"id": "a"}}, USER]}, "messages[].audio"),
    ],
)
def test_what_may_cost_more_is_refused_by_its_name_and_never_cached(fields: dict[str, Any], name: str) -> None:
    facts = chat(**fields)
    refusal = input_bound_tokens(facts, OPENAI_BOUNDS)
    assert isinstance(refusal, Refusal)
    assert (refusal.kind, refusal.param) == ("unpriceable", name)
    assert "mode: expected" in refusal.message
    assert not cacheable(facts, {"messages": [USER]})


@pytest.mark.parametrize("fields", [{"fallbacks": ["x"]}, {"container": {}}, {"diagnostics": {}}, {"search": True}])
def test_anthropics_unlisted_fields_are_refused_too(fields: dict[str, Any]) -> None:
    refusal = input_bound_tokens(messages(**fields), ANTHROPIC_BOUNDS)
    assert isinstance(refusal, Refusal)
    assert refusal.param == next(iter(fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"enable_search": False, "search_parameters": None},
        {"seed": 1, "stop": ["x"], "logit_bias": {}, "user": "u", "metadata": {}, "store": False},
        {"reasoning_effort": "low", "reasoning": {"max_tokens": 5}, "thinking": {"type": "enabled"}},
        {"enable_thinking": True, "chat_template_kwargs": {"enable_thinking": True}, "guided_json": {}},
        {"provider": {"order": ["x"]}, "transforms": [], "usage": {"include": True}, "models": ["a"]},
        {"options": {"temperature": 0}, "keep_alive": "5m", "prompt_cache_retention": "24h"},
        {"extra_body": {"google": {"thinking_config": {"thinking_budget": 5}}}},
        {"messages": [{"role": "assistant", "content": None, "audio": None, "annotations": [], "refusal": None}, USER]},
    ],
)
def test_what_is_known_to_be_bounded_passes(fields: dict[str, Any]) -> None:
    assert chat(**fields).unbounded == ()


def test_a_predicted_answer_is_held_at_the_price_of_output() -> None:
    rates = Rates(input=0, output=1_000_000)

    def held(facts: Facts, mode: Any) -> int | None:
        cap = output_cap(facts, None, None, None)
        thinking = held_thinking_tokens(facts, BoundFacts(), mode)
        assert not isinstance(thinking, Refusal)
        priced = Priced(input_tokens=0, rates=rates, cap=cap, thinking_tokens=thinking, mode=mode)
        hold = fit_output(facts, [priced], None)
        assert not isinstance(hold, Refusal)
        return hold.amount_nanousd

    plain, text = chat(), "é" * 1_000
    for content in (text, [{"type": "text", "text": text}]):
        facts = chat(prediction={"type": "content", "content": content})
        assert facts.unbounded == ()
        assert held(facts, "strict") - held(plain, "strict") == 2_000 * 1_000
        assert held(facts, "expected") - held(plain, "expected") == 500 * 1_000
    beside = chat(thinking_budget=300)
    assert held(beside, "strict") - held(plain, "strict") == 300 * 1_000


@pytest.mark.parametrize(
    "given", [[{"image_url": "https://x/y.png"}], ["a", {"text": "b"}], [None], [1.5], [[1], ["a"]]]
)
def test_embeddings_of_anything_but_texts_and_tokens_have_no_bound(given: Any) -> None:
    assert read("openai_embeddings", {"model": "m", "input": given}).unbounded == ("input",)
    assert read("openai_embeddings", {"model": "m", "input": "a", "invented": 1}).unbounded == ("invented",)


@pytest.mark.parametrize("given", ["a", ["a", "b"], [1, 2], [[1, 2], [3]]])
def test_embeddings_of_texts_and_tokens_are_bounded(given: Any) -> None:
    body = {"model": "m", "input": given, "dimensions": 8, "encoding_format": "base64", "user": "u"}
    assert read("openai_embeddings", body).unbounded == ()


@pytest.mark.parametrize("name", ["openai_chat", "anthropic_messages"])
def test_fallbacks_are_decided_here_and_never_sent_on(name: str) -> None:
    body = {"model": "m", "max_tokens": 5, "messages": [USER], "models": ["a"], "route": "fallback", "provider": {}}
    for quirks, kept in ((frozenset({"openrouter"}), {"provider"}), (frozenset[str](), set[str]())):
        sent = codec(name, name).request(
            body, json.dumps(body).encode(), read(name, body), Target(upstream_model="m", quirks=quirks)
        )
        assert isinstance(sent, bytes)
        assert json.loads(sent).keys() & {"models", "route", "provider"} == kept


@pytest.mark.parametrize("reader", [chat, messages])
def test_a_preset_of_openrouter_is_refused(reader: Any) -> None:
    with pytest.raises(MalformedRequest) as caught:
        reader(preset="dear")
    assert caught.value.param == "preset"
    assert reader(preset=None).unbounded == ()
