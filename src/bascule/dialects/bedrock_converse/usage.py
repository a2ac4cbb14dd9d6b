"""Converse's usage to disjoint buckets.

`inputTokens` leaves out what the cache gave and took, `cacheWriteInputTokens` is the sum of the writes that
`cacheDetails` tells apart by their life, and `outputTokens` includes reasoning, which is not told apart
(docs.aws.amazon.com, API_runtime_TokenUsage; prompt caching).
"""

from typing import Any

import msgspec

from bascule.dialects.counts import count, flag
from bascule.model.usage import NO_USAGE, Usage

_MAX_RAW = 4_096


def read_usage(wire: Any, service_tier: Any = None) -> Usage:
    """The canonical usage of a decoded `usage` object, with the reply's `serviceTier`; NO_USAGE where it is none."""
    if not isinstance(wire, dict) or not wire:
        return NO_USAGE
    flags: list[str] = []
    tokens_in = count(wire.get("inputTokens"), flags)
    read = count(wire.get("cacheReadInputTokens"), flags)
    written = count(wire.get("cacheWriteInputTokens"), flags)
    long = _written_for_an_hour(wire.get("cacheDetails"), flags)
    if long is not None and written is not None and long > written:
        flag(flags, "clamped")  # the breakdown and its total disagree; the dearer, detailed one stands
        written = long
    out = count(wire.get("outputTokens"), flags)
    if tokens_in == 0 and out == 0 and not read and not written:
        flag(flags, "zero")
    tier = service_tier.get("type") if isinstance(service_tier, dict) else None
    raw = msgspec.json.encode(wire)
    return Usage(
        tokens_in=tokens_in,
        tokens_cache_read=read,
        tokens_cache_write_5m=None if written is None else written - (long or 0),
        tokens_cache_write_1h=long,
        tokens_out=out,
        service_tier=tier if isinstance(tier, str) else None,
        source="none" if tokens_in is None and out is None else "reported",
        flags=tuple(flags),
        raw=raw.decode() if len(raw) <= _MAX_RAW else None,
    )


def _written_for_an_hour(details: Any, flags: list[str]) -> int | None:
    """The writes of `cacheDetails` that live for an hour; None where it does not speak of any."""
    found: int | None = None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("ttl") == "1h":
            written = count(detail.get("inputTokens"), flags)
            found = written if found is None else found + (written or 0)
    return found
