"""Prompt caching in multiples of the input price: as published, and as the price book has it. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from statistics import median

from msgspec import Struct

from bascule.offline.market import Offered
from bascule.prices.published import CacheMultiples

MAKER_OF = {"claude": "anthropic", "gpt": "openai", "o1": "openai", "o3": "openai", "o4": "openai",
            "gemini": "google", "deepseek": "deepseek", "grok": "x-ai"}  # fmt: skip
"""The maker by the first word of a model's name."""


class CachedPrice(Struct, frozen=True, kw_only=True):
    """What a model's cached input costs, USD per million tokens, and the multiples of its input price."""

    model: str
    maker: str | None
    input: Decimal
    read: Decimal
    write: Decimal | None
    read_multiple: Decimal
    write_multiple: Decimal | None
    given: bool
    """The price stands in the source; False: it follows from the maker's multiples."""

    @property
    def reads_to_pay(self) -> float | None:
        """How often a written prompt must be read again until caching it was cheaper; None: never, or unknown.

        Written once and read k times costs w + k r, uncached 1 + k: so k > (w - 1) / (1 - r).
        """
        if self.write_multiple is None or self.read_multiple >= 1:
            return None
        return max(0.0, float((self.write_multiple - 1) / (1 - self.read_multiple)))


class Multiples(Struct, frozen=True, kw_only=True):
    """The price book's multiples at one provider: the middle and the ends, over `models` with a cache price."""

    provider: str
    models: int
    read: float
    read_low: float
    read_high: float
    write: float | None
    """Median over the models that charge for writing apart; None where none does."""


def maker_of(model: str) -> str | None:
    return MAKER_OF.get(model.partition("-")[0])


def cached_prices(offers: Sequence[Offered], published: dict[str, CacheMultiples]) -> tuple[CachedPrice, ...]:
    """Of every offer whose cache price is given, or whose maker's multiples are published."""
    found = []
    for offer in offers:
        input_usd = Decimal(offer.input).scaleb(-6)
        maker = maker_of(offer.model)
        multiples = published.get(maker or "")
        if offer.cache_read is not None:
            read = Decimal(offer.cache_read).scaleb(-6)
            write = None if offer.cache_write is None else Decimal(offer.cache_write).scaleb(-6)
        elif multiples is not None:
            read, write = multiples.read * input_usd, multiples.write * input_usd
        else:
            continue
        found.append(
            CachedPrice(
                model=offer.model,
                maker=maker,
                input=input_usd,
                read=read,
                write=write,
                read_multiple=read / input_usd,
                write_multiple=None if write is None else write / input_usd,
                given=offer.cache_read is not None,
            )
        )
    return tuple(found)


def multiples_by_provider(offers: Sequence[Offered], providers: Sequence[str]) -> tuple[Multiples, ...]:
    """What the book's models at these providers charge for cached input."""
    made = []
    for provider in providers:
        own = [one for one in offers if one.provider == provider and one.cache_read is not None]
        if own:
            reads = [(one.cache_read or 0) / one.input for one in own]
            writes = [one.cache_write / one.input for one in own if one.cache_write is not None]
            made.append(
                Multiples(
                    provider=provider,
                    models=len(own),
                    read=median(reads),
                    read_low=min(reads),
                    read_high=max(reads),
                    write=median(writes) if writes else None,
                )
            )
    return tuple(made)
