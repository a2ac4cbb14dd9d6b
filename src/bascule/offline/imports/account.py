"""What a provider reports of a whole account: usage and costs by span of time and group, never single calls.

One part of a report becomes one imported row. It begins where its span does and has no end, so that no latency is
read into it; how long the span is, what the report was grouped by and how many requests it counts are tags.
"""

from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from bascule.decide.price import period_at, price_with, rates_for
from bascule.model.imported import import_id
from bascule.model.money import PriceTimeline, Rates, round_nanousd
from bascule.model.row import AttemptRow, Restates
from bascule.model.usage import NO_USAGE, Usage
from bascule.offline.imports.booking import Attribution
from bascule.offline.imports.sellers import Sellers, Sold
from bascule.offline.moment import iso_time
from bascule.offline.sums import TOKENS

TIER_UNKNOWN = "tier_unknown"
"""The model is dearer for long prompts, and the report does not say how much of the usage was long."""
SERVICE_TIER_UNKNOWN = "service_tier_unknown"
"""The model has other prices for batch, priority, …, and the report was not split by that."""
WINDOW_UNKNOWN = "window_unknown"
"""The price depends on the time of day, and the span is longer than an hour."""
PRICE_CHANGED = "price_changed"
"""The price changed within the span."""
CACHE_UNKNOWN = "cache_unknown"
"""The report does not say how much of the input came from a cache: it is priced as if none did."""

AMBIGUITIES = (TIER_UNKNOWN, SERVICE_TIER_UNKNOWN, WINDOW_UNKNOWN, PRICE_CHANGED, CACHE_UNKNOWN)

LONG_CONTEXT = 200_001
"""Input tokens of a request that is above the edge of every long-context tier that reports tell apart."""

SPAN_TAG = "span"
GROUPING_TAG = "grouping"
REQUESTS_TAG = "requests"
REPORT_TAG = "report"
APART_TAG = "apart"
"""The importing user has said which groups are those of calls that are known: this row is of none of them."""
CALL = "call"
"""The span of a row that is one call after all."""

_SPANS = {60_000: "1m", 3_600_000: "1h", 86_400_000: "1d"}
_SPAN_MS = {name: ms for ms, name in _SPANS.items()} | {CALL: 1}
_MAX_QUALITY = 2**62


class Account(Struct, frozen=True):
    """Whose reports these are, and which origins their rows have."""

    provider: str
    usage: str
    """Rows of usage, priced at the price book."""
    costs: str
    """Rows of what the provider says that it billed. They restate usage, and always say so."""


OPENAI = Account("openai", "openai-usage", "openai-costs")
ANTHROPIC = Account("anthropic", "anthropic-usage", "anthropic-costs")
OPENROUTER = Account("openrouter", "openrouter-usage", "openrouter-costs")
ACCOUNTS = (OPENAI, ANTHROPIC, OPENROUTER)
USAGE_ORIGINS = {account.usage: account for account in ACCOUNTS}
COST_ORIGINS = {account.costs: account for account in ACCOUNTS}


class Part(Struct, kw_only=True):
    """One group of one span, as a report has it. Times in milliseconds since the epoch, money in nano-USD."""

    report: str
    """Which of the account's reports: `completions`, `costs`, …"""
    start_ms: int
    end_ms: int
    group: dict[str, str]
    """What tells it from the others of its span; with the report and the span it is the row's identity."""
    model: str | None = None
    usage: Usage | None = None
    """None: a cost."""
    requests: int | None = None
    long_context: bool | None = None
    """Whether prompts were above the edge of the long-context tier; None where the report does not say."""
    service_tier_told: bool = False
    """The report was split by service tier, or knows none."""
    amount_nanousd: int | None = None
    """What the provider says that it billed."""
    key: str | None = None
    project: str | None = None
    user: str | None = None
    tags: dict[str, str] = {}
    own_id: str | None = None
    """Where the part is one call: the provider's id of it."""
    call: dict[str, Any] = {}
    """Further fields of `AttemptRow`, of a single call."""


class LeftOut(Struct, frozen=True):
    """A part of a report that is no usage of tokens and no cost, by what it counts."""

    what: str


