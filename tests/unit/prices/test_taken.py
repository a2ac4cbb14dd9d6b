"""Another list's prices over the book's: the past stays, what is not of the new price goes."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.price import period_at
from bascule.model.money import PricePeriod, PriceTimeline, Rates, Tier
from bascule.prices.sources.taken import with_taken_prices
from bascule.prices.table import PricedModel

NOW, DAY = 1_795_262_400_000, 86_400_000
OLD = Rates(input=1_000_000, output=5_000_000, cache_read=100_000, web_search_fee=7)
TIER = (Tier(200_000, Rates(input=2_000_000, output=8_000_000)),)
BATCH = {"batch": PricePeriod(from_ms=0, rates=Rates(input=500_000, output=2_500_000))}


def model(*periods: PricePeriod) -> PricedModel:
    return PricedModel(id="m", names=("m", "alias"), periods=periods, standard_tiers=("priority",))


OWN = model(
    PricePeriod(from_ms=0, rates=Rates(input=9, output=9)),
    PricePeriod(from_ms=NOW - 30 * DAY, rates=OLD, tiers=TIER, variants=BATCH),
    PricePeriod(from_ms=NOW + 40 * DAY, rates=Rates(input=3, output=3)),
)


def flat(**rates: int) -> PricedModel:
    return model(PricePeriod(from_ms=0, rates=Rates(**rates)))


def taken(own: PricedModel, other: PricedModel, *, dated: bool = False, from_ms: int = NOW - DAY) -> PricedModel:
    return with_taken_prices(own, other, now_ms=NOW, from_ms=from_ms, dated=dated, source="a list")


def test_a_flat_list_s_price_holds_from_its_day_and_what_is_announced_stays() -> None:
    made = taken(OWN, flat(input=800_000, output=4_000_000))
    assert [period.from_ms for period in made.periods] == [0, NOW - 30 * DAY, NOW - DAY, NOW + 40 * DAY]
    fresh = made.periods[2]
    assert fresh.rates == Rates(input=800_000, output=4_000_000, cache_read=100_000, web_search_fee=7)
    assert (fresh.tiers, fresh.variants) == ((), {}), "they were not of this price"
    assert (made.names, made.standard_tiers, made.source) == (OWN.names, OWN.standard_tiers, "a list")


def test_tiers_stay_where_only_another_rate_differs() -> None:
    fresh = taken(OWN, flat(input=1_000_000, output=5_000_000, cache_read=250_000)).periods[2]
    assert (fresh.rates.cache_read, fresh.tiers, fresh.variants) == (250_000, TIER, BATCH)


def test_a_dated_list_brings_its_own_day_and_what_it_announces() -> None:
    dated = model(
        PricePeriod(from_ms=0, rates=OLD),
        PricePeriod(from_ms=NOW - 3 * DAY, rates=Rates(input=7, output=7)),
        PricePeriod(from_ms=NOW + 5 * DAY, rates=Rates(input=6, output=6)),
    )
    made = taken(OWN, dated, dated=True)
    assert [(period.from_ms, period.rates.input) for period in made.periods[2:]] == [
        (NOW - 3 * DAY, 7),
        (NOW + 5 * DAY, 6),
    ]


def test_a_dated_list_that_changed_an_old_price_without_a_date_holds_from_the_day_it_is_taken() -> None:
    made = taken(OWN, flat(input=7, output=7), dated=True)
    assert [period.from_ms for period in made.periods] == [0, NOW - 30 * DAY, NOW - DAY]


@given(st.integers(0, 60), st.integers(1, 10**9), st.integers(1, 10**9), st.integers(0, 2 * NOW))
def test_the_past_costs_what_it_cost(days_ago: int, input_: int, output: int, when: int) -> None:
    start = NOW - days_ago * DAY
    made = taken(OWN, flat(input=input_, output=output), from_ms=start)
    starts = [period.from_ms for period in made.periods]
    assert starts == sorted(set(starts))
    before, after = [period_at(PriceTimeline(periods=one.periods, source=""), when) for one in (OWN, made)]
    if when < start or when >= NOW + 40 * DAY:
        assert before == after
    else:
        assert after is not None
        assert (after.rates.input, after.rates.output) == (input_, output)
