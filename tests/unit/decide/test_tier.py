"""Tiers by declaration, by price, and where nothing is known."""

import pytest
from tests.unit.decide.routing_world import endpoint, model

from bascule.decide.tier import tier_of
from bascule.model.money import PICO_PER_USD_PER_MTOK as USD
from bascule.model.money import Rates


@pytest.mark.parametrize(
    ("input_usd", "output_usd", "tier"),
    [
        (0, 0, "commodity"),
        (1, 0.96, "commodity"),
        (1, 1, "mid"),
        (5, 4.96, "mid"),
        (5, 5, "premium"),
        (3, 15, "premium"),
    ],
)
def test_the_edges_are_by_three_parts_of_input_to_one_of_output(input_usd: float, output_usd: float, tier: str) -> None:
    rates = Rates(input=round(input_usd * USD), output=round(output_usd * USD))
    assert tier_of(model("m"), endpoint("p/m"), rates) == tier


def test_a_declared_tier_wins_a_free_model_is_a_commodity_and_no_price_is_no_tier() -> None:
    dear = Rates(input=100 * USD, output=100 * USD)
    assert tier_of(model("m", tier="mid"), endpoint("p/m"), dear) == "mid"
    assert tier_of(model("m"), endpoint("p/m", free=True), None) == "commodity"
    assert tier_of(model("m"), endpoint("p/m"), None) is None
    assert tier_of(model("m"), endpoint("p/m"), Rates(input=1)) is None
