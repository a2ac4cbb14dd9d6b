"""What an attempt costs: usage times the rates of its day, exactly, in integers.

The rules, in one place (the first four are genai-prices' own, which the price book is compiled from):

- *Tier*: all input tokens together (uncached, cached, written, audio, image) pick the tier, and it holds for the
  whole request, output included. An edge belongs to the cheaper side: 200,000 tokens are not above 200,000.
- *Window*: the UTC time of day at the attempt's start picks it.
- *Missing class*: a cache read or write, audio or image input without a price of its own costs as plain input; a
  1-hour write as a 5-minute write, then as input; reasoning, audio or image output as output.
- *Fees*: a request fee counts once for an attempt that has usage, a search fee once per search.
- *Unknown*: where a count or a rate that matters is unknown, so is the cost: None, never 0. Nothing consumed costs
  nothing, whatever its rate. Here Bascule differs from genai-prices, which prices what it does not know at zero.
- *Service tier*: the tier that the provider reports picks the variant. A name that the book does not know costs as
  standard (`default`, `standard`, `on_demand` and their like, and discounts that the book has not heard of), except
  for the names in `DEARER_TIERS`, where standard would be too little: there the cost is unknown.
- *Place*: where the provider charges for it (`PriceTimeline.geo_premium`) and says that the model ran in the US alone,
  every rate of tokens is 11/10, on top of all the above (platform.claude.com, "Data residency"). A place that is not
  known makes the cost unknown.
"""

from collections.abc import Collection
from operator import attrgetter
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from bascule.model.money import PricePeriod, PriceTimeline, Rates, Tier, Window, ceil_nanousd, round_nanousd
from bascule.model.usage import Usage

DEARER_TIERS = frozenset({"priority", "fast", "performance"})
"""Service tiers that cost more than standard wherever they have a price."""

GEO_PREMIUMS = {"us": (11, 10)}
"""Numerator and denominator for rates of tokens, by `inference_geo`."""
STANDARD_GEOS = frozenset({"global", "not_available"})
"""What costs as standard; models that cannot be bound to a place report the latter."""

_DEAREST_PREMIUM = max(GEO_PREMIUMS.values(), key=lambda premium: premium[0] / premium[1])

BUCKETS = (
    "tokens_in",
    "tokens_cache_read",
    "tokens_cache_write_5m",
    "tokens_cache_write_1h",
    "tokens_out",
    "tokens_reasoning",
    "tokens_audio_in",
    "tokens_audio_out",
    "tokens_image_in",
    "tokens_image_out",
)

CacheWrites = Literal["never", "5m", "1h"]

_counts = attrgetter(*BUCKETS)
_TOKEN_RATES = (
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "audio_in",
    "audio_out",
    "image_in",
    "image_out",
)
_given = attrgetter(*_TOKEN_RATES)

DAY_S = 86_400
PRICE_AHEAD_MS = 5_000
"""An attempt is priced at its start, which is later than its hold was worked out: by the rendering of its body, and
where budgets are shared by up to four waits for their authority."""


class PriceLine(Struct, frozen=True):
    """One line of a bill: `count` units at `rate` pico-USD each."""

    bucket: str
    count: int
    rate: int
    picousd: int


class Priced(Struct, frozen=True):
    """What an attempt cost, and at which rates. `cost_nanousd` includes the fees."""

    cost_nanousd: int
    tool_fees_nanousd: int
    """Search and request fees alone."""
    rates: Rates
    usage: Usage

    @property
    def lines(self) -> tuple[PriceLine, ...]:
        """The bill line by line; their sum, rounded once half up, is the cost."""
        return price_lines(self.usage, self.rates)


def period_at(timeline: PriceTimeline, ts_ms: int) -> PricePeriod | None:
    """The prices in force at `ts_ms`, or None before the first known ones."""
    periods = timeline.periods
    if periods and periods[-1].from_ms <= ts_ms:
        return periods[-1]
    for period in reversed(periods):
        if period.from_ms <= ts_ms:
            return period
    return None


