"""The price book: which prices and facts belong to a model at a provider.

Reading the table costs nothing until the first question, and each provider is decoded when first asked for. Answers
are remembered, up to `CACHE_LIMIT` names; so asking is cheap enough for the request path, though `link` asks ahead.
"""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bascule.model.money import PriceTimeline
from bascule.prices.local import read_local
from bascule.prices.match import matches, with_dashed_dates
from bascule.prices.names import book_name
from bascule.prices.table import TABLE_PATH, Facts, PricedModel, ProviderPrices, Table, read_provider, read_table

CACHE_LIMIT = 4_096


class BookEntry(Struct, frozen=True, kw_only=True):
    """A model as a provider sells it."""

    provider: str
    """The provider that was asked for, as the book calls it."""
    id: str
    """The model's own id in the book, whatever name it was found by."""
    timeline: PriceTimeline | None
    """None where the book knows the model but none of its prices."""
    facts: Facts
    unpriced: tuple[str, ...] = ()
    """What the provider also charges for and no usage bucket counts (genai-prices' price keys)."""


class PriceBook:
    """Look-up over the compiled table. Not shared between threads without a lock; one per process is enough."""

    def __init__(self, path: Path = TABLE_PATH, local: Path | None = None) -> None:
        """`local` is a file of prices that win over the table's (`prices update` writes it); it may be missing."""
        self._path = path
        self._local_path = local
        self._local: Table | None = None
        self._table: Table | None = None
        self._providers: dict[str, _Provider] = {}
        self._entries: dict[tuple[str, str], BookEntry | None] = {}

    @classmethod
    def of(cls, table: Table) -> "PriceBook":
        """A book over a table that has been read already."""
        made = cls()
        made._table = table
        return made

    @property
    def version(self) -> str:
        """Goes on every ledger row; equal versions mean equal prices."""
        version = self._read().version
        return version if self._local is None else f"{version} + local ({self._local.sha256[:12]})"

    @property
    def providers(self) -> tuple[str, ...]:
        """Ids of all providers in the book, sorted."""
        table, local = self._read(), self._local
        return tuple(sorted(table.providers if local is None else {*table.providers, *local.providers}))

    def priced_model(self, provider: str, model_id: str) -> PricedModel | None:
        """The model of this id that the provider itself lists, as it stands in the table; None where it has none."""
        prices = self._provider(book_name(provider))
        models = () if prices is None else prices.models
        return next((model for model in models if model.id == model_id), None)

    def lookup(self, provider: str, upstream_model: str) -> PriceTimeline | None:
        """All known prices of a model at a provider, or None: unknown, never free."""
        entry = self.entry(provider, upstream_model)
        return None if entry is None else entry.timeline

    def facts(self, provider: str, upstream_model: str) -> Facts | None:
        """What is documented of a model besides its prices; None where the book does not know it."""
        entry = self.entry(provider, upstream_model)
        return None if entry is None else entry.facts

    def entry(self, provider: str, upstream_model: str) -> BookEntry | None:
        """The model that `upstream_model` means at `provider` (a preset's name or the book's id), or None."""
        key = (provider, upstream_model)
        try:
            return self._entries[key]
        except KeyError:
            pass
        found = self._find(book_name(provider), upstream_model.lower())
        if len(self._entries) >= CACHE_LIMIT:
            self._entries.clear()
        self._entries[key] = found
        return found

    def models_of(self, provider: str) -> Iterator[BookEntry]:
        """Every model that the book lists for a provider itself, in the book's order; none for an unknown one."""
        name = book_name(provider)
        prices = self._provider(name)
        if prices is not None:
            for model in prices.models:
                yield self._entry(name, model)

    def _find(self, provider: str, model: str) -> BookEntry | None:
        prices = self._provider(provider)
        if prices is None:
            return None
        dashed = with_dashed_dates(model)
        for name in (model,) if dashed == model else (model, dashed):
            found = prices.find(name)
            if found is not None:
                return self._entry(provider, found)
            for other in prices.fallback:
                lender = self._provider(other)
                found = None if lender is None else lender.find(name)
                if found is not None:
                    return self._entry(provider, found, borrowed=True)
        return None

    def _entry(self, provider: str, model: PricedModel, *, borrowed: bool = False) -> BookEntry:
        """Service tiers and ends of service are the seller's own: of a borrowed model only standard prices hold."""
        periods, facts = model.periods, model.facts
        if borrowed:
            periods = tuple(replace(period, variants={}) for period in periods)
            facts = replace(facts, retires=None, successor=None, deprecated=False)
        priced = any(period.rates.input is not None or period.rates.output is not None for period in periods)
        timeline = PriceTimeline(
            periods=periods,
            source=model.source or self._read().source,
            standard_tiers=() if borrowed else model.standard_tiers,
            geo_premium=provider == "anthropic" and not borrowed,
        )
        return BookEntry(
            provider=provider,
            id=model.id,
            timeline=timeline if priced else None,
            facts=facts,
            unpriced=model.unpriced,
        )

    def _provider(self, name: str) -> "_Provider | None":
        if name not in self._providers:
            raw = self._read().providers.get(name)
            own = None if self._local is None else self._local.providers.get(name)
            if raw is None and own is None:
                return None  # not remembered: names come from outside
            prices = ProviderPrices(models=()) if raw is None else read_provider(raw)
            self._providers[name] = _Provider(prices if own is None else _over(prices, read_provider(own)))
        return self._providers[name]

    def _read(self) -> Table:
        if self._table is None:
            self._table = read_table(self._path)
            self._local = None if self._local_path is None else read_local(self._local_path)
        return self._table


def _over(prices: ProviderPrices, local: ProviderPrices) -> ProviderPrices:
    """Local models first, so that they win; those that they replace are not listed twice."""
    replaced = {model.id for model in local.models}
    kept = [model for model in prices.models if model.id not in replaced]
    return ProviderPrices(models=(*local.models, *kept), fallback=prices.fallback)


class _Provider:
    """One provider's models with an index of exact names. The first model in the book's order wins."""

    def __init__(self, prices: ProviderPrices) -> None:
        self.models = prices.models
        self.fallback = prices.fallback
        self._exact: dict[str, int] = {}
        for place, model in enumerate(prices.models):
            for name in model.names:
                self._exact.setdefault(name, place)
        self._patterns = [(place, model.match) for place, model in enumerate(prices.models) if model.match is not None]

    def find(self, name: str) -> PricedModel | None:
        """The first model that is meant by `name` (lower case)."""
        exact = self._exact.get(name, len(self.models))
        for place, clause in self._patterns:
            if place >= exact:
                break
            if matches(clause, name):
                return self.models[place]
        return self.models[exact] if exact < len(self.models) else None
