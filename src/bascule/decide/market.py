"""The two markets, told apart by what a token costs.

The thresholds are fixed and in dollars: what one calls cheap moves down with the years, a figure that is compared
between years must not.
"""

from typing import Literal

from bascule.model.money import Rates

Market = Literal["commodity", "mid", "premium"]

COMMODITY_BELOW = 1_000_000
"""Pico-USD per token: one US dollar per million blended tokens."""
PREMIUM_FROM = 10_000_000
"""Ten US dollars per million blended tokens."""


def blended_rate(rates: Rates | None) -> int | None:
    """Pico-USD per token of three parts input and one part output, uncached: the common yardstick of model prices.

    The weighting is Artificial Analysis' "blended price" (artificialanalysis.ai/methodology). None where unknown.
    """
    if rates is None or rates.input is None or rates.output is None:
        return None
    return (3 * rates.input + rates.output) // 4


def market_at(blended: int | None) -> Market | None:
    """`commodity` below one dollar per million blended tokens, `mid` below ten, else `premium`; None is unknown."""
    if blended is None:
        return None
    if blended < COMMODITY_BELOW:
        return "commodity"
    return "mid" if blended < PREMIUM_FROM else "premium"


def market_of(rates: Rates | None) -> Market | None:
    """The market of a price list."""
    return market_at(blended_rate(rates))
