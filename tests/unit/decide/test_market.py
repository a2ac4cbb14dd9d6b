import pytest

from bascule.decide.market import market_of
from bascule.model.money import Rates

USD = 1_000_000
"""Per million tokens, in pico-USD per token."""


@pytest.mark.parametrize(
    ("rates", "market"),
    [
        (Rates(input=140_000, output=280_000), "commodity"),
        (Rates(input=1 * USD, output=1 * USD), "mid"),
        (Rates(input=1 * USD, output=1 * USD - 4), "commodity"),
        (Rates(input=3 * USD, output=15 * USD), "mid"),
        (Rates(input=10 * USD, output=10 * USD - 4), "mid"),
        (Rates(input=10 * USD, output=10 * USD), "premium"),
        (Rates(input=15 * USD, output=75 * USD), "premium"),
        (Rates(input=1), None),
        (None, None),
    ],
)
def test_markets_are_told_apart_by_the_blended_price(rates: Rates | None, market: str | None) -> None:
    assert market_of(rates) == market
