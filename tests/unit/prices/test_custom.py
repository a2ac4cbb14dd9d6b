"""Prices from the configuration."""

from decimal import Decimal

import pytest

from bascule.decide.price import price, rates_for
from bascule.model.money import Rates
from bascule.model.usage import Usage
from bascule.prices.custom import FREE, timeline_from_config


def rates(**prices: object) -> Rates:
    return timeline_from_config(**prices).periods[0].rates  # type: ignore[arg-type]


def test_exact_rates() -> None:
    assert rates(
        input=Decimal("3.00"), output=Decimal("15"), cache_read=Decimal("0.30"), cache_write=Decimal("3.75")
    ) == Rates(input=3_000_000, output=15_000_000, cache_read=300_000, cache_write_5m=3_750_000)


def test_fees_are_dollars_each() -> None:
    found = rates(input=Decimal(1), output=Decimal(1), request=Decimal("0.005"), web_search=Decimal("0.01"))
    assert (found.request_fee, found.web_search_fee) == (5_000_000_000, 10_000_000_000)


def test_anthropics_documented_multiples_only_on_its_dialect() -> None:
    given = {"input": Decimal(3), "output": Decimal(15)}
    ours = rates(**given, dialect="anthropic_messages")
    assert (ours.cache_read, ours.cache_write_5m, ours.cache_write_1h) == (None, 3_750_000, 6_000_000)
    assert rates(**given, dialect="openai_chat") == Rates(input=3_000_000, output=15_000_000)
    given["cache_write"] = Decimal(4)
    assert rates(**given, dialect="anthropic_messages").cache_write_5m == 4_000_000


def test_an_hour_without_a_price_costs_as_five_minutes() -> None:
    timeline = timeline_from_config(input=Decimal(3), output=Decimal(15), cache_write=Decimal(4))
    priced = price(Usage(tokens_in=0, tokens_out=0, tokens_cache_write_1h=10, source="reported"), timeline, 0)
    assert priced is not None
    assert priced.cost_nanousd == 40_000


def test_holds_for_every_service_tier() -> None:
    timeline = timeline_from_config(input=Decimal(3), output=Decimal(15))
    for tier in (None, "default", "priority", "fast", "flex"):
        assert rates_for(timeline, 0, input_tokens=1, service_tier=tier) == timeline.periods[0].rates


@pytest.mark.parametrize("wrong", ["-1", "NaN", "Infinity", "0.0000001"])
def test_refuses_what_is_not_a_price(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"price|finer"):
        timeline_from_config(input=Decimal(wrong))


def test_declared_free_is_a_price_of_zero() -> None:
    priced = price(
        Usage(tokens_in=9, tokens_out=9, service_tier="priority", web_searches=1, source="reported"), FREE, 0
    )
    assert priced is not None
    assert priced.cost_nanousd == 0
    assert price(Usage(source="none"), FREE, 0) is None
