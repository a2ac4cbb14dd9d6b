"""Compile the price table: genai-prices' data and our overlay into src/bascule/prices/table.json.

    .venv/bin/python scripts/compile_prices.py            write the table
    .venv/bin/python scripts/compile_prices.py --check    exit 1 if the committed table is not what would be written

Reads the installed `genai-prices` (pinned in the development requirements), `overlay.yaml` and `catalog.yaml`. A
shape of data that this script does not know stops it: nothing is dropped without a word.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from importlib.metadata import version
from typing import Any

import msgspec
from genai_prices import types
from genai_prices.data import providers as genai_providers
from ruamel.yaml import YAML

from bascule.model.money import PICO_PER_USD_PER_MTOK, PricePeriod, Rates, Tier, Window, rate_from_usd_per_mtok
from bascule.prices.match import Clause
from bascule.prices.sources.genai import CONTEXT_KEYS, FEE_KEYS, PICO_PER_KCOUNT_USD, TOKEN_KEYS
from bascule.prices.table import TABLE_PATH, Facts, PricedModel, ProviderPrices

PRICES = TABLE_PATH.parent
UNPRICED_KEYS = {  # no bucket of `model.usage` counts these; a model that has them says so in `unpriced`
    "audio_hours",
    "cache_audio_read_mtok",
    "cache_image_read_mtok",
    "input_annotated_document_kpages",
    "input_audio_hours",
    "input_document_kpages",
    "input_mchars",
    "input_text_messages_kcount",
    "input_video_mtok",
    "output_citation_mtok",
    "output_video_mtok",
    "storage_searches_kcount",
}

Prices = dict[str, Any]  # price key -> Decimal | TieredPrices
Conditions = list[tuple[types.StartDateConstraint | types.TimeOfDateConstraint | None, Prices]]


def main() -> int:
    """Write or check the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed table instead of writing it")
    arguments = parser.parse_args()
    table = compile_table()
    if arguments.check:
        same = TABLE_PATH.exists() and TABLE_PATH.read_bytes() == table
        sys.stdout.write(
            "the committed table is up to date\n" if same else "the committed table is stale: compile it\n"
        )
        return 0 if same else 1
    TABLE_PATH.write_bytes(table)
    sys.stdout.write(f"{TABLE_PATH}: {len(table):,} bytes\n")
    return 0


def compile_table() -> bytes:
    """The whole table as it is committed: one line per model, providers in order of their ids."""
    yaml = YAML(typ="safe")
    overlay = yaml.load(PRICES / "overlay.yaml")
    catalog = yaml.load(PRICES / "catalog.yaml")["models"]
    compiled = {p.id: _provider(p, overlay, catalog.get(p.id, {})) for p in genai_providers}
    for provider_id in overlay["models"]:
        compiled.setdefault(provider_id, ProviderPrices(models=tuple(_added(overlay, {}, provider_id))))
    providers = b",\n".join(_provider_text(key, compiled[key]) for key in sorted(compiled)).join((b"{\n", b"\n}"))
    head = {
        "source": f"genai-prices {version('genai-prices')}",
        "overlay": overlay["version"],
        "sha256": hashlib.sha256(providers).hexdigest(),
    }
    return msgspec.json.encode(head)[:-1] + b',"providers":' + providers + b"}\n"


def _provider_text(provider_id: str, prices: ProviderPrices) -> bytes:
    head = msgspec.json.encode({"fallback": prices.fallback})[:-1]
    models = b",\n".join(msgspec.json.encode(model) for model in prices.models)
    return msgspec.json.encode(provider_id) + b":" + head + b',"models":[\n' + models + b"\n]}"


def _provider(provider: types.Provider, overlay: dict[str, Any], catalog: dict[str, Any]) -> ProviderPrices:
    free = {entry["id"] for entry in overlay["free"].get(provider.id, ())}
    missing = {entry["id"]: _price_keys(entry) for entry in overlay["missing"].get(provider.id, ())}
    standard_tiers = tuple(overlay["standard_tiers"].get(provider.id, {}).get("tiers", ()))
    models = list(_added(overlay, catalog, provider.id))
    for model in provider.models:
        names, match = _names(model.match)
        models.append(
            PricedModel(
                id=model.id,
                names=names,
                match=match,
                periods=tuple(
                    _periods(
                        model,
                        free=model.id in free or model.id.endswith(":free"),
                        missing=missing.get(model.id, {}),
                    )
                ),
                facts=_facts(model, catalog.get(model.id)),
                unpriced=tuple(sorted(_keys(model) & UNPRICED_KEYS)),
                standard_tiers=standard_tiers,
            )
        )
    unknown = (free | missing.keys() | catalog.keys()) - {model.id for model in models}
    if unknown:
        raise SystemExit(f"overlay or catalog names models that {provider.id} does not have: {sorted(unknown)}")
    return ProviderPrices(models=tuple(models), fallback=tuple(provider.fallback_model_providers or ()))


