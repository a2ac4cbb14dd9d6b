"""Prices from the configuration: what the user says a model costs, without dates or tiers.

What is not given is not guessed, with one exception. A cache read without a price costs as input, a 5-minute write
as input, a 1-hour write as a 5-minute one: the general rule of `decide.price`. Anthropic however documents that
writing costs 1.25 times (5 minutes) and twice (1 hour) its input price, whatever the model
(https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#pricing), so on its dialect those are used;
counting such writes as input would be too little.
"""

from decimal import Decimal

from bascule.decide.price import DEARER_TIERS
from bascule.model.money import (
    PICO_PER_NANO,
    PricePeriod,
    PriceTimeline,
    Rates,
    nanousd_from_usd,
    rate_from_usd_per_mtok,
)

ANTHROPIC_WRITE_5M = Decimal("1.25")
ANTHROPIC_WRITE_1H = Decimal(2)

FREE = PriceTimeline(
    periods=(PricePeriod(from_ms=0, rates=Rates(input=0, output=0, web_search_fee=0)),),
    source="free",
    standard_tiers=tuple(sorted(DEARER_TIERS)),
)
"""The prices of an endpoint that was declared to cost nothing (a local model)."""


def timeline_from_config(
    *,
    input: Decimal,  # noqa: A002  (the configuration's own word)
    output: Decimal | None = None,
    cache_read: Decimal | None = None,
    cache_write: Decimal | None = None,
    cache_write_1h: Decimal | None = None,
    reasoning: Decimal | None = None,
    audio_in: Decimal | None = None,
    audio_out: Decimal | None = None,
    image_in: Decimal | None = None,
    image_out: Decimal | None = None,
    request: Decimal | None = None,
    web_search: Decimal | None = None,
    dialect: str | None = None,
) -> PriceTimeline:
    """Prices in USD per million tokens (`request`, `web_search`: USD each) that hold at all times and service tiers.

    `cache_write` is the 5-minute rate. Raises ValueError where a price is negative or finer than can be kept.
    """
    if dialect == "anthropic_messages":
        if cache_write is None:
            cache_write = input * ANTHROPIC_WRITE_5M
        if cache_write_1h is None:
            cache_write_1h = input * ANTHROPIC_WRITE_1H
    period = period_from_usd(
        input=input,
        output=output,
        cache_read=cache_read,
        cache_write=cache_write,
        cache_write_1h=cache_write_1h,
        reasoning=reasoning,
        audio_in=audio_in,
        audio_out=audio_out,
        image_in=image_in,
        image_out=image_out,
        request=request,
        web_search=web_search,
    )
    return PriceTimeline(periods=(period,), source="config", standard_tiers=tuple(sorted(DEARER_TIERS)))


def period_from_usd(
    *,
    input: Decimal,  # noqa: A002
    output: Decimal | None = None,
    cache_read: Decimal | None = None,
    cache_write: Decimal | None = None,
    cache_write_1h: Decimal | None = None,
    reasoning: Decimal | None = None,
    audio_in: Decimal | None = None,
    audio_out: Decimal | None = None,
    image_in: Decimal | None = None,
    image_out: Decimal | None = None,
    request: Decimal | None = None,
    web_search: Decimal | None = None,
) -> PricePeriod:
    """One period without a beginning, from prices in USD as in `timeline_from_config`."""
    return PricePeriod(
        from_ms=0,
        rates=Rates(
            input=_rate(input),
            output=_rate(output),
            cache_read=_rate(cache_read),
            cache_write_5m=_rate(cache_write),
            cache_write_1h=_rate(cache_write_1h),
            reasoning=_rate(reasoning),
            audio_in=_rate(audio_in),
            audio_out=_rate(audio_out),
            image_in=_rate(image_in),
            image_out=_rate(image_out),
            request_fee=_fee(request),
            web_search_fee=_fee(web_search),
        ),
    )


def _rate(usd_per_mtok: Decimal | None) -> int | None:
    return None if usd_per_mtok is None else rate_from_usd_per_mtok(usd_per_mtok)


def _fee(usd: Decimal | None) -> int | None:
    if usd is None:
        return None
    if usd < 0:
        raise ValueError(f"{usd} is not a price")
    return nanousd_from_usd(usd) * PICO_PER_NANO
