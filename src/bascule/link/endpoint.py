"""Endpoints and models: configuration over the catalog's facts."""

from calendar import timegm
from collections.abc import Iterator
from datetime import date
from typing import Any, Protocol

from msgspec.structs import replace

from bascule.config.shape import Endpoint as EndpointConfig
from bascule.config.shape import Model as ModelConfig
from bascule.config.shape import Prices
from bascule.dialects.bedrock_converse.family import family_of
from bascule.link.price import is_free, searches_stated, timeline
from bascule.link.provider import LinkedProvider, declared
from bascule.model.catalog import BoundFacts, Endpoint, HardwareFacts, Modality, Model
from bascule.model.money import PriceTimeline
from bascule.prices.book import BookEntry
from bascule.prices.unasked import unasked

ANY_INPUT: tuple[Modality, ...] = ("text", "image", "audio", "video", "document")
"""Of a model whose modalities nobody has written down: what it cannot take, its provider will refuse."""


class Book(Protocol):
    """What linking needs of the price book."""

    @property
    def version(self) -> str: ...

    def entry(self, provider: str, upstream_model: str) -> BookEntry | None: ...

    def models_of(self, provider: str) -> Iterator[BookEntry]: ...


def book_entry(provider: LinkedProvider, upstream_model: str, book: Book) -> BookEntry | None:
    """What the book has of a model at a provider."""
    listed = provider.spec.price_provider
    return None if listed is None else book.entry(listed, upstream_model)


def bare_endpoint(provider: LinkedProvider, upstream_model: str, entry: BookEntry | None) -> Endpoint:
    """An endpoint of which the configuration says nothing but its provider."""
    facts = None if entry is None else entry.facts
    price = provider.price
    return Endpoint(
        id=f"{provider.name}/{upstream_model}",
        provider=provider.name,
        dialect=provider.spec.dialect,
        also=provider.spec.also,
        credentials=len(provider.credentials),
        upstream_model=upstream_model,
        prices=_prices(price, provider, upstream_model, entry),
        data=provider.data,
        hardware=provider.hardware,
        bounds=_bounds(price, provider, upstream_model, entry),
        context_window=facts.context_window if facts else None,
        max_output=facts.max_output if facts else None,
        reports_stream_usage=provider.spec.reports_stream_usage,
        fetching=provider.fetching,
        **_free(price, provider),
    )


def named_model(name: str, endpoints: tuple[Endpoint, ...], entry: BookEntry | None) -> Model:
    """A model that stands in no configuration, with what the catalog knows of it."""
    if entry is None:
        return Model(name=name, endpoints=endpoints, input=ANY_INPUT)
    facts = entry.facts
    return Model(
        name=name,
        endpoints=endpoints,
        context_window=facts.context_window,
        max_output=facts.max_output,
        input=facts.input or ANY_INPUT,
        retires_ms=_day_ms(facts.retires),
        successor=facts.successor,
    )


def configured_endpoint(
    config: EndpointConfig, model: ModelConfig, provider: LinkedProvider, entry: BookEntry | None
) -> Endpoint:
    """An endpoint of a configured model: its own words, then the model's, the provider's, the catalog's."""
    bare = bare_endpoint(provider, config.model, entry)
    price = config.price or model.price or provider.price
    bounds = _bounds(price, provider, config.model, entry)
    if config.tokens_per_image is not None:
        bounds = replace(bounds, tokens_per_image=config.tokens_per_image)
    if model.reasoning is False:
        bounds = replace(bounds, thinks_beside_cap=False)
    return replace(
        bare,
        prices=_prices(price, provider, config.model, entry),
        **_free(price, provider),
        data=declared(config.data, bare.data),
        hardware=HardwareFacts(
            quantization=config.quantization or provider.hardware.quantization,
            hardware=config.hardware or provider.hardware.hardware,
            licence=config.licence or provider.hardware.licence,
        ),
        bounds=bounds,
        context_window=config.context_window or model.context_window or bare.context_window,
        max_output=config.max_output or model.max_output or bare.max_output,
        speed_tokens_per_s=config.speed_tokens_per_s,
        ttft_s=config.ttft_s,
        concurrency=config.concurrency,
    )


def configured_model(name: str, config: ModelConfig, endpoints: tuple[Endpoint, ...], input_stated: bool,
                     entry: BookEntry | None) -> Model:  # fmt: skip
    """A model of the configuration. `entry` is the catalog's of its first endpoint."""
    known = named_model(name, endpoints, entry)
    quality = config.quality
    return replace(
        known,
        context_window=config.context_window or known.context_window,
        max_output=config.max_output or known.max_output,
        input=config.input if input_stated or entry is None else known.input,
        tools=config.tools,
        json_schema=config.json_schema,
        reasoning=config.reasoning,
        quality={"default": quality} if isinstance(quality, float) else quality or {},
        quality_source=config.quality_source or ("declared" if quality is not None else None),
        tier=config.tier,
        retires_ms=config.retires_ms if config.retires_ms is not None else known.retires_ms,
        successor=config.successor or known.successor,
        declared=True,
    )


def _prices(
    price: Prices | None, provider: LinkedProvider, upstream_model: str, entry: BookEntry | None
) -> PriceTimeline | None:
    if price is not None:
        spec = provider.spec
        is_claude = spec.dialect == "bedrock_converse" and family_of(upstream_model, spec.quirks) == "claude"
        return timeline(price, spec.dialect, claude_on_bedrock=is_claude)
    return None if entry is None else entry.timeline


def _free(price: Prices | None, provider: LinkedProvider) -> dict[str, Any]:
    """`free` and `fees`. Whoever states that tokens cost nothing has not said that searches and tools do not."""
    if price is None or not is_free(price):
        return {"free": False, "fees": "none"}
    if provider.bills_nothing_unsaid:
        return {"free": True, "fees": "none"}
    return {"free": True, "fees": "searches_stated" if searches_stated(price) else "unknown"}


def _bounds(price: Prices | None, provider: LinkedProvider, upstream_model: str, entry: BookEntry | None) -> BoundFacts:
    """Whoever states a price says what is paid for everything."""
    bounds = provider.spec.bounds
    found = () if price is not None or entry is None else unasked(entry, upstream_model)
    return replace(bounds, unasked=found) if found else bounds


def _day_ms(day: str | None) -> int | None:
    return None if day is None else timegm(date.fromisoformat(day).timetuple()) * 1000