def rates_for(
    timeline: PriceTimeline,
    ts_ms: int,
    *,
    input_tokens: int,
    service_tier: str | None = None,
    inference_geo: str | None = None,
) -> Rates | None:
    """The rates of a request that starts at `ts_ms` with `input_tokens` of whatever class in all.

    None where no price is known for that time, for a dearer service tier, or for the place.
    """
    period = period_at(timeline, ts_ms)
    if period is None:
        return None
    if service_tier is not None:
        variant = period.variants.get(service_tier)
        if variant is not None:
            period = variant
        elif service_tier in DEARER_TIERS and service_tier not in timeline.standard_tiers:
            return None
    rates, tiers = period.rates, period.tiers
    if period.windows:
        window = _window_at(period.windows, ts_ms)
        if window is not None:
            rates, tiers = window.rates, window.tiers
    for tier in tiers:
        if input_tokens <= tier.above_input_tokens:
            break
        rates = tier.rates
    if inference_geo is None or not timeline.geo_premium or inference_geo in STANDARD_GEOS:
        return rates
    premium = GEO_PREMIUMS.get(inference_geo)
    return None if premium is None else _times(rates, *premium)


def is_known_place(inference_geo: str | None) -> bool:
    """Whether it is known what binding the model to this place costs."""
    return inference_geo is None or inference_geo in STANDARD_GEOS or inference_geo in GEO_PREMIUMS


def price(usage: Usage, timeline: PriceTimeline, ts_ms: int) -> Priced | None:
    """Cost of an attempt that started at `ts_ms`, rounded once half up; None where it is unknown."""
    if usage.source == "none":
        return None
    rates = rates_for(
        timeline,
        ts_ms,
        input_tokens=usage.tier_input,
        service_tier=usage.service_tier,
        inference_geo=usage.inference_geo,
    )
    if rates is None:
        return None
    bill = _bill(usage, rates)
    if bill is None:
        return None
    tokens, fees = bill
    return Priced(round_nanousd(tokens + fees), round_nanousd(fees) if fees else 0, rates, usage)


def price_with(usage: Usage, rates: Rates) -> int | None:
    """Nano-USD of `usage` at rates that were chosen before: any ledger row recomputed from itself."""
    bill = _bill(usage, rates)
    return None if bill is None else round_nanousd(bill[0] + bill[1])


def price_lines(usage: Usage, rates: Rates) -> tuple[PriceLine, ...]:
    """The bill of `usage` line by line, for people. Buckets without tokens or without a rate have no line."""
    counted = [*zip(BUCKETS, _counts(usage), _effective(rates), strict=True)]
    counted.append(("requests", 1, rates.request_fee))
    counted.append(("web_searches", usage.web_searches, rates.web_search_fee))
    return tuple(PriceLine(name, n, rate, n * rate) for name, n, rate in counted if n and rate is not None)


def dearest_rates(
    timeline: PriceTimeline,
    ts_ms: int,
    input_token_bound: int,
    *,
    service_tiers: Collection[str] | None = None,
    cache_writes: CacheWrites = "1h",
) -> Rates | None:
    """Rates that no request of at most `input_token_bound` input tokens can exceed: what a hold is taken at.

    It may start up to `PRICE_AHEAD_MS` later, when the next prices are in force. Each bucket has its dearest rate over
    all daily windows, all tiers within reach and all service tiers in `service_tiers` (None: all that the book knows,
    because an account's default may be a dearer one; the standard one always counts). `input` is the dearest class that
    plain input may turn into: read from a cache, or written to one, since a provider may cache on its own or because
    the client asked. `cache_writes` narrows that where the caller knows better: `5m` where nobody asked for an hour,
    `never` where writes cost nothing extra or cannot happen. Where places cost more, the dearest is meant, since an
    account may have one of its own as its default. Likewise `output` covers reasoning and generated audio and images.
    Audio and image input are only in their own fields. None where no input price is known; `output` is None where only
    that is unknown.
    """
    periods = _soon(timeline, ts_ms)
    return _anywhere(timeline, _dearest(periods, input_token_bound, service_tiers, cache_writes)) if periods else None


