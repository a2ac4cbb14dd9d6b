"""Other people's price lists in the book's shape: exactly what they say, and nothing that they do not."""

import json
from typing import Any

import pytest
from genai_prices.data import providers as genai_providers

from bascule.model.money import Rates, Tier
from bascule.prices.book import PriceBook
from bascule.prices.sources.genai import as_plain, read_genai
from bascule.prices.sources.read import UnknownPriceList, installed_genai, read_source
from bascule.prices.sources.shape import PriceSource, book_of
from bascule.prices.table import TABLE_PATH, read_provider, read_table

OVERLAID = {("openai", "gpt-4o-audio-preview"), ("openai", "gpt-4o-mini-audio-preview"), ("openai", "moderation")}
"""Where `overlay.yaml` says more than genai-prices."""


def test_genai_prices_reads_to_what_the_table_was_compiled_from() -> None:
    """The compiler's rules and these are two writings of the same: no model may differ."""
    found = installed_genai()
    assert found.left_out == {}
    differ = set()
    for provider, raw in read_table().providers.items():
        compiled, read = read_provider(raw), found.providers[provider]
        assert compiled.fallback == read.fallback
        others = {model.id: model for model in read.models}
        for model in compiled.models:
            other = others[model.id]
            if (model.names, model.match, model.periods) != (other.names, other.match, other.periods):
                differ.add((provider, model.id))
    assert differ == OVERLAID


def test_genai_prices_as_published_json_says_the_same_as_the_package() -> None:
    text = json.dumps(as_plain(genai_providers), default=float).encode()
    published, installed = read_source(text, "data.json"), installed_genai()
    assert published.kind == "genai-prices"
    assert published.dated
    assert {k: v.fallback for k, v in published.providers.items()} == {
        k: v.fallback for k, v in installed.providers.items()
    }
    differ = [
        model.id
        for provider, prices in installed.providers.items()
        for model, other in zip(prices.models, published.providers[provider].models, strict=True)
        if model != other
    ]
    assert differ == []


def read(document: Any, name: str = "list.json") -> PriceSource:
    return read_source(json.dumps(document).encode(), name)


LITELLM = {
    "sample_spec": {"litellm_provider": "one of ...", "input_cost_per_token": 0.0},
    "gpt-4o": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-06, "input_cost_per_token_batches": 1.25e-06,
        "output_cost_per_token_batches": 5e-06, "max_input_tokens": 128000,
    },
    "gemini/gemini-2.5-pro": {
        "litellm_provider": "gemini", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05,
        "input_cost_per_token_above_200k_tokens": 2.5e-06, "output_cost_per_token_above_200k_tokens": 1.5e-05,
    },
    "whisper-1": {"litellm_provider": "openai", "input_cost_per_second": 0.0001},
    "acme/free-for-now": {"litellm_provider": "acme", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
    "acme/bad": {"litellm_provider": "acme", "input_cost_per_token": -1e-06, "output_cost_per_token": 1e-06},
    "acme/worse": {"litellm_provider": "acme", "input_cost_per_token": "cheap"},
    "orphan": {"input_cost_per_token": 1e-06},
}  # fmt: skip


def test_litellm_s_map() -> None:
    found = read(LITELLM)
    assert (found.kind, found.dated) == ("litellm", False)
    (gpt,) = found.providers["openai"].models
    (period,) = gpt.periods
    assert period.rates == Rates(input=2_500_000, output=10_000_000, cache_read=1_250_000)
    assert period.variants["batch"].rates == Rates(input=1_250_000, output=5_000_000, cache_read=1_250_000)
    assert gpt.facts.context_window == 128_000
    (gemini,) = found.providers["google"].models
    assert gemini.id == "gemini-2.5-pro"
    assert gemini.periods[0].tiers == (Tier(200_000, Rates(input=2_500_000, output=15_000_000)),)
    assert "acme" not in found.providers
    assert sorted(found.left_out.values()) == [1, 1, 1, 1, 1]


def test_models_dev() -> None:
    found = read({
        "anthropic": {"id": "anthropic", "models": {
            "claude-haiku-4-5": {"id": "claude-haiku-4-5", "limit": {"context": 200000}, "cost": {
                "input": 1, "output": 5, "cache_read": 0.1, "cache_write": 1.25}},
            "a-plan": {"id": "a-plan", "cost": {"input": 0, "output": 0}},
            "unpriced": {"id": "unpriced"}}},
        "xai": {"id": "xai", "models": {"grok-4": {"id": "grok-4", "cost": {
            "input": 3, "output": 15, "context_over_200k": {"input": 6, "output": 30}}}}},
    })  # fmt: skip
    assert (found.kind, found.dated) == ("models.dev", False)
    (haiku,) = found.providers["anthropic"].models
    assert haiku.periods[0].rates == Rates(
        input=1_000_000, output=5_000_000, cache_read=100_000, cache_write_5m=1_250_000
    )
    assert found.providers["x-ai"].models[0].periods[0].tiers[0].rates.output == 30_000_000
    assert sum(found.left_out.values()) == 2


def test_our_own_table_is_a_list_too_and_every_list_is_a_book() -> None:
    found = read_source(TABLE_PATH.read_bytes(), "table.json")
    assert (found.kind, found.dated) == ("bascule", True)
    book, shipped = book_of(found), PriceBook()
    for provider, name in (("anthropic", "claude-haiku-4-5"), ("azure", "gpt-4o"), ("openai", "gpt-4o-2024-08-06")):
        theirs, ours = book.lookup(provider, name), shipped.lookup(provider, name)
        assert theirs is not None
        assert ours is not None
        assert theirs.periods == ours.periods
    assert book_of(read(LITELLM)).lookup("gemini", "Gemini-2.5-Pro") is not None


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{", "not JSON"),
        (b'{"a": 1}', "no price list of a known form"),
        (b"[]", "no price list of a known form"),
        (b"3", "no price list of a known form"),
        (b'[{"id": "x", "models": [{"id": "m"}]}]', "another shape"),
        (b'{"m": {"litellm_provider": "openai", "mode": "image"}}', "no price at all"),
    ],
)
def test_what_is_no_price_list_is_refused_with_what_would_be(raw: bytes, said: str) -> None:
    with pytest.raises(UnknownPriceList, match=said):
        read_source(raw, "list.json")


def test_an_unknown_way_of_matching_leaves_the_model_out_by_name_of_the_reason() -> None:
    found = read_genai([{"id": "p", "models": [
        {"id": "m", "match": {"sounds_like": "m"}, "prices": {"input_mtok": 1}},
        {"id": "n", "match": {"equals": "N"}, "prices": {"input_mtok": 1}},
    ]}], "x")  # fmt: skip
    assert [model.names for model in found.providers["p"].models] == [("n",)]
    assert list(found.left_out) == ["a way of matching names that is not known here: sounds_like"]
