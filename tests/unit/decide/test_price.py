"""Pricing laws: exact, rounded once, unknown is unknown, and no request outruns its hold."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bascule.decide.price import (
    BUCKETS,
    DEARER_TIERS,
    PRICE_AHEAD_MS,
    bound_nanousd,
    ceiling_at,
    ceilings,
    dearest_rates,
    period_at,
    price,
    price_lines,
    price_with,
    rates_for,
)
from bascule.model.money import PricePeriod, PriceTimeline, Rates, Tier, Window, round_nanousd
from bascule.model.usage import NO_USAGE, Usage

DAY_MS = 86_400_000
SONNET = Rates(
    input=3_000_000, output=15_000_000, cache_read=300_000, cache_write_5m=3_750_000, cache_write_1h=6_000_000
)


def timeline(*periods: PricePeriod, standard_tiers: tuple[str, ...] = ()) -> PriceTimeline:
    return PriceTimeline(periods=periods, source="test", standard_tiers=standard_tiers)


def flat(rates: Rates) -> PriceTimeline:
    return timeline(PricePeriod(from_ms=0, rates=rates))


def used(**buckets: int) -> Usage:
    return Usage(source="reported", **{"tokens_in": 0, "tokens_out": 0, **buckets})  # type: ignore[arg-type]


def cost(usage: Usage, prices: PriceTimeline, ts_ms: int = 0) -> int | None:
    priced = price(usage, prices, ts_ms)
    return None if priced is None else priced.cost_nanousd


def test_every_class_of_token_at_its_own_rate() -> None:
    usage = used(
        tokens_in=1_000, tokens_cache_read=20_000, tokens_cache_write_5m=300, tokens_cache_write_1h=100, tokens_out=500
    )
    assert cost(usage, flat(SONNET)) == 1_000 * 3_000 + 20_000 * 300 + 300 * 3_750 + 100 * 6_000 + 500 * 15_000


def test_classes_without_a_price_of_their_own() -> None:
    plain = flat(Rates(input=2_000, output=7_000))
    for bucket in ("tokens_cache_read", "tokens_cache_write_5m", "tokens_cache_write_1h", "tokens_audio_in"):
        assert cost(used(**{bucket: 10}), plain) == 20
    for bucket in ("tokens_reasoning", "tokens_audio_out", "tokens_image_out"):
        assert cost(used(**{bucket: 10}), plain) == 70
    hourly_as_5m = flat(Rates(input=2_000, output=7_000, cache_write_5m=2_500))
    assert cost(used(tokens_cache_write_1h=10), hourly_as_5m) == 25


def test_rounded_once_half_up() -> None:
    half = flat(Rates(input=250, output=250))
    assert cost(used(tokens_in=1, tokens_out=1), half) == 1  # 0.25 + 0.25 nano-dollars; each alone would be 0
    assert cost(used(tokens_in=1), half) == 0


def test_unknown_is_never_zero() -> None:
    assert price(NO_USAGE, flat(SONNET), 0) is None
    assert cost(Usage(source="reported", tokens_out=5), flat(SONNET)) is None  # input not said
    assert cost(Usage(source="reported", tokens_in=5), flat(SONNET)) is None  # output not said
    assert cost(used(tokens_in=5), flat(Rates())) is None
    assert cost(used(tokens_out=5), flat(Rates(input=1))) is None
    assert cost(used(web_searches=1), flat(SONNET)) is None
    assert cost(used(tokens_in=5), timeline(PricePeriod(from_ms=10, rates=SONNET)), 9) is None
    assert cost(used(tokens_in=5), timeline()) is None


def test_embeddings_have_no_output_and_free_is_a_price() -> None:
    assert cost(Usage(source="reported", tokens_in=1_000), flat(Rates(input=20_000))) == 20_000
    assert cost(used(tokens_in=9, tokens_out=9), flat(Rates(input=0, output=0))) == 0
    assert cost(used(), flat(SONNET)) == 0


def test_fees_are_part_of_the_cost_and_told_apart() -> None:
    rates = Rates(input=1_000_000, output=1_000_000, request_fee=12_000_000_000, web_search_fee=10_000_000_000)
    priced = price(used(tokens_in=1_000, web_searches=2), flat(rates), 0)
    assert priced is not None
    assert priced.tool_fees_nanousd == 12_000_000 + 20_000_000
    assert priced.cost_nanousd == 1_000_000 + 32_000_000
    assert [line.bucket for line in priced.lines] == ["tokens_in", "requests", "web_searches"]


def test_a_period_holds_from_its_first_millisecond() -> None:
    old, new = PricePeriod(from_ms=0, rates=Rates(input=1)), PricePeriod(from_ms=DAY_MS, rates=Rates(input=2))
    assert period_at(timeline(old, new), DAY_MS - 1) is old
    assert period_at(timeline(old, new), DAY_MS) is new


def test_tier_by_all_input_and_for_the_whole_request() -> None:
    above = Rates(input=6_000_000, output=22_500_000, cache_read=600_000)
    long = timeline(PricePeriod(from_ms=0, rates=SONNET, tiers=(Tier(200_000, above),)))
    edge = used(tokens_in=1, tokens_cache_read=199_999, tokens_out=10)
    over = used(tokens_in=1, tokens_cache_read=199_999, tokens_audio_in=1, tokens_out=10)
    assert cost(edge, long) == 3_000 + 199_999 * 300 + 10 * 15_000
    assert cost(over, long) == 2 * 6_000 + 199_999 * 600 + 10 * 22_500


def test_windows_wrap_over_midnight_and_the_first_wins() -> None:
    night, noon = Rates(input=1), Rates(input=2)
    period = PricePeriod(
        from_ms=0,
        rates=Rates(input=9),
        windows=(Window(59_400, 1_800, night), Window(43_200, 60_000, noon)),
    )

    def rate_at(second: int) -> int | None:
        rates = rates_for(timeline(period), DAY_MS * 20_000 + second * 1000, input_tokens=0)
        return None if rates is None else rates.input

    assert [rate_at(s) for s in (1_799, 1_800, 43_199, 43_200, 59_399, 59_400, 86_399)] == [1, 9, 9, 2, 2, 1, 1]


def test_service_tiers() -> None:
    batch = PricePeriod(from_ms=0, rates=Rates(input=5, output=5))
    period = PricePeriod(from_ms=0, rates=Rates(input=10, output=10), variants={"batch": batch})

    def rates(tier: str | None, **timeline_facts: tuple[str, ...]) -> Rates | None:
        return rates_for(timeline(period, **timeline_facts), 0, input_tokens=1, service_tier=tier)

    assert rates("batch") == batch.rates
    assert rates(None) == rates("default") == rates("on_demand") == rates("flex") == period.rates
    assert [rates(tier) for tier in sorted(DEARER_TIERS)] == [None] * len(DEARER_TIERS)
    assert rates("priority", standard_tiers=("priority",)) == period.rates


rate = st.integers(0, 10**9)
maybe_rate = st.none() | rate
rates = st.builds(
    Rates,
    input=rate,
    output=rate,
    **dict.fromkeys(("cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "image_out"), maybe_rate),
    request_fee=maybe_rate,
    web_search_fee=rate,
)
tiers = st.lists(st.builds(Tier, st.integers(0, 400_000), rates), max_size=2).map(
    lambda found: tuple(sorted(found, key=lambda tier: tier.above_input_tokens))
)
second = st.integers(0, 86_399)
windows = st.lists(st.builds(Window, second, second, rates, tiers), max_size=2).map(tuple)
variant = st.builds(PricePeriod, from_ms=st.just(0), rates=rates, tiers=tiers, windows=windows)
periods = st.builds(
    PricePeriod,
    from_ms=st.just(0),
    rates=rates,
    tiers=tiers,
    windows=windows,
    variants=st.dictionaries(st.sampled_from(["batch", "priority"]), variant),
)
count = st.integers(0, 300_000)
usages = st.builds(
    Usage,
    **dict.fromkeys(set(BUCKETS) - {"tokens_audio_in", "tokens_image_in"}, count),
    web_searches=st.integers(0, 5),
    service_tier=st.none() | st.sampled_from(["batch", "standard", "priority"]),
    source=st.just("reported"),
)


@given(periods, usages, st.integers(0, 2 * DAY_MS))
def test_lines_sum_to_the_cost_and_a_row_recomputes_itself(period: PricePeriod, usage: Usage, ts_ms: int) -> None:
    priced = price(usage, timeline(period), ts_ms)
    if priced is None:
        assert usage.service_tier == "priority"
        assert "priority" not in period.variants
        return
    assert priced.cost_nanousd == round_nanousd(sum(line.picousd for line in price_lines(usage, priced.rates)))
    assert priced.cost_nanousd == price_with(usage, priced.rates)


@given(periods, usages, st.integers(0, 2 * DAY_MS), st.integers(0, 100_000))
def test_no_request_within_its_bounds_costs_more_than_its_hold(
    period: PricePeriod, usage: Usage, ts_ms: int, slack: int
) -> None:
    prices = timeline(period)
    input_bound = usage.tier_input + slack
    output_bound = sum(getattr(usage, b) for b in ("tokens_out", "tokens_reasoning", "tokens_audio_out")) + (
        usage.tokens_image_out or 0
    )
    rates = dearest_rates(prices, ts_ms, input_bound)
    assert rates is not None
    hold = bound_nanousd(
        rates, input_tokens=input_bound, output_tokens=output_bound, web_searches=usage.web_searches or 0
    )
    priced = price(usage, prices, ts_ms)
    assert hold is not None
    assert priced is None or priced.cost_nanousd <= hold


@given(
    periods, st.integers(0, 900_000), st.sampled_from(["never", "5m", "1h"]), st.sampled_from([None, (), ("batch",)])
)
def test_ceilings_are_the_dearest_rates_worked_out_ahead(
    period: PricePeriod, bound: int, cache_writes: str, service_tiers: tuple[str, ...] | None
) -> None:
    choice = {"service_tiers": service_tiers, "cache_writes": cache_writes}
    prices = timeline(period)
    assert ceiling_at(ceilings(prices, **choice), 5, bound) == dearest_rates(prices, 5, bound, **choice)  # type: ignore[arg-type]


@given(st.lists(periods, min_size=1, max_size=4), st.lists(st.integers(0, 20_000), min_size=4, max_size=4), st.data())
def test_ceilings_hold_ahead_of_every_change_of_price(made: list[PricePeriod], begins: list[int], data: Any) -> None:
    dated = [structs.replace(period, from_ms=begin) for period, begin in zip(made, sorted(begins), strict=False)]
    prices = timeline(*dated)
    now_ms, later_ms = data.draw(st.integers(0, 30_000)), data.draw(st.integers(0, PRICE_AHEAD_MS))
    dearest = dearest_rates(prices, now_ms, 1_000)
    assert ceiling_at(ceilings(prices), now_ms, 1_000) == dearest
    later = rates_for(prices, now_ms + later_ms, input_tokens=1_000)
    if dearest is not None and later is not None and later.output is not None and dearest.output is not None:
        assert dearest.input is not None
        assert (later.input or 0) <= dearest.input
        assert later.output <= dearest.output


def test_a_hold_is_narrowed_by_what_the_caller_knows() -> None:
    priority = PricePeriod(from_ms=0, rates=Rates(input=9_000_000, output=40_000_000))
    prices = timeline(PricePeriod(from_ms=0, rates=SONNET, variants={"priority": priority}))

    def input_rate(**choice: object) -> int | None:
        found = dearest_rates(prices, 0, 100, **choice)  # type: ignore[arg-type]
        return None if found is None else found.input

    assert input_rate() == 9_000_000
    assert input_rate(service_tiers=()) == 6_000_000
    assert input_rate(service_tiers=(), cache_writes="5m") == 3_750_000
    assert input_rate(service_tiers=(), cache_writes="never") == 3_000_000


def test_a_place_that_costs_more() -> None:
    prices = flat(SONNET)
    anthropic = structs.replace(prices, geo_premium=True)

    def cost_in(geo: str | None, timeline: PriceTimeline = anthropic) -> int | None:
        return cost(structs.replace(used(tokens_in=1_000, tokens_out=10), inference_geo=geo), timeline)

    standard = 1_000 * 3_000 + 10 * 15_000
    assert cost_in(None) == cost_in("global") == cost_in("not_available") == standard
    assert cost_in("us") == standard * 11 // 10
    assert cost_in("eu") is None
    assert cost_in("us", prices) == standard  # whoever has no such premium
    priced = price(structs.replace(used(tokens_in=1), inference_geo="us"), anthropic, 0)
    assert priced is not None
    assert priced.rates.input == 3_300_000  # the line says what was charged
    odd = structs.replace(flat(Rates(input=3, output=0, web_search_fee=7)), geo_premium=True)
    rates = rates_for(odd, 0, input_tokens=1, inference_geo="us")
    assert rates == Rates(input=4, output=0, web_search_fee=7)  # rounded up; fees stay


@given(periods, usages, st.sampled_from([None, "us", "global", "not_available"]))
def test_the_dearest_rates_cover_every_place(period: PricePeriod, usage: Usage, geo: str | None) -> None:
    prices = PriceTimeline(periods=(period,), source="test", geo_premium=True)
    rates = rates_for(prices, 5, input_tokens=usage.tier_input, inference_geo=geo)
    dearest = dearest_rates(prices, 5, usage.tier_input)
    assert ceiling_at(ceilings(prices), 5, usage.tier_input) == dearest
    if rates is not None and dearest is not None and rates.input is not None:
        assert dearest.input is not None
        assert dearest.input >= rates.input
        assert (dearest.output or 0) >= (rates.output or 0)


def test_what_cannot_be_bounded_is_unknown() -> None:
    assert dearest_rates(flat(Rates(output=1)), 0, 10) is None
    assert dearest_rates(timeline(), 0, 10) is None
    embedding = dearest_rates(flat(Rates(input=1_000)), 0, 10)
    assert embedding is not None
    assert bound_nanousd(embedding, input_tokens=10, output_tokens=0) == 10
    assert bound_nanousd(embedding, input_tokens=10, output_tokens=1) is None
    assert bound_nanousd(embedding, input_tokens=10, output_tokens=0, web_searches=1) is None