def _added(overlay: dict[str, Any], catalog: dict[str, Any], provider_id: str) -> Iterator[PricedModel]:
    """Models of the overlay alone."""
    for entry in overlay["models"].get(provider_id, ()):
        yield PricedModel(
            id=entry["id"],
            names=tuple(sorted({entry["id"].lower(), *(name.lower() for name in entry.get("names", ()))})),
            periods=(PricePeriod(from_ms=0, rates=_added_rates(entry)),),
            facts=msgspec.convert(catalog.get(entry["id"], {}), Facts),
            source=entry["source"],
        )


def _added_rates(entry: dict[str, Any]) -> Rates:
    """Exact rates, fees left out: an overlay's price is refused where it is finer than can be kept."""
    fields = {field.removesuffix("_5m"): field for field in TOKEN_KEYS.values()}
    unknown = entry["prices"].keys() - fields.keys()
    if unknown:
        raise SystemExit(f"{entry['id']}: unknown price keys {sorted(unknown)}")
    return Rates(**{fields[key]: rate_from_usd_per_mtok(Decimal(text)) for key, text in entry["prices"].items()})


def _price_keys(entry: dict[str, str]) -> Prices:
    """An overlay entry's prices under genai-prices' keys."""
    return {key: Decimal(entry[field]) for key, field in TOKEN_KEYS.items() if field in entry}


def _facts(model: types.ModelInfo, documented: dict[str, Any] | None) -> Facts:
    known = {"context_window": model.context_window, "deprecated": bool(model.deprecated), **(documented or {})}
    return msgspec.convert(known, Facts)


# --- names


def _names(logic: Any) -> tuple[tuple[str, ...], Clause | None]:
    """Exact names, and what is left of the match logic once they are taken out."""
    parts = logic.or_ if isinstance(logic, types.ClauseOr) else [logic]
    names = sorted({part.equals.lower() for part in parts if isinstance(part, types.ClauseEquals)})
    rest = [_clause(part) for part in parts if not isinstance(part, types.ClauseEquals)]
    match = None if not rest else rest[0] if len(rest) == 1 else Clause(any_of=tuple(rest))
    return tuple(names), match


def _clause(logic: Any) -> Clause:
    match logic:
        case types.ClauseEquals(equals=text):
            return Clause(equals=text.lower())
        case types.ClauseStartsWith(starts_with=text):
            return Clause(starts_with=text.lower())
        case types.ClauseEndsWith(ends_with=text):
            return Clause(ends_with=text.lower())
        case types.ClauseContains(contains=text):
            return Clause(contains=text.lower())
        case types.ClauseRegex(regex=text):
            return Clause(regex=text)
        case types.ClauseOr(or_=parts):
            return Clause(any_of=tuple(_clause(part) for part in parts))
        case types.ClauseAnd(and_=parts):
            return Clause(all_of=tuple(_clause(part) for part in parts))
        case _:
            raise SystemExit(f"unknown match clause {logic!r}")


# --- periods


def _periods(model: types.ModelInfo, *, free: bool, missing: Prices | None = None) -> Iterator[PricePeriod]:
    """The model's prices from each date on which any of them changes; the first holds since ever."""
    conditions = [(constraint, (missing or {}) | prices) for constraint, prices in _conditions(model)]
    if conditions[0][0] is not None:
        raise SystemExit(f"{model.id}: the first price has a constraint; what holds before it is not known")
    previous: PricePeriod | None = None
    for start in [date.min, *_start_dates(model)]:
        base, windows = _standard(conditions, start)
        period = _period(start, base, windows, _variants(model, start), free=free)
        if previous is None or msgspec.structs.replace(period, from_ms=previous.from_ms) != previous:
            yield period
            previous = period


def _period(
    start: date,
    base: Prices,
    windows: list[tuple[types.TimeOfDateConstraint, Prices]],
    variants: dict[str, Prices],
    *,
    free: bool = False,
) -> PricePeriod:
    """One period, its daily windows and its variants; an empty price is free only where that is documented."""
    rates, tiers = _tiered(base)
    if not base and free:
        rates = Rates(input=0, output=0)
    return PricePeriod(
        from_ms=0 if start == date.min else _midnight_ms(start),
        rates=rates,
        tiers=tiers,
        windows=tuple(Window(_second(c.start_time), _second(c.end_time), *_tiered(prices)) for c, prices in windows),
        variants={
            name: _period(start, base | over, [(c, prices | over) for c, prices in windows], {})
            for name, over in sorted(variants.items())
        },
    )


