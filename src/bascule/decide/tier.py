"""Three tiers of models, so that policy can speak of a kind of model rather than of names. Pure.

A tier that was declared holds. Else it comes from the list price of the moment: three parts of input to one of output,
which is what chats and agents use. A model without a price has no tier, and where tiers are limited it counts as the
dearest: what is not known is not cheap.
"""

from typing import Literal

from bascule.model.catalog import Endpoint, Model
from bascule.model.money import PICO_PER_USD_PER_MTOK, Rates

Tier = Literal["commodity", "mid", "premium"]

COMMODITY_BELOW = 1 * PICO_PER_USD_PER_MTOK
"""Pico-USD a token, blended: under 1 USD per million."""
PREMIUM_FROM = 5 * PICO_PER_USD_PER_MTOK


def tier_of(model: Model, endpoint: Endpoint, rates: Rates | None) -> Tier | None:
    """`rates` are the endpoint's at the moment; None is unknown, and so is then the tier."""
    if model.tier is not None:
        return model.tier
    if endpoint.free:
        return "commodity"
    if rates is None or rates.input is None or rates.output is None:
        return None
    blended = (3 * rates.input + rates.output) // 4
    if blended < COMMODITY_BELOW:
        return "commodity"
    return "premium" if blended >= PREMIUM_FROM else "mid"
