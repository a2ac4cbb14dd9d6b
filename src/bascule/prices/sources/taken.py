"""A model of the book with another list's prices from a day on: what `prices update` writes. Pure."""

from msgspec.structs import replace

from bascule.decide.price import period_at
from bascule.model.money import PricePeriod, PriceTimeline
from bascule.prices.sources.shape import over
from bascule.prices.table import PricedModel


def with_taken_prices(
    own: PricedModel, taken: PricedModel, *, now_ms: int, from_ms: int, dated: bool, source: str
) -> PricedModel:
    """`own` with the prices of `taken` that hold at `now_ms`; the past stays as it is.

    They hold from `from_ms` on, or, from a dated list, from the day that it says where that is later than the last
    price known here. Rates that the other list does not have stay. Where its input or output price differs and it
    says nothing of tiers, daily windows or service tiers, those of the old price go: they were not of this price. Of a
    dated list announced prices are taken too, else those announced here stay.
    """
    theirs = period_at_model(taken, now_ms)
    mine = period_at_model(own, now_ms)
    if theirs is None:
        raise ValueError(f"{taken.id} has no price to take")
    start = from_ms
    if dated and theirs.from_ms and (mine is None or theirs.from_ms > mine.from_ms):
        start = theirs.from_ms
    fresh = _fresh(mine, theirs, start)
    past = [period for period in own.periods if period.from_ms < start]
    ahead = [period for period in (taken if dated else own).periods if period.from_ms > max(start, now_ms)]
    return replace(own, periods=(*past, fresh, *ahead), source=source)


def period_at_model(model: PricedModel, at_ms: int) -> PricePeriod | None:
    """The model's prices at a moment."""
    return period_at(PriceTimeline(periods=model.periods, source=""), at_ms)


def _fresh(mine: PricePeriod | None, theirs: PricePeriod, start: int) -> PricePeriod:
    if mine is None:
        return replace(theirs, from_ms=start)
    rates = over(mine.rates, theirs.rates)
    kept = rates.input == mine.rates.input and rates.output == mine.rates.output
    return PricePeriod(
        from_ms=start,
        rates=rates,
        tiers=theirs.tiers or (mine.tiers if kept else ()),
        windows=theirs.windows or (mine.windows if kept else ()),
        variants=theirs.variants or (mine.variants if kept else {}),
    )