class Ceiling(Struct, frozen=True):
    """The dearest rates from `from_ms` on: of requests above each edge in turn, beginning with -1."""

    from_ms: int
    steps: tuple[tuple[int, Rates | None], ...]


def ceilings(
    timeline: PriceTimeline, *, service_tiers: Collection[str] | None = None, cache_writes: CacheWrites = "1h"
) -> tuple[Ceiling, ...]:
    """`dearest_rates` worked out ahead for every date and bound (10 to 20 us once, so that a request pays 0.2 us)."""
    found = []
    begins = {period.from_ms for period in timeline.periods}
    for from_ms in sorted(begins | {begin_ms - PRICE_AHEAD_MS for begin_ms in begins}):
        if not (periods := _soon(timeline, from_ms)):
            continue
        edges = {tier.above_input_tokens for period in periods for tier in _all_tiers(period)}
        steps = [
            (edge, _anywhere(timeline, _dearest(periods, edge + 1, service_tiers, cache_writes)))
            for edge in (-1, *sorted(edges))
        ]
        found.append(Ceiling(from_ms, tuple(steps)))
    return tuple(found)


def ceiling_at(found: tuple[Ceiling, ...], ts_ms: int, input_token_bound: int) -> Rates | None:
    """Exactly what `dearest_rates` gives, from `ceilings`."""
    for ceiling in reversed(found):
        if ceiling.from_ms <= ts_ms:
            rates = None
            for edge, dearest in ceiling.steps:
                if input_token_bound <= edge:
                    break
                rates = dearest
            return rates
    return None


def bound_nanousd(
    rates: Rates, *, input_tokens: int, output_tokens: int, web_searches: int = 0, calls: int = 1
) -> int | None:
    """Nano-USD that an attempt can cost at most at `rates` (see `dearest_rates`), rounded up; None where unknown.

    `output_tokens` is the sum over all choices; `calls` is the number of times that a request fee may fall due.
    """
    if (
        rates.input is None
        or (output_tokens and rates.output is None)
        or (web_searches and rates.web_search_fee is None)
    ):
        return None
    picousd = input_tokens * rates.input + output_tokens * (rates.output or 0)
    picousd += web_searches * (rates.web_search_fee or 0) + calls * (rates.request_fee or 0)
    return ceil_nanousd(picousd)


def _bill(usage: Usage, rates: Rates) -> tuple[int, int] | None:
    """Pico-USD of tokens and of fees, or None where a count or a rate that matters is unknown."""
    if rates.input is None and rates.output is None:
        return None  # priced by something that is not a token: seconds, pages
    if usage.tokens_in is None and rates.input != 0:
        return None
    if usage.tokens_out is None and rates.output and usage.tokens_reasoning is None and usage.tokens_audio_out is None:
        return None
    tokens = 0
    for count, rate in zip(_counts(usage), _effective(rates), strict=True):
        if count:
            if rate is None:
                return None
            tokens += count * rate
    fees = rates.request_fee or 0
    if usage.web_searches:
        if rates.web_search_fee is None:
            return None
        fees += usage.web_searches * rates.web_search_fee
    return tokens, fees


def _effective(rates: Rates) -> tuple[int | None, ...]:
    """The rate of each of `BUCKETS`, classes without a price of their own filled in; the order is that of BUCKETS."""
    input_, read, write_5m, write_1h, output, reasoning, audio_in, audio_out, image_in, image_out = _given(rates)
    if write_5m is None:
        write_5m = input_
    return (
        input_,
        input_ if read is None else read,
        write_5m,
        write_5m if write_1h is None else write_1h,
        output,
        output if reasoning is None else reasoning,
        input_ if audio_in is None else audio_in,
        output if audio_out is None else audio_out,
        input_ if image_in is None else image_in,
        output if image_out is None else image_out,
    )


