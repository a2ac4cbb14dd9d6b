"""Exact money. Rates are integers in pico-USD per token, amounts integers in nano-USD.

One US dollar per million tokens is 1,000,000 pico-USD per token, so every published price is an exact integer.
Amounts are multiplied exactly and rounded once per ledger line; holds round up, costs round half up.
"""

from decimal import Decimal

from msgspec import Struct

PICO_PER_NANO = 1_000
NANO_PER_USD = 1_000_000_000
PICO_PER_USD_PER_MTOK = 1_000_000


class Rates(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Prices in pico-USD per token (fees: pico-USD each). `None` is unknown, never free."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    """Only where reasoning has a price of its own; otherwise it costs as output."""
    audio_in: int | None = None
    audio_out: int | None = None
    image_in: int | None = None
    image_out: int | None = None
    request_fee: int | None = None
    web_search_fee: int | None = None


class Tier(Struct, frozen=True):
    """Rates for the whole request once billed input exceeds `above_input_tokens`."""

    above_input_tokens: int
    rates: Rates


class Window(Struct, frozen=True, omit_defaults=True):
    """Rates inside a daily UTC window [start_s, end_s) in seconds of the day; may wrap over midnight.

    Where windows overlap, the first one of a period wins.
    """

    start_s: int
    end_s: int
    rates: Rates
    tiers: tuple[Tier, ...] = ()


class PricePeriod(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one endpoint costs from `from_ms` on, until the next period starts."""

    from_ms: int
    rates: Rates
    tiers: tuple[Tier, ...] = ()
    windows: tuple[Window, ...] = ()
    variants: dict[str, "PricePeriod"] = {}
    """Rates of other service tiers by name: `batch`, `flex`, `priority`, `fast`, … Variants have no variants."""


class PriceTimeline(Struct, frozen=True, kw_only=True):
    """All known prices of one upstream model at one provider, oldest first."""

    periods: tuple[PricePeriod, ...]
    source: str
    """Where they come from: `genai-prices 0.2.3`, `config`, …"""
    standard_tiers: tuple[str, ...] = ()
    """Service tiers, dear by their name, that are known to cost as standard here (see `decide.price`)."""
    geo_premium: bool = False
    """The provider charges more where the client or its account binds the model to a place (see `decide.price`)."""


def ceil_nanousd(picousd: int) -> int:
    """Pico-USD to nano-USD, rounded up: for holds."""
    return -(-picousd // PICO_PER_NANO)


def round_nanousd(picousd: int) -> int:
    """Pico-USD to nano-USD, rounded half up: for costs, once per ledger line."""
    return (picousd + PICO_PER_NANO // 2) // PICO_PER_NANO


def usd_text(nanousd: int | None) -> str | None:
    """Nano-USD as a decimal string of dollars with exactly nine places, or None for unknown."""
    if nanousd is None:
        return None
    sign = "-" if nanousd < 0 else ""
    whole, fraction = divmod(abs(nanousd), NANO_PER_USD)
    return f"{sign}{whole}.{fraction:09d}"


def nanousd_from_usd(usd: Decimal) -> int:
    """Dollars to nano-USD, exactly.

    Raises ValueError where the amount has more than nine decimal places or is not finite.
    """
    if not usd.is_finite():
        raise ValueError(f"{usd} is not an amount of money")
    scaled = usd.scaleb(9)
    nanousd = int(scaled)
    if nanousd != scaled:
        raise ValueError(f"{usd} has more than nine decimal places; nano-dollars are the smallest unit")
    return nanousd


def rate_from_usd_per_mtok(usd: Decimal) -> int:
    """US dollars per million tokens to pico-USD per token, exactly.

    Raises ValueError where the price is negative, not finite, or finer than a pico-dollar per token.
    """
    if not usd.is_finite() or usd < 0:
        raise ValueError(f"{usd} is not a price")
    scaled = usd * PICO_PER_USD_PER_MTOK
    rate = int(scaled)
    if rate != scaled:
        raise ValueError(f"{usd} USD per million tokens is finer than a pico-dollar per token")
    return rate
