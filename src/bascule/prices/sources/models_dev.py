"""models.dev's `api.json`: flat prices per million tokens, without dates."""

from collections.abc import Mapping
from typing import Any

from bascule.model.money import PricePeriod, Tier
from bascule.prices.names import book_name
from bascule.prices.sources.shape import USD_PER_MTOK, LeftOut, NotPriced, PriceSource, over, rates_of
from bascule.prices.table import Facts, PricedModel, ProviderPrices

BOOK_NAMES = {"amazon-bedrock": "aws", "google-vertex": "google", "google-vertex-anthropic": "google"}
FIELDS = {
    "input": "input",
    "output": "output",
    "cache_read": "cache_read",
    "cache_write": "cache_write_5m",
    "reasoning": "reasoning",
    "input_audio": "audio_in",
    "output_audio": "audio_out",
}
LONG_CONTEXT = {"context_over_200k": 200_000}


def read_models_dev(providers: Mapping[str, Any], name: str) -> PriceSource:
    """Every model with a price. A model at 0 and 0 is unknown: a subscription, or not priced."""
    left_out = LeftOut()
    found: dict[str, list[PricedModel]] = {}
    for provider_id, provider in providers.items():
        models = found.setdefault(BOOK_NAMES.get(provider_id) or book_name(provider_id), [])
        for model_id, entry in provider["models"].items():
            try:
                models.append(_model(model_id, entry))
            except NotPriced as why:
                left_out.add(str(why))
    made = {provider: ProviderPrices(models=tuple(models)) for provider, models in found.items() if models}
    return PriceSource(name=name, kind="models.dev", dated=False, providers=made, left_out=left_out.counted())


def _model(name: str, entry: Mapping[str, Any]) -> PricedModel:
    cost = entry.get("cost")
    if not isinstance(cost, Mapping):
        raise NotPriced("no price per token")
    rates = rates_of(cost, FIELDS, USD_PER_MTOK)
    if not rates.input and not rates.output:
        raise NotPriced("0 for input and output, which is not known to be free")
    limit = entry.get("limit")
    context = limit.get("context") if isinstance(limit, Mapping) else None
    tiers = []
    for key, edge in LONG_CONTEXT.items():
        long = cost.get(key)
        if isinstance(long, Mapping):
            tiers.append(Tier(edge, over(rates, rates_of(long, FIELDS, USD_PER_MTOK))))
    return PricedModel(
        id=name,
        names=(name.lower(),),
        periods=(PricePeriod(from_ms=0, rates=rates, tiers=tuple(tiers)),),
        facts=Facts(context_window=context if isinstance(context, int) else None),
    )
