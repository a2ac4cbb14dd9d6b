"""Anthropic usage to disjoint buckets.

`input_tokens` leaves cached tokens out already; `cache_creation_input_tokens` is the sum of the 5-minute and 1-hour
writes that `cache_creation` breaks down; `output_tokens` includes thinking, which `output_tokens_details` may tell
apart (docs.anthropic.com/en/api/messages, prompt caching). In a stream every count is cumulative: the last one said is
the count, never the sum.
"""

from typing import Any

import msgspec
from msgspec import structs

from bascule.dialects.counts import count, flag, take
from bascule.model.usage import NO_USAGE, Usage

_MAX_RAW = 4_096
_COUNTS = ("tokens_in", "tokens_cache_read", "tokens_cache_write_5m", "tokens_cache_write_1h", "tokens_out")


def read_usage(wire: Any) -> Usage:
    """The canonical usage of a decoded `usage` object; NO_USAGE where it is none.

    A compaction that the API made beside the answer is billed and counted in, flagged `compaction`: the object's own
    totals leave it out (docs.anthropic.com, compaction, `usage.iterations`).
    """
    if not isinstance(wire, dict) or not wire:
        return NO_USAGE
    usage = _read_totals(wire)
    iterations = wire.get("iterations")
    if isinstance(iterations, list):
        for item in iterations:
            if isinstance(item, dict) and item.get("type") == "compaction":
                usage = _plus(usage, _read_totals(item))
    return usage


def _plus(usage: Usage, more: Usage) -> Usage:
    added = {
        name: (getattr(usage, name) or 0) + found for name in _COUNTS if (found := getattr(more, name)) is not None
    }
    flags = tuple(dict.fromkeys([*usage.flags, *more.flags, "compaction"]))
    return structs.replace(usage, **added, flags=flags)


def _read_totals(wire: dict[str, Any]) -> Usage:
    flags: list[str] = []
    get = wire.get
    tokens_in = count(get("input_tokens"), flags)
    read = count(get("cache_read_input_tokens"), flags)
    write_5m, write_1h = _cache_writes(wire, flags)
    out = count(get("output_tokens"), flags)
    details = get("output_tokens_details")
    thinking = count(details.get("thinking_tokens"), flags) if isinstance(details, dict) else None
    reasoning, left = take(thinking, out, flags, "clamped")
    server = get("server_tool_use")
    if tokens_in == 0 and out == 0 and not read and not write_5m and not write_1h:
        flag(flags, "zero")
    geo = get("inference_geo")  # clients' logs have "" where the API said nothing
    tier = "fast" if get("speed") == "fast" else get("service_tier")
    raw = msgspec.json.encode(wire)
    return Usage(
        tokens_in=tokens_in,
        tokens_cache_read=read,
        tokens_cache_write_5m=write_5m,
        tokens_cache_write_1h=write_1h,
        tokens_out=left,
        tokens_reasoning=reasoning,
        web_searches=count(server.get("web_search_requests"), flags) if isinstance(server, dict) else None,
        service_tier=tier if isinstance(tier, str) else None,
        inference_geo=geo if geo and isinstance(geo, str) else None,
        source="none" if tokens_in is None and out is None else "reported",
        flags=tuple(flags),
        raw=raw.decode() if len(raw) <= _MAX_RAW else None,
    )


def merge_usage(earlier: dict[str, Any], later: Any) -> dict[str, Any]:
    """Two cumulative usage objects of one stream: what was said last, where it says anything. A zero does not
    take back an earlier count."""
    if not isinstance(later, dict):
        return earlier
    merged = dict(earlier)
    for key, value in later.items():
        before = merged.get(key)
        if value is None or (value == 0 and before):
            continue
        merged[key] = merge_usage(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def _cache_writes(wire: dict[str, Any], flags: list[str]) -> tuple[int | None, int | None]:
    """(5 minutes, 1 hour): the total less the 1-hour part, so that growth after `message_start` is counted."""
    total = count(wire.get("cache_creation_input_tokens"), flags)
    parts = wire.get("cache_creation")
    if not isinstance(parts, dict):
        return total, None
    short = count(parts.get("ephemeral_5m_input_tokens"), flags)
    long = count(parts.get("ephemeral_1h_input_tokens"), flags)
    if total is None:
        return short, long
    if long is not None and long > total:
        flag(flags, "clamped")  # the breakdown and its total disagree; the dearer, detailed one stands
        return short or 0, long
    return total - (long or 0), long
