"""Our cost equals genai-prices' own calculation, to the nano-dollar, on every model it knows.

genai-prices counts input and output inclusively and prices what it does not know at zero. So its usage is made from
our buckets by adding up, and a disagreement is allowed only for the reasons in `why_unknown`, `rounding_bound_nanousd`
and `TEXT_ONLY_AT_GENAI`, each counted, so that a new one cannot hide. `docs/prices.md` lists them for readers.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from genai_prices import Usage as GenaiUsage
from genai_prices import calc_price
from genai_prices.data import providers as genai_providers
from genai_prices.types import (
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseStartsWith,
    ModelInfo,
    ModelPrice,
    TieredPrices,
)
from msgspec.structs import replace

from bascule.decide.price import BUCKETS, price
from bascule.model.usage import Usage
from bascule.prices.book import PriceBook

BOOK = PriceBook()
DATES = (  # off-peak and peak hours, before and after changes of price
    datetime(2025, 6, 15, 17, 0, tzinfo=UTC),
    datetime(2025, 12, 1, 9, 30, tzinfo=UTC),
    datetime(2026, 5, 1, 0, 0, tzinfo=UTC),
    datetime(2026, 8, 20, 2, 15, tzinfo=UTC),
    datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC),
)
TEXT_ONLY_AT_GENAI = {  # the overlay has the audio prices that genai-prices lacks; on text both must agree
    ("openai", "gpt-4o-audio-preview"),
    ("openai", "gpt-4o-mini-audio-preview"),
}
FINER_THAN_PICO = Decimal("0.000001")  # USD per million tokens: one pico-dollar per token
CONTEXTS = {"batch": "processing", "flex": "service_tier", "priority": "service_tier", "fast": "service_tier"}


def models() -> Iterator[tuple[str, ModelInfo]]:
    for provider in genai_providers:
        for model in provider.models:
            yield provider.id, model


def name_of(provider: str, model: ModelInfo) -> str | None:
    """A name that genai-prices resolves; None where its own id does not and no clause tells one (AWS regions)."""
    found = next(p for p in genai_providers if p.id == provider)
    parts = model.match.or_ if isinstance(model.match, ClauseOr) else [model.match]
    names = [part.equals for part in parts if isinstance(part, ClauseEquals)]
    names += [f"{part.starts_with}-20250929" for part in parts if isinstance(part, ClauseStartsWith)]
    names += [f"x{part.ends_with}" for part in parts if isinstance(part, ClauseEndsWith)]
    names += [part.contains for part in parts if isinstance(part, ClauseContains)]
    return next((name for name in [*names, model.id] if found.find_model(name) is not None), None)


def mixed_usage(dice: random.Random) -> Usage:
    scale = dice.choice((1_000, 50_000, 150_000, 400_000))
    return Usage(
        tokens_in=dice.randrange(scale),
        tokens_cache_read=dice.choice((0, dice.randrange(scale))),
        tokens_cache_write_5m=dice.choice((0, dice.randrange(scale))),
        tokens_cache_write_1h=dice.choice((0, dice.randrange(scale // 10))),
        tokens_out=dice.randrange(20_000),
        tokens_reasoning=dice.choice((0, dice.randrange(20_000))),
        tokens_audio_in=dice.choice((0, 0, dice.randrange(5_000))),
        tokens_audio_out=dice.choice((0, 0, dice.randrange(5_000))),
        tokens_image_in=dice.choice((0, 0, dice.randrange(5_000))),
        tokens_image_out=dice.choice((0, 0, dice.randrange(5_000))),
        web_searches=dice.choice((0, 0, 3)),
        source="reported",
    )


def as_genai(usage: Usage) -> GenaiUsage:
    """The same usage, inclusively; what none of our buckets counts is said to be zero."""
    writes = (usage.tokens_cache_write_5m or 0) + (usage.tokens_cache_write_1h or 0)
    return GenaiUsage(
        input_tokens=usage.tier_input,
        cache_read_tokens=usage.tokens_cache_read,
        cache_write_tokens=writes,
        cache_write_1h_tokens=usage.tokens_cache_write_1h,
        input_audio_tokens=usage.tokens_audio_in,
        input_image_tokens=usage.tokens_image_in,
        output_tokens=usage.billed_output + (usage.tokens_audio_out or 0) + (usage.tokens_image_out or 0),
        output_reasoning_tokens=usage.tokens_reasoning,
        output_audio_tokens=usage.tokens_audio_out,
        output_image_tokens=usage.tokens_image_out,
        web_searches=usage.web_searches,
        cache_audio_read_tokens=0,
        cache_image_read_tokens=0,
        input_video_tokens=0,
        output_video_tokens=0,
        output_citation_tokens=0,
    )


def nano(usd: Decimal) -> int:
    return int((usd * 10**9).quantize(Decimal(1), ROUND_HALF_UP))


def why_unknown(prices: ModelPrice, usage: Usage) -> str | None:
    """What we refuse to price and genai-prices counts as zero."""
    known = prices.__dict__
    if "input_mtok" not in known and "output_mtok" not in known:
        return "no token price"
    if "input_mtok" not in known:
        return "no input price"
    if "output_mtok" not in known:
        return "no output price"
    if usage.web_searches and "web_searches_kcount" not in known:
        return "no search price"
    return None


def rounding_bound_nanousd(prices: ModelPrice, usage: Usage) -> int:
    """How far rates that are finer than a pico-dollar may move the cost: half a pico-dollar a token."""
    values = [v for p in prices.__dict__.values() for v in (_all_values(p) if p is not None else ())]
    if all(value % FINER_THAN_PICO == 0 for value in values):
        return 0
    return (usage.tier_input + usage.billed_output + 20_000) // 2_000 + 1


def _all_values(price: Decimal | TieredPrices) -> list[Decimal]:
    return [price.base, *(tier.price for tier in price.tiers)] if isinstance(price, TieredPrices) else [price]


def check(provider: str, model: str, usage: Usage, when: datetime, seen: Counter[str]) -> None:
    tier = usage.service_tier
    context = None
    if tier is not None:
        context = {CONTEXTS[tier]: tier}
        if provider == "anthropic" and tier == "fast":
            context = {"speed": tier}
    theirs = calc_price(
        as_genai(usage), model, provider_id=provider, genai_request_timestamp=when, price_context=context
    )
    entry = BOOK.entry(provider, model)
    assert entry is not None
    assert entry.id == theirs.model.id
    timeline = entry.timeline
    ours = None if timeline is None else price(usage, timeline, int(when.timestamp() * 1000))
    label = f"{provider}/{model} at {when} {tier}: {usage}"
    if ours is None:
        reason = why_unknown(theirs.model_price, usage)
        assert reason is not None, f"unknown for us alone: {label}"
        seen[reason] += 1
        return
    expected = nano(theirs.total_price)
    bound = rounding_bound_nanousd(theirs.model_price, usage)
    assert abs(ours.cost_nanousd - expected) <= bound, f"{ours.cost_nanousd} != {expected} for {label}"
    seen["equal" if ours.cost_nanousd == expected else "rate finer than a pico-dollar"] += 1


def test_every_model_on_mixed_usage() -> None:
    dice = random.Random(20261121)
    seen: Counter[str] = Counter()
    equal: set[tuple[str, str]] = set()
    for provider, model in models():
        usage = mixed_usage(dice)
        if dice.random() < 0.5:
            usage = Usage(tokens_in=usage.tokens_in, tokens_out=usage.tokens_out, source="reported")
        before = seen["equal"]
        name = name_of(provider, model)
        if name is None:
            seen["no name found"] += 1
            continue
        if (provider, model.id) in TEXT_ONLY_AT_GENAI:
            usage = replace(usage, tokens_audio_in=0, tokens_audio_out=0)
        check(provider, name, fill(usage), dice.choice(DATES), seen)
        if seen["equal"] > before:
            equal.add((provider, model.id))
    assert len(equal) >= 1_500, seen
    assert seen["rate finer than a pico-dollar"] <= 40, seen


def fill(usage: Usage) -> Usage:
    """Zero where nothing is said: genai-prices wants a number for every class it may price."""
    counts = {name: getattr(usage, name) or 0 for name in (*BUCKETS, "web_searches")}
    return replace(usage, **counts, source="reported")


@pytest.mark.parametrize("tier", CONTEXTS)
def test_every_service_tier(tier: str) -> None:
    dice = random.Random(tier)
    seen: Counter[str] = Counter()
    for provider, model in models():
        if not any(tier in variant.when.values() for variant in model.price_variants or ()):
            continue
        for when in DATES[-2:]:
            usage = replace(fill(mixed_usage(dice)), service_tier=tier)
            name = name_of(provider, model)
            timeline = None if name is None else BOOK.lookup(provider, name)
            if name is None or timeline is None:
                assert not {"input_mtok", "output_mtok"} & model.get_prices(when).__dict__.keys()
                continue
            period = [p for p in timeline.periods if p.from_ms <= when.timestamp() * 1000][-1]
            if tier in period.variants:
                check(provider, name, usage, when, seen)
    assert seen["equal"] >= 20, seen


def test_tier_edges_and_daily_windows() -> None:
    """One token decides, and one second."""
    seen: Counter[str] = Counter()
    for tokens in (199_999, 200_000, 200_001):
        for cached in (0, 100_000, tokens):
            usage = fill(Usage(tokens_in=tokens - cached, tokens_cache_read=cached, tokens_out=1_000))
            check("anthropic", "claude-sonnet-4-5", usage, DATES[1], seen)
            check("google", "gemini-2.5-pro", usage, DATES[1], seen)
    for clock in ("00:29:59", "00:30:00", "16:29:59", "16:30:00", "23:59:59"):
        when = datetime.fromisoformat(f"2025-06-15T{clock}+00:00")
        check("deepseek", "deepseek-chat", fill(Usage(tokens_in=10_001, tokens_out=999)), when, seen)
    assert seen == {"equal": 23}
