"""The models that can be asked for, one line per model and provider, with what is known of each."""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from bascule.decide.price import period_at, rates_for
from bascule.decide.window import window_id
from bascule.link import LinkedProvider, Snapshot
from bascule.model.catalog import Endpoint, Model
from bascule.model.money import PriceTimeline, Rates
from bascule.offline.dimensions import blended_rate
from bascule.prices.book import BookEntry, PriceBook

Sort = Literal["price", "quality", "speed"]


class Line(Struct, frozen=True, kw_only=True):
    """A model at a provider. None is unknown."""

    model: str
    provider: str
    upstream_model: str
    declared: bool
    """It stands in the configuration."""
    rates: Rates | None
    rates_since_ms: int | None
    """None: since before prices were dated, or unknown."""
    has_tiers: bool
    price_source: str | None
    context_window: int | None
    max_output: int | None
    input: tuple[str, ...] | None
    tools: bool | None = None
    json_schema: bool | None = None
    reasoning: bool | None = None
    quality: float | None = None
    quality_source: str | None = None
    speed_tokens_per_s: float | None = None
    ttft_s: float | None = None
    retires: str | None = None
    successor: str | None = None
    deprecated: bool = False
    facts_source: str | None = None
    free: bool = False


def configured_lines(snapshot: Snapshot, at_ms: int, task: str | None) -> Iterator[Line]:
    """The models of the configuration, an endpoint each."""
    for model in snapshot.models.values():
        for endpoint in model.endpoints:
            yield _of_endpoint(model, endpoint, at_ms, task)


def catalog_lines(providers: Iterable[LinkedProvider], book: PriceBook, at_ms: int) -> Iterator[Line]:
    """What the price book lists for configured providers, under the providers' names in the configuration."""
    for linked in providers:
        listed = linked.spec.price_provider
        if listed is not None and not linked.spec.by_deployment:
            for entry in book.models_of(listed):
                yield of_entry(entry, linked.name, at_ms)


def book_lines(book: PriceBook, at_ms: int) -> Iterator[Line]:
    """Everything the price book lists, under its own names of providers."""
    for provider in book.providers:
        for entry in book.models_of(provider):
            yield of_entry(entry, entry.provider, at_ms)


def sorted_lines(lines: Iterable[Line], by: Sort | None) -> list[Line]:
    """`price`: cheapest blended price first; `quality`, `speed`: the best first. What is not known comes last."""
    found = list(lines)
    if by == "price":
        found.sort(key=_by_price)
    elif by == "quality":
        found.sort(key=lambda line: (line.quality is None, -(line.quality or 0)))
    elif by == "speed":
        found.sort(key=lambda line: (line.speed_tokens_per_s is None, -(line.speed_tokens_per_s or 0)))
    return found


def _by_price(line: Line) -> tuple[bool, int]:
    """Models that sell no output (embeddings) go by their input price."""
    rate = blended_rate(line.rates)
    if rate is None and line.rates is not None:
        rate = line.rates.input
    return rate is None, rate or 0


def of_entry(entry: BookEntry, provider: str, at_ms: int) -> Line:
    rates, since_ms, tiers = _now(entry.timeline, at_ms)
    facts = entry.facts
    return Line(
        model=entry.id,
        provider=provider,
        upstream_model=entry.id,
        declared=False,
        rates=rates,
        rates_since_ms=since_ms,
        has_tiers=tiers,
        price_source=None if entry.timeline is None else entry.timeline.source,
        context_window=facts.context_window,
        max_output=facts.max_output,
        input=facts.input,
        retires=facts.retires,
        successor=facts.successor,
        deprecated=facts.deprecated,
        facts_source=facts.source,
    )


def _of_endpoint(model: Model, endpoint: Endpoint, at_ms: int, task: str | None) -> Line:
    rates, since_ms, tiers = _now(endpoint.prices, at_ms)
    default = model.quality.get("default")
    quality = default if task is None else model.quality.get(task, default)
    return Line(
        model=model.name,
        provider=endpoint.provider,
        upstream_model=endpoint.upstream_model,
        declared=True,
        rates=rates,
        rates_since_ms=since_ms,
        has_tiers=tiers,
        price_source=None if endpoint.prices is None else endpoint.prices.source,
        context_window=endpoint.context_window or model.context_window,
        max_output=endpoint.max_output or model.max_output,
        input=model.input,
        tools=model.tools,
        json_schema=model.json_schema,
        reasoning=model.reasoning,
        quality=quality,
        quality_source=None if quality is None else model.quality_source,
        speed_tokens_per_s=endpoint.speed_tokens_per_s,
        ttft_s=endpoint.ttft_s,
        retires=None if model.retires_ms is None else _day(model.retires_ms),
        successor=model.successor,
        facts_source="config",
        free=endpoint.free,
    )


def _now(timeline: PriceTimeline | None, at_ms: int) -> tuple[Rates | None, int | None, bool]:
    """Standard rates of the lowest tier, since when they hold, and whether there are others beside them."""
    period = None if timeline is None else period_at(timeline, at_ms)
    if timeline is None or period is None:
        return None, None, False
    others = bool(period.tiers or period.windows or period.variants)
    return rates_for(timeline, at_ms, input_tokens=0), period.from_ms or None, others


def _day(ts_ms: int) -> str:
    return window_id("day", ts_ms)
