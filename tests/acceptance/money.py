"""Bills at the configuration's prices, by the arithmetic of `bascule.testing.chaos.bills`."""

from typing import Any

from tests.acceptance.configuration import PRICES

from bascule.testing.chaos import bills

BUCKETS = bills.BUCKETS
TARIFF = bills.tariff_of(PRICES)


def billed_nanousd(model: str, dialect: str, usage: dict[str, Any] | None) -> int:
    """What the provider bills for a usage; nothing for none."""
    return bills.billed_nanousd(TARIFF, {"model": model}, dialect, usage)
