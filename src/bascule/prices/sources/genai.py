"""genai-prices' data: the JSON that its project publishes, or the installed package's own objects.

The rules by which conditions, variants and tiers become periods are those of `scripts/compile_prices.py`; a test holds
the two together.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from msgspec.structs import replace

from bascule.model.money import PICO_PER_USD_PER_MTOK, PricePeriod, Rates, Tier, Window
from bascule.prices.match import Clause
from bascule.prices.sources.shape import LeftOut, NotPriced, PriceSource, decimal_of
from bascule.prices.table import Facts, PricedModel, ProviderPrices

TOKEN_KEYS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "audio_in",
    "output_audio_mtok": "audio_out",
    "input_image_mtok": "image_in",
    "output_image_mtok": "image_out",
}
FEE_KEYS = {"requests_kcount": "request_fee", "web_searches_kcount": "web_search_fee"}
CONTEXT_KEYS = frozenset({"processing", "service_tier", "speed"})
"""Their values are names of service tiers."""
PICO_PER_KCOUNT_USD = 1_000_000_000
"""From USD per thousand calls to pico-USD per call."""
_DAY_ONE = "0001-01-01"

Entry = Mapping[str, Any]
Conditions = list[tuple[Entry | None, Entry]]


def read_genai(providers: list[Any], name: str) -> PriceSource:
    """The list of providers as `data.json` has it, or as `installed` gives it."""
    left_out = LeftOut()
    found = {}
    for provider in providers:
        models = []
        for entry in provider.get("models", ()):
            try:
                models.append(_model(entry))
            except NotPriced as why:
                left_out.add(str(why))
        fallback = tuple(provider.get("fallback_model_providers") or ())
        found[provider["id"]] = ProviderPrices(models=tuple(models), fallback=fallback)
    return PriceSource(name=name, kind="genai-prices", dated=True, providers=found, left_out=left_out.counted())


def as_plain(value: Any) -> Any:
    """The package's objects as its JSON has them."""
    if value is None or isinstance(value, str | int | Decimal):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [as_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: as_plain(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value) or hasattr(value, "__dict__"):
        return {
            key.removesuffix("_"): as_plain(one)
            for key, one in vars(value).items()
            if one is not None and not key.startswith("_") and key not in ("extractors", "tier_mode")
        }
    raise TypeError(f"genai-prices has grown a kind of value that is not known here: {type(value).__name__}")


def _model(entry: Entry) -> PricedModel:
    names, match = _names(entry["match"])
    facts = Facts(context_window=entry.get("context_window"), deprecated=bool(entry.get("deprecated")))
    return PricedModel(id=entry["id"], names=names, match=match, periods=tuple(_periods(entry)), facts=facts)


def _names(logic: Entry) -> tuple[tuple[str, ...], Clause | None]:
    """Exact names, and what is left of the match logic once they are taken out."""
    parts = logic.get("or", [logic])
    names = sorted({part["equals"].lower() for part in parts if "equals" in part})
    rest = [_clause(part) for part in parts if "equals" not in part]
    return tuple(names), None if not rest else rest[0] if len(rest) == 1 else Clause(any_of=tuple(rest))


def _clause(logic: Entry) -> Clause:
    ((kind, value),) = logic.items()
    if kind in ("or", "and"):
        parts = tuple([_clause(part) for part in value])
        return Clause(any_of=parts) if kind == "or" else Clause(all_of=parts)
    if kind not in ("equals", "starts_with", "ends_with", "contains", "regex"):
        raise NotPriced(f"a way of matching names that is not known here: {kind}")
    return Clause(**{kind: value if kind == "regex" else value.lower()})


def _periods(entry: Entry) -> Iterator[PricePeriod]:
    """The model's prices from each date on which any of them changes; the first holds since ever."""
    conditions = _conditions(entry)
    variants = entry.get("price_variants") or ()
    previous: PricePeriod | None = None
    for start in [_DAY_ONE, *_start_dates(conditions, variants)]:
        base, windows = _standard(conditions, start)
        period = _period(start, base, windows, _variants(variants, start), free=entry["id"].endswith(":free"))
        if previous is None or replace(period, from_ms=previous.from_ms) != previous:
            yield period
            previous = period


def _conditions(entry: Entry) -> Conditions:
    prices = entry.get("prices") or {}
    if isinstance(prices, Mapping):
        return [(None, prices)]
    found = [(one.get("constraint"), one["prices"]) for one in prices]
    if not found:
        return [(None, {})]
    if found[0][0] is not None:
        raise NotPriced("a first price with a condition, so that it is not known what holds before")
    return found


def _start_dates(conditions: Conditions, variants: Any) -> list[str]:
    constraints = [constraint for constraint, _ in conditions] + [one.get("constraint") for one in variants]
    return sorted({str(one["start_date"]) for one in constraints if one and "start_date" in one})


def _standard(conditions: Conditions, day: str) -> tuple[Entry, list[tuple[Entry, Entry]]]:
    """The standard prices on a day: the last condition that holds; daily windows after it take precedence over it."""
    windows: list[tuple[Entry, Entry]] = []
    for constraint, prices in reversed(conditions):
        if constraint and "start_time" in constraint:
            windows.append((constraint, prices))
        elif not constraint or str(constraint["start_date"]) <= day:
            return prices, windows
    raise NotPriced("no price that holds")


def _variants(variants: Any, day: str) -> dict[str, Entry]:
    """What each service tier overrides on a day, per price key the first variant that holds."""
    found: dict[str, dict[str, Any]] = {}
    for variant in variants:
        ((key, value),) = variant["when"].items()
        constraint = variant.get("constraint")
        if not constraint or str(constraint["start_date"]) <= day:
            overrides = found.setdefault(value if key in CONTEXT_KEYS else f"{key}={value}", {})
            for price_key, price in variant["prices"].items():
                if price is not None:
                    overrides.setdefault(price_key, price)
    return {name: over for name, over in found.items() if over}


def _period(
    start: str, base: Entry, windows: list[tuple[Entry, Entry]], variants: dict[str, Entry], *, free: bool = False
) -> PricePeriod:
    rates, tiers = _tiered(base)
    if not any(price is not None for price in base.values()) and free:
        rates = Rates(input=0, output=0)
    return PricePeriod(
        from_ms=0 if start == _DAY_ONE else _midnight_ms(start),
        rates=rates,
        tiers=tiers,
        windows=tuple([Window(_second(c["start_time"]), _second(c["end_time"]), *_tiered(p)) for c, p in windows]),
        variants={
            name: _period(start, {**base, **over}, [(c, {**p, **over}) for c, p in windows], {})
            for name, over in sorted(variants.items())
        },
    )


def _tiered(prices: Entry) -> tuple[Rates, tuple[Tier, ...]]:
    """Rates below every tier, and the rates above each edge; a key without tiers keeps its price in all."""
    edges = sorted(
        {tier["start"] for price in prices.values() if isinstance(price, Mapping) for tier in price["tiers"]}
    )
    return _rates(prices, 0), tuple([Tier(edge, _rates(prices, edge + 1)) for edge in edges])


def _rates(prices: Entry, input_tokens: int) -> Rates:
    found = {}
    for keys, scale in ((TOKEN_KEYS, PICO_PER_USD_PER_MTOK), (FEE_KEYS, PICO_PER_KCOUNT_USD)):
        for key, field in keys.items():
            usd = decimal_of(_price_at(prices.get(key), input_tokens))
            if usd is not None:
                if usd < 0:
                    raise NotPriced("a price that is none (negative or not a number)")
                found[field] = int((usd * scale).to_integral_value(ROUND_HALF_UP))
    return Rates(**found)


def _price_at(price: Any, input_tokens: int) -> Any:
    if not isinstance(price, Mapping):
        return price
    applicable = price["base"]
    for tier in price["tiers"]:
        if input_tokens > tier["start"]:
            applicable = tier["price"]
    return applicable


def _midnight_ms(day: str) -> int:
    return int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()) * 1000


def _second(text: str) -> int:
    """Second of the UTC day. genai-prices takes times without a zone as UTC."""
    moment = time.fromisoformat(text)
    offset = moment.utcoffset()
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return (seconds - (0 if offset is None else int(offset.total_seconds()))) % 86_400
