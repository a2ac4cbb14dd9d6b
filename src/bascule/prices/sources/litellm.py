"""LiteLLM's `model_prices_and_context_window.json`: flat prices per token, without dates."""

from collections.abc import Mapping
from typing import Any

from bascule.model.money import PricePeriod, Rates, Tier
from bascule.prices.names import book_name
from bascule.prices.sources.shape import USD_PER_TOKEN, LeftOut, NotPriced, PriceSource, over, rates_of
from bascule.prices.table import Facts, PricedModel, ProviderPrices

BOOK_NAMES = {
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "cohere_chat": "cohere",
    "gemini": "google",
    "text-completion-openai": "openai",
    "vertex_ai-anthropic_models": "google",
    "vertex_ai-language-models": "google",
}
"""The book's name of LiteLLM's providers where `prices.names` does not have it."""

FIELDS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_in",
    "output_cost_per_audio_token": "audio_out",
}
TIERS = {"128k": 128_000, "200k": 200_000, "256k": 256_000, "272k": 272_000}
VARIANTS = {"batches": "batch", "flex": "flex", "priority": "priority"}


def read_litellm(entries: Mapping[str, Any], name: str) -> PriceSource:
    """Every entry with a price per token. 0 for both is unknown: that also stands where nothing is known."""
    left_out = LeftOut()
    by_provider: dict[str, list[PricedModel]] = {}
    for key, entry in entries.items():
        if key == "sample_spec" or not isinstance(entry, Mapping):
            continue
        try:
            seller = entry.get("litellm_provider")
            if not isinstance(seller, str):
                raise NotPriced("no provider")
            model = _model(_own_name(key, seller), entry)
            by_provider.setdefault(_book_provider(seller), []).append(model)
        except NotPriced as why:
            left_out.add(str(why))
    found = {provider: ProviderPrices(models=tuple(models)) for provider, models in by_provider.items()}
    return PriceSource(name=name, kind="litellm", dated=False, providers=found, left_out=left_out.counted())


def _book_provider(seller: str) -> str:
    return BOOK_NAMES.get(seller) or book_name(seller)


def _own_name(key: str, seller: str) -> str:
    """`gemini/gemini-2.5-pro` of the seller `gemini` is the provider's `gemini-2.5-pro`."""
    return key.removeprefix(f"{seller}/").removeprefix("vertex_ai/")


def _model(name: str, entry: Mapping[str, Any]) -> PricedModel:
    rates = rates_of(entry, FIELDS, USD_PER_TOKEN)
    if rates.input is None and rates.output is None:
        raise NotPriced("no price per token")
    if not rates.input and not rates.output:
        raise NotPriced("0 for input and output, which is not known to be free")
    context = entry.get("max_input_tokens")
    return PricedModel(
        id=name,
        names=(name.lower(),),
        periods=(
            PricePeriod(
                from_ms=0,
                rates=rates,
                tiers=tuple(
                    [Tier(edge, over(rates, found)) for suffix, edge in TIERS.items()
                     if (found := _with_suffix(entry, f"_above_{suffix}_tokens")) is not None]
                ),
                variants={
                    ours: PricePeriod(from_ms=0, rates=over(rates, found))
                    for suffix, ours in VARIANTS.items()
                    if (found := _with_suffix(entry, f"_{suffix}")) is not None
                },
            ),
        ),
        facts=Facts(context_window=context if isinstance(context, int) else None),
    )  # fmt: skip


def _with_suffix(entry: Mapping[str, Any], suffix: str) -> Rates | None:
    """The prices under the keys with this suffix; None where there are none."""
    found = rates_of(entry, {f"{key}{suffix}": field for key, field in FIELDS.items()}, USD_PER_TOKEN)
    return found if found != Rates() else None
