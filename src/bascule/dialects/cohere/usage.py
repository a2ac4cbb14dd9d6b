"""Cohere's usage to disjoint buckets.

What is billed are `billed_units`; `tokens` also counts the prompt's template, which is not (docs.cohere.com,
"How Does Cohere's Pricing Work?"). `cached_tokens` counts of `tokens`, so it may be more than what is billed: of the
billed input that much at most came from the cache. Reasoning is output and not told apart.
"""

from typing import Any

import msgspec

from bascule.dialects.counts import count, flag
from bascule.model.usage import NO_USAGE, Usage

_MAX_RAW = 4_096


def read_usage(wire: Any) -> Usage:
    """The canonical usage of a decoded `usage` object; NO_USAGE where it is none."""
    if not isinstance(wire, dict) or not wire:
        return NO_USAGE
    flags: list[str] = []
    billed, counted = wire.get("billed_units"), wire.get("tokens")
    if not isinstance(billed, dict) or billed.get("output_tokens") is None:
        billed = counted if isinstance(counted, dict) else {}  # servers of one's own bill nothing
    tokens_in = count(billed.get("input_tokens"), flags)
    out = count(billed.get("output_tokens"), flags)
    cached = count(wire.get("cached_tokens"), flags)
    if cached is not None and tokens_in is not None:
        cached = min(cached, tokens_in)
    if tokens_in == 0 and out == 0:
        flag(flags, "zero")
    raw = msgspec.json.encode(wire)
    return Usage(
        tokens_in=tokens_in if cached is None or tokens_in is None else tokens_in - cached,
        tokens_cache_read=cached,
        tokens_out=out,
        source="none" if tokens_in is None and out is None else "reported",
        flags=tuple(flags),
        raw=raw.decode() if len(raw) <= _MAX_RAW else None,
    )
