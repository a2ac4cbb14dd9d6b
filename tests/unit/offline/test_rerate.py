"""Rows re-rated: exact, at the right day and time of day, and nothing that cannot be re-rated in a sum."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.price import price
from bascule.model.money import PricePeriod, PriceTimeline, Rates, Tier, Window
from bascule.model.row import AttemptRow
from bascule.model.usage import Usage
from bascule.offline.rerate import on_day, rerate, usage_of

NOON = 1_795_262_400_000
HOUR, DAY = 3_600_000, 86_400_000


def flat(input_: int, output: int, **rest: Any) -> PriceTimeline:
    return PriceTimeline(
        periods=(PricePeriod(from_ms=0, rates=Rates(input=input_, output=output), **rest),), source="t"
    )


def row(**given: Any) -> AttemptRow:
    usual: dict[str, Any] = {
        "kind": "settle", "attempt_id": "a", "request_id": "r", "attempt_no": 1, "ts_start_ms": NOON, "chain": "",
        "provider": "p", "upstream_model": "m", "tokens_in": 1_000, "tokens_out": 100, "usage_source": "reported",
        "cost_nanousd": 7_000,
    }  # fmt: skip
    return AttemptRow(**{**usual, **given})


def test_two_prices_of_the_same_rows() -> None:
    found = rerate(
        [row(), row()], lambda _: flat(1_000_000, 2_000_000), NOON, lambda _: flat(3_000_000, 4_000_000), NOON
    )
    assert (found.rows, found.recorded_nanousd) == (2, 14_000)
    assert found.before_nanousd == 2 * (1_000 * 1_000 + 100 * 2_000)
    assert found.after_nanousd == 2 * (1_000 * 3_000 + 100 * 4_000)
    assert found.delta_nanousd == 2 * (1_000 * 2_000 + 100 * 2_000)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**8), st.integers(0, 10**8))
def test_a_row_costs_what_live_traffic_would(tokens_in: int, tokens_out: int, input_: int, output: int) -> None:
    timeline = flat(input_, output)
    found = rerate(
        [row(tokens_in=tokens_in, tokens_out=tokens_out)], lambda _: timeline, NOON, lambda _: timeline, NOON
    )
    live = price(Usage(tokens_in=tokens_in, tokens_out=tokens_out, source="reported"), timeline, NOON)
    assert live is not None
    assert found.before_nanousd == found.after_nanousd == live.cost_nanousd
    assert found.delta_nanousd == 0


def test_the_day_is_the_list_s_and_the_time_of_day_the_row_s() -> None:
    night = Window(0, 6 * 3600, Rates(input=500_000, output=500_000))
    dated = PriceTimeline(
        periods=(
            PricePeriod(from_ms=0, rates=Rates(input=1_000_000, output=1_000_000), windows=(night,)),
            PricePeriod(from_ms=NOON + 10 * DAY, rates=Rates(input=2_000_000, output=2_000_000)),
        ),
        source="t",
    )
    at_three = row(ts_start_ms=NOON - 9 * HOUR, tokens_out=0)
    found = rerate([at_three, row(tokens_out=0)], lambda _: dated, NOON, lambda _: dated, NOON + 20 * DAY)
    assert found.before_nanousd == 1_000 * 500 + 1_000 * 1_000
    assert found.after_nanousd == 2 * 1_000 * 2_000
    assert on_day(NOON - 9 * HOUR, NOON + 20 * DAY) == NOON + 20 * DAY - 9 * HOUR


def test_tiers_and_service_tiers_are_those_of_the_row() -> None:
    tiered = flat(1_000_000, 0, tiers=(Tier(200_000, Rates(input=2_000_000, output=0)),),
                  variants={"batch": PricePeriod(from_ms=0, rates=Rates(input=500_000, output=0))})  # fmt: skip
    long, batch = row(tokens_in=200_001, tokens_out=0), row(service_tier="batch", tokens_out=0)
    found = rerate([long, batch], lambda _: tiered, NOON, lambda _: tiered, NOON)
    assert found.before_nanousd == 200_001 * 2_000 + 1_000 * 500


def test_what_cannot_be_re_rated_is_counted_apart() -> None:
    rows = [
        row(),
        row(kind="intent", cost_nanousd=None),
        row(cache="exact", cost_nanousd=0),
        row(usage_source="none", tokens_in=None, tokens_out=None, cost_nanousd=0),
        row(usage_source="estimated", tokens_in=None, tokens_out=None, cost_nanousd=9_000),
        row(upstream_model="elsewhere", cost_nanousd=3_000),
        row(tokens_out=None, cost_nanousd=2_000),
        row(service_tier="priority"),
    ]
    known = flat(1_000_000, 1_000_000)
    found = rerate(rows, lambda _: known, NOON, lambda one: known if one.upstream_model == "m" else "no price", NOON)
    assert found.rows == 1
    assert {why: (one.rows, one.recorded_nanousd) for why, one in found.not_rerated.items()} == {
        "still open": (1, 0),
        "answered from the cache": (1, 0),
        "no usage known": (2, 9_000),
        "no price": (1, 3_000),
        "no price for what it used": (2, 9_000),
    }
    nothing = rerate([], lambda _: known, NOON, lambda _: known, NOON)
    assert (nothing.rows, nothing.before_nanousd, nothing.delta_nanousd) == (0, None, None)


def test_corrections_are_no_price() -> None:
    found = rerate(
        [row(cost_nanousd=9_000, adjusted_nanousd=2_000)], lambda _: flat(1, 1), NOON, lambda _: flat(1, 1), NOON
    )
    assert found.recorded_nanousd == 7_000


def test_the_place_stands_in_the_provider_s_own_usage() -> None:
    assert usage_of(row(usage_raw='{"input_tokens":1,"inference_geo":"us"}')).inference_geo == "us"
    assert usage_of(row(usage_raw='{"input_tokens":1}')).inference_geo is None
    assert usage_of(row(usage_raw='{"inference_geo"')).inference_geo == "unreadable"
    dear = PriceTimeline(periods=flat(1_000_000, 0).periods, source="t", geo_premium=True)
    found = rerate([row(usage_raw='{"inference_geo":"us"}', tokens_out=0)], lambda _: dear, NOON, lambda _: dear, NOON)
    assert found.before_nanousd == 1_100_000
