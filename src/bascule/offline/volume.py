"""How a bill changes when prices and use do, from nothing but those two: no forecast."""

from fractions import Fraction

from msgspec import Struct

from bascule.offline.quantity import Span


class BillMultiple(Struct, frozen=True):
    """Each as a multiple of what it was."""

    volume: Span
    price: Span
    bill: Span


ONE = Span(Fraction(1), Fraction(1))


def bill_multiple(volume_growth: Span, price_change: Span) -> BillMultiple:
    """Growth and change as shares of what was before: 10 is 1,000 % more use, -1/2 half the price. Both at least -1."""
    volume, price = ONE + volume_growth, ONE + price_change
    return BillMultiple(volume, price, volume.times(price))
