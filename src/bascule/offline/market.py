"""The spread between dearest and cheapest: over a whole market, and among models adequate for the same job. Pure.

A spread over everything compares models that no one would use for the same thing. What may be compared is what the
job needs: a floor of quality, a context, kinds of input, or the models that somebody names as alternatives. As with
routing, what is not known is not adequate. Prices are pico-USD per token.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from statistics import median_low
from typing import Literal

from msgspec import Struct

from bascule.model.money import Rates
from bascule.offline.catalog import Line
from bascule.offline.dimensions import market_of
from bascule.prices.published import ListedModel

Side = Literal["input", "output", "blended"]
SIDES: tuple[Side, ...] = ("input", "output", "blended")


BATCH_ONLY = (":batch", ":flex")
"""Ends of names under which OpenRouter sells a cheaper service tier as if it were a model."""


class Offered(Struct, frozen=True, kw_only=True):
    """A model as somebody sells it. None is unknown."""

    model: str
    provider: str | None = None
    input: int
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    context: int | None = None
    max_output: int | None = None
    kinds: tuple[str, ...] | None = None
    """Kinds of input that it takes."""
    quality: float | None = None
    quality_source: str | None = None

    def price(self, side: Side, input_share: Decimal) -> Decimal | None:
        """USD per million tokens, exact."""
        if side == "input":
            return Decimal(self.input).scaleb(-6)
        if self.output is None:
            return None
        if side == "output":
            return Decimal(self.output).scaleb(-6)
        return (input_share * self.input + (1 - input_share) * self.output).scaleb(-6)

    @property
    def market(self) -> str | None:
        """`commodity`, `premium`, …, by the same rule as reports."""
        return market_of(Rates(input=self.input, output=self.output))


class Job(Struct, frozen=True, kw_only=True):
    """What a job needs. None and empty ask for nothing."""

    quality: float | None = None
    context: int | None = None
    max_output: int | None = None
    kinds: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    """Models that somebody says can do the job."""

    @property
    def asks(self) -> bool:
        return self != Job()

    def unmet(self, offer: Offered) -> str | None:
        """Why the offer is not adequate, or None where it is."""
        if self.only and offer.model not in self.only and f"{offer.provider}/{offer.model}" not in self.only:
            return "not among those named"
        if self.quality is not None:
            if offer.quality is None:
                return "quality unknown"
            if offer.quality < self.quality:
                return "quality below the floor"
        for needed, has, what in (
            (self.context, offer.context, "context"),
            (self.max_output, offer.max_output, "longest output"),
        ):
            if needed is not None:
                if has is None:
                    return f"{what} unknown"
                if has < needed:
                    return f"{what} too small"
        if self.kinds:
            if offer.kinds is None:
                return "kinds of input unknown"
            if not set(self.kinds) <= set(offer.kinds):
                return "does not take that input"
        return None


class Spread(Struct, frozen=True, kw_only=True):
    """Dearest over cheapest on one side."""

    side: Side
    dearest: Offered
    cheapest: Offered
    dearest_usd: Decimal
    cheapest_usd: Decimal

    @property
    def fold(self) -> float:
        return float(self.dearest_usd / self.cheapest_usd)


class Segment(Struct, frozen=True, kw_only=True):
    """One of the markets: its size and its blended prices, USD per million tokens."""

    market: str
    offers: int
    models: int
    cheapest: Offered
    dearest: Offered
    cheapest_usd: Decimal
    median_usd: Decimal
    dearest_usd: Decimal


def spreads(offers: Sequence[Offered], input_share: Decimal) -> tuple[Spread, ...]:
    """Input, output and blended; a side that fewer than two offers have a price for is left out."""
    found = []
    for side in SIDES:
        priced = [(usd, offer) for offer in offers if (usd := offer.price(side, input_share))]
        if len(priced) > 1:
            cheapest = min(priced, key=lambda one: one[0])
            dearest = max(priced, key=lambda one: one[0])
            found.append(
                Spread(
                    side=side,
                    dearest=dearest[1],
                    cheapest=cheapest[1],
                    dearest_usd=dearest[0],
                    cheapest_usd=cheapest[0],
                )
            )
    return tuple(found)


def adequate(offers: Iterable[Offered], job: Job) -> tuple[tuple[Offered, ...], dict[str, int]]:
    """The offers that meet the job, and how many do not, by the first reason of each."""
    fit, reasons = [], Counter[str]()
    for offer in offers:
        unmet = job.unmet(offer)
        if unmet is None:
            fit.append(offer)
        else:
            reasons[unmet] += 1
    return tuple(fit), dict(reasons.most_common())


def segments(offers: Sequence[Offered], input_share: Decimal) -> tuple[Segment, ...]:
    """The markets side by side, cheapest first. Offers without an output price belong to none."""
    by_market: dict[str, list[tuple[Decimal, Offered]]] = {}
    for offer in offers:
        usd = offer.price("blended", input_share)
        if offer.market is not None and usd is not None:
            by_market.setdefault(offer.market, []).append((usd, offer))
    made = []
    for market, priced in by_market.items():
        priced.sort(key=lambda one: one[0])
        made.append(
            Segment(
                market=market,
                offers=len(priced),
                models=len({offer.model for _, offer in priced}),
                cheapest=priced[0][1],
                dearest=priced[-1][1],
                cheapest_usd=priced[0][0],
                median_usd=median_low([usd for usd, _ in priced]),
                dearest_usd=priced[-1][0],
            )
        )
    return tuple(sorted(made, key=lambda segment: segment.median_usd))


def listed_offers(catalog: Iterable[ListedModel], benchmark: str | None) -> tuple[Offered, ...]:
    """A file's catalog; quality is the model's result in `benchmark`, on that scale."""
    return tuple(
        [
            Offered(
                model=one.model,
                input=one.input,
                output=one.output,
                cache_read=one.cache_read,
                context=one.context,
                quality=None if benchmark is None else one.scores.get(benchmark),
                quality_source=benchmark if benchmark is not None and benchmark in one.scores else None,
            )
            for one in catalog
        ]
    )


def line_offers(lines: Iterable[Line], today: str) -> tuple[tuple[Offered, ...], dict[str, int]]:
    """Catalog lines that sell text by the token today, and how many do not, by reason.

    `today` is an ISO date: a model whose retirement has come is not on sale.
    """
    found, left_out = [], Counter[str]()
    for line in lines:
        why = _not_for_sale(line, today)
        if why is not None:
            left_out[why] += 1
            continue
        rates = line.rates
        assert rates is not None
        assert rates.input is not None
        found.append(
            Offered(
                model=line.model,
                provider=line.provider,
                input=rates.input,
                output=rates.output,
                cache_read=rates.cache_read,
                cache_write=rates.cache_write_5m,
                context=line.context_window,
                max_output=line.max_output,
                kinds=line.input,
                quality=line.quality,
                quality_source=line.quality_source,
            )
        )
    return tuple(found), dict(left_out.most_common())


def _not_for_sale(line: Line, today: str) -> str | None:
    tests: tuple[tuple[str, Callable[[Rates], bool]], ...] = (
        ("no price per token", lambda rates: rates.input is None or rates.output is None),
        ("free", lambda rates: rates.input == 0 and rates.output == 0),
        (
            "no charge for input or for output (embeddings, audio, images)",
            lambda rates: not rates.input or not rates.output,
        ),
    )
    if line.rates is None:
        return "no price per token"
    if line.model.endswith(BATCH_ONLY):
        return "batch alone"
    for why, holds in tests:
        if holds(line.rates):
            return why
    return "retired" if line.retires is not None and line.retires <= today else None
