"""Exact decimals for people and JSON. Nothing is rounded here that is not said to be."""

from decimal import Decimal, Inexact, localcontext

from bascule.decide.price import PriceLine
from bascule.model.money import Rates

PICO_PLACES = 12
_DIGITS = 200


def usd_per_mtok(rate: int | None) -> str | None:
    """Pico-USD per token as US dollars per million tokens: exact, no longer than needed."""
    return None if rate is None else plain(Decimal(rate).scaleb(-6))


def usd_of_pico(picousd: int | None) -> str | None:
    """Pico-USD as dollars: exact, with at least the nine places of a ledger amount."""
    return None if picousd is None else at_least_nano(Decimal(picousd).scaleb(-PICO_PLACES))


def at_least_nano(usd: Decimal) -> str:
    """Dollars with nine decimal places, or as many as it takes to be exact."""
    text = plain(usd)
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(9, '0')}"


def plain(number: Decimal) -> str:
    """Without exponent and without zeros that say nothing."""
    with localcontext() as context:
        context.prec = _DIGITS
        return format(number.normalize(), "f")


def tokens_times_price(tokens: int, price_usd_per_mtok: Decimal) -> Decimal:
    """Dollars of so many tokens, exactly. Raises decimal.Inexact where 200 digits are not enough."""
    with localcontext() as context:
        context.prec = _DIGITS
        context.traps[Inexact] = True
        return (tokens * price_usd_per_mtok).scaleb(-6)


def line_payload(line: PriceLine) -> dict[str, object]:
    """One line of a bill. Fees are per unit, all else per million tokens."""
    fee = line.bucket in ("requests", "web_searches")
    rate = {"usd_each": usd_of_pico(line.rate)} if fee else {"usd_per_mtok": usd_per_mtok(line.rate)}
    return {"bucket": line.bucket, "count": line.count, **rate, "cost_usd": usd_of_pico(line.picousd)}


def rates_payload(rates: Rates) -> dict[str, str | None]:
    """All rates by name; null is unknown, and what `decide.price` then takes instead is documented there."""
    tokens = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "audio_in",
              "audio_out", "image_in", "image_out")  # fmt: skip
    made: dict[str, str | None] = {f"{name}_usd_per_mtok": usd_per_mtok(getattr(rates, name)) for name in tokens}
    made["request_fee_usd"] = usd_of_pico(rates.request_fee)
    made["web_search_fee_usd"] = usd_of_pico(rates.web_search_fee)
    return made
