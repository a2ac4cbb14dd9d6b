"""Prices of the configuration as timelines.

What is not given is not guessed, with one exception. A cache read without a price costs as input, a 5-minute write
as input, a 1-hour write as a 5-minute one: the general rule of `decide.price`. Anthropic however documents that
writing costs 1.25 times (5 minutes) and twice (1 hour) its input price, whatever the model
(https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#pricing), so on its dialect those are used,
and for its models on Bedrock, where the same holds (aws.amazon.com/bedrock/pricing); counting such writes as input
would be too little.
"""

from bascule.config.shape import Price, Prices, Rates
from bascule.decide.price import DEARER_TIERS
from bascule.model.money import PricePeriod, PriceTimeline, Tier, Window
from bascule.model.money import Rates as ModelRates


def timeline(prices: Prices, dialect: str, *, claude_on_bedrock: bool = False) -> PriceTimeline:
    """Configured prices, in the order of their days. They hold for dear service tiers too, unless a variant says
    otherwise: the user states what is paid. What Anthropic adds for a place is added to them, as to its own."""
    periods = prices if isinstance(prices, tuple) else (prices,)
    at_anthropic = dialect == "anthropic_messages"
    dear_writes = at_anthropic or claude_on_bedrock
    made = sorted([_period(price, dear_writes) for price in periods], key=lambda period: period.from_ms)
    return PriceTimeline(
        periods=tuple(made),
        source="config",
        standard_tiers=tuple(sorted(DEARER_TIERS)),
        geo_premium=at_anthropic,
    )


def is_free(prices: Prices) -> bool:
    """Whether the user says that it costs nothing: input and output are 0, and nothing else costs anything."""
    periods = prices if isinstance(prices, tuple) else (prices,)
    for price in periods:
        parts: list[Rates] = [price, *price.tiers, *price.windows, *price.variants.values()]
        if price.input != 0 or price.output != 0 or any(_costs(part) for part in parts):
            return False
    return True


def searches_stated(prices: Prices) -> bool:
    """Whether each period says what a search of the provider's own costs."""
    periods = prices if isinstance(prices, tuple) else (prices,)
    return all(price.web_search_usd is not None for price in periods)


def _costs(rates: Rates) -> bool:
    return any(getattr(rates, name) for name in Rates.__struct_fields__)


def _period(price: Price, dear_writes: bool) -> PricePeriod:
    return PricePeriod(
        from_ms=price.from_ms or 0,
        rates=_rates(price, dear_writes),
        tiers=tuple([Tier(tier.above_input_tokens, _rates(tier, dear_writes)) for tier in price.tiers]),
        windows=tuple([Window(w.from_s, w.to_s % 86_400, _rates(w, dear_writes)) for w in price.windows]),
        variants={
            name: PricePeriod(from_ms=price.from_ms or 0, rates=_rates(rates, dear_writes))
            for name, rates in price.variants.items()
        },
    )


def _rates(rates: Rates, dear_writes: bool) -> ModelRates:
    """`dear_writes`: what writes cost follows from the input price, where they have none of their own."""
    write_5m, write_1h = rates.cache_write, rates.cache_write_1h
    if dear_writes and rates.input is not None:
        # Rounded up: never below what is billed.
        write_5m = -(-rates.input * 5 // 4) if write_5m is None else write_5m
        write_1h = rates.input * 2 if write_1h is None else write_1h
    return ModelRates(
        input=rates.input,
        output=rates.output,
        cache_read=rates.cache_read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        reasoning=rates.reasoning,
        audio_in=rates.audio_in,
        audio_out=rates.audio_out,
        image_in=rates.image_in,
        image_out=rates.image_out,
        request_fee=rates.request_usd,
        web_search_fee=rates.web_search_usd,
    )