def _window_at(windows: tuple[Window, ...], ts_ms: int) -> Window | None:
    second = ts_ms // 1000 % DAY_S
    for window in windows:
        if window.start_s <= window.end_s:
            if window.start_s <= second < window.end_s:
                return window
        elif second >= window.start_s or second < window.end_s:
            return window
    return None


def _reachable(period: PricePeriod, input_token_bound: int) -> list[Rates]:
    """All rates that a request of at most this many input tokens may meet within the period."""

    def of(rates: Rates, tiers: tuple[Tier, ...]) -> list[Rates]:
        return [rates, *(tier.rates for tier in tiers if input_token_bound > tier.above_input_tokens)]

    found = of(period.rates, period.tiers)
    for window in period.windows:
        found += of(window.rates, window.tiers)
    return found


def _all_tiers(period: PricePeriod) -> list[Tier]:
    found = [*period.tiers, *(tier for window in period.windows for tier in window.tiers)]
    for variant in period.variants.values():
        found += _all_tiers(variant)
    return found


def _soon(timeline: PriceTimeline, ts_ms: int) -> list[PricePeriod]:
    """What is in force at some time from `ts_ms` until `PRICE_AHEAD_MS` later; nothing where nothing is now."""
    now = period_at(timeline, ts_ms)
    if now is None:
        return []
    return [now, *[one for one in timeline.periods if ts_ms < one.from_ms <= ts_ms + PRICE_AHEAD_MS]]


def _dearest(
    periods: list[PricePeriod], input_token_bound: int, service_tiers: Collection[str] | None, cache_writes: CacheWrites
) -> Rates | None:
    reachable: list[Rates] = []
    for period in periods:
        reachable += _reachable(period, input_token_bound)
        for name, variant in period.variants.items():
            if service_tiers is None or name in service_tiers:
                reachable += _reachable(variant, input_token_bound)
    if any(rates.input is None for rates in reachable):
        return None
    columns = zip(*map(_effective, reachable), strict=True)
    input_, read, write_5m, write_1h, output, reasoning, audio_in, audio_out, image_in, image_out = map(_max, columns)
    classes = [input_, read]
    if cache_writes != "never":
        classes.append(write_5m)
    if cache_writes == "1h":
        classes.append(write_1h)
    return Rates(
        input=_max(classes),
        cache_read=read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        output=_max((output, reasoning, audio_out, image_out)),
        reasoning=reasoning,
        audio_in=audio_in,
        audio_out=audio_out,
        image_in=image_in,
        image_out=image_out,
        request_fee=max((r.request_fee for r in reachable if r.request_fee is not None), default=None),
        web_search_fee=_max([r.web_search_fee for r in reachable]),
    )


def _anywhere(timeline: PriceTimeline, rates: Rates | None) -> Rates | None:
    """The rates at the dearest place."""
    if rates is None or not timeline.geo_premium:
        return rates
    return _times(rates, *_DEAREST_PREMIUM)


def _times(rates: Rates, numerator: int, denominator: int) -> Rates:
    """Rates of tokens times a fraction, rounded up where a rate is no multiple of the denominator; fees stay."""
    dearer = {
        name: -(-rate * numerator // denominator)
        for name, rate in zip(_TOKEN_RATES, _given(rates), strict=True)
        if rate is not None
    }
    return replace(rates, **dearer)


def _max(rates: Collection[int | None]) -> int | None:
    """The dearest, or None where one of them is unknown."""
    known = [rate for rate in rates if rate is not None]
    return max(known) if known and len(known) == len(rates) else None
