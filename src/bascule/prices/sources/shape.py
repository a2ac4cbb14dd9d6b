"""What every price list is read into, and how its numbers become rates."""

from collections import Counter
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
from msgspec import Struct

from bascule.model.money import PICO_PER_USD_PER_MTOK, Rates
from bascule.prices.book import PriceBook
from bascule.prices.table import ProviderPrices, Table

USD_PER_TOKEN, USD_PER_MTOK = 1, 1_000_000


class NotPriced(Exception):
    """An entry that is left out, and why; the reasons are counted and shown."""


class PriceSource(Struct, frozen=True, kw_only=True):
    """A price list, under the price book's names of providers."""

    name: str
    """For people, with its version where it has one."""
    kind: str
    """`bascule`, `genai-prices`, `litellm`, `models.dev`."""
    dated: bool
    """It says from when its prices hold; False: it has what holds when it was written, and no history."""
    providers: dict[str, ProviderPrices]
    left_out: dict[str, int] = {}
    """Entries that are not in `providers`, by reason."""


class LeftOut:
    """Counts entries by the reason for which they are left out."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, reason: str) -> None:
        self._counts[reason] += 1

    def counted(self) -> dict[str, int]:
        return dict(self._counts.most_common())


def rate(usd: Decimal, per_tokens: int) -> int:
    """USD per so many tokens (or calls) to pico-USD each; half a pico-dollar up, as the compiled table rounds.

    Raises NotPriced where it is no price: negative, not finite.
    """
    if not usd.is_finite() or usd < 0:
        raise NotPriced("a price that is none (negative or not a number)")
    return int((usd * PICO_PER_USD_PER_MTOK * 1_000_000 / per_tokens).to_integral_value(ROUND_HALF_UP))


def decimal_of(value: Any) -> Decimal | None:
    """A JSON number, exactly as it was written; None where there is none. Raises NotPriced for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise NotPriced("a price that is no number")
    return Decimal(value)


def rates_of(entry: Mapping[str, Any], fields: Mapping[str, str], per_tokens: int) -> Rates:
    """The rates of an entry: `fields` names our rate for each of its keys."""
    found = {}
    for key, field in fields.items():
        usd = decimal_of(entry.get(key))
        if usd is not None:
            found[field] = rate(usd, per_tokens)
    return Rates(**found)


def over(base: Rates, other: Rates) -> Rates:
    """`base`, with `other` wherever that has a rate."""
    values = {field: getattr(other, field) for field in Rates.__struct_fields__}
    return Rates(**{field: getattr(base, field) if value is None else value for field, value in values.items()})


def book_of(source: PriceSource) -> PriceBook:
    """The price list as a book, with the book's own way of finding a model by its name."""
    raw = {name: msgspec.Raw(msgspec.json.encode(prices)) for name, prices in source.providers.items()}
    return PriceBook.of(Table(source=source.name, overlay=0, sha256="", providers=raw))
