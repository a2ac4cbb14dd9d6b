import pytest

from bascule.model.catalog import Endpoint, Model
from bascule.model.money import PricePeriod, PriceTimeline, Rates
from bascule.offline.imports.sellers import Sellers, bare_name
from bascule.prices.book import PriceBook


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
        ("anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("global.anthropic.claude-opus-4-6-v1:0", "claude-opus-4-6"),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
            "claude-haiku-4-5-20251001",
        ),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"),
        ("claude-sonnet-4-5-20250929[1m]", "claude-sonnet-4-5-20250929"),
        ("deepseek-chat", "deepseek-chat"),
    ],
)
def test_ids_of_clouds_are_catalog_models(name: str, bare: str) -> None:
    assert bare_name(name) == bare


@pytest.mark.parametrize(
    ("name", "maker", "provider", "input_rate"),
    [
        ("claude-sonnet-4-5-20250929", "anthropic", "anthropic", 3_000_000),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", "bedrock", 3_300_000),
        ("global.anthropic.claude-opus-4-6-v1:0", "anthropic", "bedrock", 5_000_000),
        ("claude-sonnet-4-5@20250929", "anthropic", "vertex", 3_000_000),
        ("glm-4.6", "anthropic", "zai", 600_000),
        ("gpt-5-codex", "openai", "openai", 1_250_000),
        ("gpt-5-codex", "azure", "azure", 1_250_000),
        ("gpt-5-codex", "my-gateway", "openai", 1_250_000),
    ],
)
def test_who_sold_it_and_for_how_much(sellers: Sellers, name: str, maker: str, provider: str, input_rate: int) -> None:
    sold = sellers.find(name, maker)
    assert sold.provider == provider
    assert sold.timeline is not None
    assert sold.timeline.periods[0].rates.input == input_rate


@pytest.mark.parametrize("name", ["house-model-7", "llama-3.3-70b-instruct-of-nobody"])
def test_a_name_that_says_nothing_has_no_price(sellers: Sellers, name: str) -> None:
    sold = sellers.find(name, "anthropic")
    assert (sold.model, sold.provider, sold.timeline) == (name, None, None)


@pytest.mark.parametrize("maker", ["ollama", "oss", "lmstudio", "vllm"])
def test_what_runs_at_home_has_nobodys_price(sellers: Sellers, maker: str) -> None:
    sold = sellers.find("deepseek-chat", maker)
    assert (sold.provider, sold.timeline) == (maker, None)


def test_the_configuration_comes_first() -> None:
    prices = PriceTimeline(periods=(PricePeriod(from_ms=0, rates=Rates(input=7, output=9)),), source="config")
    endpoint = Endpoint(id="own/x", provider="own", dialect="openai_chat", upstream_model="x", prices=prices)
    house = Model(name="house", endpoints=(endpoint,))
    sellers = Sellers(PriceBook(), {"house": house}, {"claude-haiku-4-5": "house"})
    for name in ("house", "claude-haiku-4-5"):
        sold = sellers.find(name, "anthropic")
        assert (sold.model, sold.provider, sold.timeline) == ("house", "own", prices)


def test_a_price_without_endpoints_comes_before_the_book_and_says_nothing_of_who_sold_it() -> None:
    prices = PriceTimeline(periods=(PricePeriod(from_ms=0, rates=Rates(input=7, output=9)),), source="config")
    sellers = Sellers(PriceBook(), {}, {"large": "gpt-5"}, {"gpt-5": prices})
    for name in ("gpt-5", "large"):
        for maker in ("house", None):
            sold = sellers.find(name, maker)
            assert (sold.model, sold.provider, sold.timeline) == ("gpt-5", maker, prices)
