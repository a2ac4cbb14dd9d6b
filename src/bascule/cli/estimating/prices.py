"""Prices of the models that a calculation names: those given with it, else the configuration's or the price book's."""

from collections.abc import Mapping
from fractions import Fraction

from bascule.cli.offer import Offer, find_offer
from bascule.decide.price import rates_for
from bascule.model.errors import BasculeError
from bascule.model.money import Rates
from bascule.offline.quantity import MILLION
from bascule.offline.workloads import ModelPrice


class Prices:
    """Implements `offline.workloads.PriceOf`, and remembers what it was asked for."""

    def __init__(
        self,
        given: Mapping[str, ModelPrice],
        at_ms: int,
        *,
        provider: str | None = None,
        config_path: str | None = None,
    ) -> None:
        self._given = given
        self._at_ms = at_ms
        self._provider = provider
        self._config_path = config_path
        self._offers: dict[str, Offer] = {}
        self.used: dict[str, ModelPrice] = {}
        """By name, at the price of the longest call that was asked for."""
        self.versions: set[str] = set()

    def __call__(self, model: str, tokens_in: Fraction) -> ModelPrice:
        found = self._given.get(model) or self._looked_up(model, tokens_in)
        known = self.used.get(model)
        if known is None or (found.input or 0) >= (known.input or 0):
            self.used[model] = found
        return found

    def _looked_up(self, model: str, tokens_in: Fraction) -> ModelPrice:
        offer = self._offers.get(model)
        if offer is None:
            offer = self._offers[model] = find_offer(model, self._provider, self._config_path)
        rates = None if offer.timeline is None else rates_for(offer.timeline, self._at_ms, input_tokens=int(tokens_in))
        if offer.timeline is None or rates is None:
            raise BasculeError(f"the price of {offer.model!r} at {offer.provider!r} is not known today")
        self.versions.add(offer.version)
        return price_of_rates(offer, offer.timeline.source, rates)


def price_of_rates(offer: Offer, source: str, rates: Rates) -> ModelPrice:
    """As `decide.price` bills: a cache without a price of its own costs as plain input."""
    return ModelPrice(
        model=offer.model,
        provider=offer.provider,
        source=source,
        input=_usd_per_mtok(rates.input),
        output=_usd_per_mtok(rates.output),
        cache_read=_usd_per_mtok(rates.cache_read if rates.cache_read is not None else rates.input),
        cache_write=_usd_per_mtok(rates.cache_write_5m if rates.cache_write_5m is not None else rates.input),
    )


def _usd_per_mtok(rate: int | None) -> Fraction | None:
    """Pico-USD per token to US dollars per million."""
    return None if rate is None else Fraction(rate, MILLION)