def row_of(part: Part, account: Account, sellers: Sellers, who: Attribution, grouping: str) -> AttemptRow:
    """The imported row of a part. `grouping` is what its report was split by."""
    is_cost = part.usage is None
    origin = account.costs if is_cost else account.usage
    sold = Sold("", None, None) if part.model is None else sellers.find(part.model, account.provider)
    usage = part.usage or NO_USAGE
    rates, flags = (None, ()) if is_cost or sold.timeline is None else _rates(part, usage, sold.timeline)
    cost = part.amount_nanousd if is_cost else None if rates is None else _cost(usage, rates, part.requests)
    name = import_id(origin, source_id(part))
    searches = None if rates is None or usage.web_searches is None else rates.web_search_fee
    return AttemptRow(
        kind="import",
        origin=origin,
        attempt_id=name,
        request_id=name,
        upstream_request_id=part.own_id,
        attempt_no=1,
        key=part.key or who.key,
        org=who.org,
        team=who.team,
        project=who.project or part.project,
        user=part.user or who.user,
        tags=_tags(part, grouping) | who.tags,
        model=sold.model or part.model,
        model_reported=part.model,
        upstream_model=part.model,
        provider=account.provider,
        service_tier=usage.service_tier,
        ts_start_ms=part.start_ms,
        **{name: getattr(usage, name) for name in TOKENS},
        web_searches=usage.web_searches,
        tool_fees_nanousd=None if searches is None else round_nanousd((usage.web_searches or 0) * searches),
        usage_source=usage.source,
        usage_flags=(*usage.flags, *flags),
        usage_raw=usage.raw,
        cost_nanousd=cost,
        provider_cost_nanousd=part.amount_nanousd,
        price_version=None if is_cost else sellers.version,
        rates=rates,
        reason=part.tags.get("line_item"),
        restates="usage" if is_cost else None,
        chain="",
        **part.call,
    )


def source_id(part: Part) -> str:
    """The same for the same group of the same span, however far it has grown since."""
    if part.own_id is not None:
        return part.own_id
    group = msgspec.json.encode([part.model, *sorted(part.group.items())])
    digest = blake2b(group, digest_size=10).hexdigest()
    return f"{part.report}/{iso_time(part.start_ms)}/{span_name(part)}/{digest}"


def quality_of(row: AttemptRow) -> int:
    """A span that is not over grows: of two readings the one with more tokens is the later. Costs take the last."""
    if row.origin in COST_ORIGINS:
        return 0
    return min(sum([getattr(row, name) or 0 for name in TOKENS]), _MAX_QUALITY)


def span_name(part: Part) -> str:
    if part.own_id is not None:
        return CALL
    width_ms = part.end_ms - part.start_ms
    return _SPANS.get(width_ms) or f"{width_ms // 1000}s"


def span_of(row: AttemptRow) -> tuple[int, int]:
    """[start_ms, end_ms) of what a row of an account sums up."""
    name = row.tags.get(SPAN_TAG, "1d")
    width_ms = _SPAN_MS.get(name) or (int(name[:-1]) * 1000 if name[:-1].isdigit() else _SPAN_MS["1d"])
    return row.ts_start_ms, row.ts_start_ms + width_ms


def form_of(row: AttemptRow) -> tuple[str, str, str]:
    """Which report, how long its spans are and what it was split by: readings of one form never overlap."""
    tags = row.tags
    return tags.get(REPORT_TAG, ""), tags.get(SPAN_TAG, ""), tags.get(GROUPING_TAG, "")


def restating(row: AttemptRow, restates: Restates | None) -> AttemptRow:
    """The row, restating that."""
    return msgspec.structs.replace(row, restates=restates)


def _tags(part: Part, grouping: str) -> dict[str, str]:
    tags = {REPORT_TAG: part.report, SPAN_TAG: span_name(part), **part.tags}
    if grouping:
        tags[GROUPING_TAG] = grouping
    if part.requests is not None:
        tags[REQUESTS_TAG] = str(part.requests)
    return tags


def _rates(part: Part, usage: Usage, timeline: PriceTimeline) -> tuple[Rates | None, tuple[str, ...]]:
    """The rates of a sum of requests, and what is ambiguous about them.

    A sum of short prompts is no long prompt: the long-context tier applies only where the report says so.
    """
    single = part.own_id is not None
    rates = rates_for(
        timeline,
        part.start_ms,
        input_tokens=usage.tier_input if single else LONG_CONTEXT if part.long_context else 0,
        service_tier=usage.service_tier,
        inference_geo=usage.inference_geo,
    )
    period = period_at(timeline, part.start_ms)
    if rates is None or period is None or single:
        return rates, ()
    chosen = period.variants.get(usage.service_tier or "") or period
    flags = []
    if chosen.tiers and part.long_context is None:
        flags.append(TIER_UNKNOWN)
    if period.variants and not part.service_tier_told:
        flags.append(SERVICE_TIER_UNKNOWN)
    if chosen.windows and part.end_ms - part.start_ms > _SPAN_MS["1h"]:
        flags.append(WINDOW_UNKNOWN)
    if period_at(timeline, part.end_ms - 1) is not period:
        flags.append(PRICE_CHANGED)
    return rates, tuple(flags)


def _cost(usage: Usage, rates: Rates, requests: int | None) -> int | None:
    """Nano-USD; a request fee falls due as often as there were requests, and is unknown where that is."""
    cost = price_with(usage, rates)
    if cost is None or not rates.request_fee:
        return cost
    return None if requests is None else cost + round_nanousd(rates.request_fee * (requests - 1))