def _conditions(model: types.ModelInfo) -> Conditions:
    if isinstance(model.prices, types.ModelPrice):
        return [(None, _prices(model.prices))]
    return [(conditional.constraint, _prices(conditional.prices)) for conditional in model.prices]


def _start_dates(model: types.ModelInfo) -> list[date]:
    constraints = [constraint for constraint, _ in _conditions(model)]
    constraints += [variant.constraint for variant in model.price_variants or ()]
    return sorted({c.start_date for c in constraints if isinstance(c, types.StartDateConstraint)})


def _standard(conditions: Conditions, day: date) -> tuple[Prices, list[tuple[types.TimeOfDateConstraint, Prices]]]:
    """The standard prices on a day: the last condition that holds; daily windows after it take precedence over it."""
    windows: list[tuple[types.TimeOfDateConstraint, Prices]] = []
    for constraint, prices in reversed(conditions):
        if isinstance(constraint, types.TimeOfDateConstraint):
            windows.append((constraint, prices))
        elif constraint is None or constraint.start_date <= day:
            return prices, windows
    raise SystemExit("no price holds: the first condition must be unconditional")


def _variants(model: types.ModelInfo, day: date) -> dict[str, Prices]:
    """What each service tier overrides on a day, per price key the first variant that holds."""
    found: dict[str, Prices] = {}
    contexts: dict[str, str] = {}
    for variant in model.price_variants or ():
        ((key, value),) = variant.when.items()
        name = value if key in CONTEXT_KEYS else f"{key}={value}"
        if contexts.setdefault(name, key) != key:
            raise SystemExit(f"{model.id}: {name} is the name of two kinds of variant")
        if isinstance(variant.constraint, types.TimeOfDateConstraint):
            raise SystemExit(f"{model.id}: a variant by the time of day is new; teach this script")
        if variant.constraint is None or variant.constraint.start_date <= day:
            overrides = found.setdefault(name, {})
            for price_key, price in _prices(variant.prices).items():
                overrides.setdefault(price_key, price)
    return {name: over for name, over in found.items() if over}


# --- rates


def _prices(model_price: types.ModelPrice) -> Prices:
    prices = {key: price for key, price in model_price.__dict__.items() if price is not None}
    unknown = prices.keys() - TOKEN_KEYS.keys() - FEE_KEYS.keys() - UNPRICED_KEYS
    if unknown:
        raise SystemExit(f"unknown price keys {sorted(unknown)}; give each a rate or list it as unpriced")
    return prices


def _keys(model: types.ModelInfo) -> set[str]:
    return {key for _, prices in _conditions(model) for key in prices}


def _tiered(prices: Prices) -> tuple[Rates, tuple[Tier, ...]]:
    """Rates below every tier, and the rates above each edge; a key without tiers keeps its price in all."""
    edges = sorted({tier.start for price in prices.values() for tier in _tiers(price)})
    return _rates(prices, 0), tuple(Tier(edge, _rates(prices, edge + 1)) for edge in edges)


def _tiers(price: Any) -> Iterable[types.Tier]:
    return price.tiers if isinstance(price, types.TieredPrices) else ()


def _rates(prices: Prices, input_tokens: int) -> Rates:
    rates = {
        field: _integer(_price_at(prices[key], input_tokens) * PICO_PER_USD_PER_MTOK)
        for key, field in TOKEN_KEYS.items()
        if key in prices
    }
    for key, field in FEE_KEYS.items():
        if key in prices:
            rates[field] = _integer(_price_at(prices[key], input_tokens) * PICO_PER_KCOUNT_USD)
    return Rates(**rates)


def _price_at(price: Any, input_tokens: int) -> Decimal:
    if not isinstance(price, types.TieredPrices):
        return Decimal(price)
    applicable = price.base
    for tier in price.tiers:
        if input_tokens > tier.start:
            applicable = tier.price
    return applicable


def _integer(picousd: Decimal) -> int:
    """Pico-USD as published. What is finer is a float's artefact (0.13999999999999999, 1/24) and is rounded."""
    return int(picousd.to_integral_value(ROUND_HALF_UP))


def _midnight_ms(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1000


def _second(moment: time) -> int:
    """Second of the UTC day. genai-prices takes times without a zone as UTC."""
    if moment.tzinfo is not None and moment.utcoffset() != UTC.utcoffset(None):
        raise SystemExit(f"{moment} is not UTC; teach this script")
    return moment.hour * 3600 + moment.minute * 60 + moment.second


if __name__ == "__main__":
    raise SystemExit(main())
