"""Configured prices as timelines."""

import pytest

from bascule.config.load import Document, load_text
from bascule.decide.price import price, rates_for
from bascule.link.price import is_free, timeline
from bascule.model.money import PriceTimeline, Rates
from bascule.model.usage import Usage


def prices(given: str, dialect: str = "openai_chat") -> PriceTimeline:
    """`given` as it stands after `price:` in the file."""
    return timeline(configured(given), dialect)


def configured(given: str):
    document = read(given)
    assert document.problems == ()
    return document.config.providers["p"].price


def read(given: str) -> Document:
    text = "providers: {p: {dialect: openai_chat, base_url: 'http://127.0.0.1:9/v1', api_key: none, price: %s}}"
    return load_text(text % given)


def rates(given: str, dialect: str = "openai_chat") -> Rates:
    return prices(given, dialect).periods[0].rates


def test_exact_rates() -> None:
    assert rates("{input: 3.00, output: 15, cache_read: 0.30, cache_write: 3.75}") == Rates(
        input=3_000_000, output=15_000_000, cache_read=300_000, cache_write_5m=3_750_000
    )


def test_fees_are_dollars_each() -> None:
    found = rates("{input: 1, output: 1, request_usd: 0.005, web_search_usd: 0.01}")
    assert (found.request_fee, found.web_search_fee) == (5_000_000_000, 10_000_000_000)


def test_anthropics_documented_multiples_only_on_its_dialect() -> None:
    given = "{input: 3, output: 15}"
    ours = rates(given, "anthropic_messages")
    assert (ours.cache_read, ours.cache_write_5m, ours.cache_write_1h) == (None, 3_750_000, 6_000_000)
    assert rates(given) == Rates(input=3_000_000, output=15_000_000)
    assert rates("{input: 3, output: 15, cache_write: 4}", "anthropic_messages").cache_write_5m == 4_000_000
    assert rates("{input: 0.000001}", "anthropic_messages").cache_write_5m == 2, "never below what is billed"


def test_an_hour_without_a_price_costs_as_five_minutes() -> None:
    found = prices("{input: 3, output: 15, cache_write: 4}")
    priced = price(Usage(tokens_in=0, tokens_out=0, tokens_cache_write_1h=10, source="reported"), found, 0)
    assert priced is not None
    assert priced.cost_nanousd == 40_000


def test_holds_for_every_service_tier() -> None:
    found = prices("{input: 3, output: 15}")
    for tier in (None, "default", "priority", "fast", "flex"):
        assert rates_for(found, 0, input_tokens=1, service_tier=tier) == found.periods[0].rates


def test_declared_free_is_a_price_of_zero() -> None:
    given = "{input: 0, output: 0, web_search_usd: 0}"
    assert is_free(configured(given))
    used = Usage(tokens_in=9, tokens_out=9, service_tier="priority", web_searches=1, source="reported")
    priced = price(used, prices(given), 0)
    assert priced is not None
    assert priced.cost_nanousd == 0
    assert price(Usage(source="none"), prices(given), 0) is None


@pytest.mark.parametrize("wrong", ["-1", "NaN", ".inf", "0.0000001"])
def test_what_is_not_a_price_is_refused(wrong: str) -> None:
    (problem,) = read(f"{{input: {wrong}}}").problems
    assert problem.where.startswith("bascule.yaml:1:")


@pytest.mark.parametrize("given", ["{input: 0}", "{input: 0, output: 0, request_usd: 0.01}", "{input: 1, output: 0}"])
def test_what_may_cost_something_is_not_free(given: str) -> None:
    assert not is_free(configured(given))
