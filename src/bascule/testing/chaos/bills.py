"""Bills worked out again from the wire's counts, by arithmetic of its own: no code that the gateway charges with."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]
"""A line of `bascule ledger export --rows attempts`."""
Usage = dict[str, Any]
Buckets = dict[str, int]
Tariff = Callable[[Row, Buckets], int]
"""Nano-USD of these buckets at the price that held for a row's endpoint when it was asked, rounded once, half up."""

BUCKETS = (
    "tokens_in",
    "tokens_cache_read",
    "tokens_cache_write_5m",
    "tokens_cache_write_1h",
    "tokens_out",
    "tokens_reasoning",
)
PICO_PER_NANO = 1_000


def buckets(dialect: str, usage: Usage) -> Buckets:
    """The ledger's disjoint buckets of a scripted provider's wire usage; zeros included."""
    return dict(zip(BUCKETS, _READ[dialect](usage), strict=True))


def _openai(usage: Usage) -> tuple[int, ...]:
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    cached, written = prompt.get("cached_tokens") or 0, prompt.get("cache_write_tokens") or 0
    reasoning = completion.get("reasoning_tokens") or 0
    output = (usage.get("completion_tokens") or 0) - reasoning
    return usage["prompt_tokens"] - cached - written, cached, written, 0, output, reasoning


def _responses(usage: Usage) -> tuple[int, ...]:
    given, made = usage["input_tokens_details"], usage["output_tokens_details"]
    cached, written, reasoning = given["cached_tokens"], given["cache_write_tokens"], made["reasoning_tokens"]
    return usage["input_tokens"] - cached - written, cached, written, 0, usage["output_tokens"] - reasoning, reasoning


def _anthropic(usage: Usage) -> tuple[int, ...]:
    written = usage.get("cache_creation_input_tokens") or 0
    hour = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
    cached = usage.get("cache_read_input_tokens") or 0
    return usage["input_tokens"], cached, written - hour, hour, usage.get("output_tokens") or 0, 0


def _gemini(usage: Usage) -> tuple[int, ...]:
    cached = usage.get("cachedContentTokenCount", 0)
    fresh = usage["promptTokenCount"] - cached
    return fresh, cached, 0, 0, usage.get("candidatesTokenCount", 0), usage.get("thoughtsTokenCount", 0)


def _cohere(usage: Usage) -> tuple[int, ...]:
    billed, cached = usage["billed_units"], usage.get("cached_tokens", 0)
    return billed["input_tokens"] - cached, cached, 0, 0, billed["output_tokens"], 0


def _bedrock(usage: Usage) -> tuple[int, ...]:
    hour = sum(one["inputTokens"] for one in usage.get("cacheDetails", ()) if one["ttl"] == "1h")
    cached, written = usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]
    return usage["inputTokens"], cached, written - hour, hour, usage["outputTokens"], 0


_READ: dict[str, Callable[[Usage], tuple[int, ...]]] = {
    "openai": _openai,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "cohere": _cohere,
    "bedrock": _bedrock,
}


def billed_nanousd(tariff: Tariff, row: Row, dialect: str, usage: Usage | None) -> int:
    """What the provider bills for a usage; nothing for none."""
    return 0 if usage is None else tariff(row, buckets(dialect, usage))


def tariff_of(prices: Mapping[str, Mapping[str, float]]) -> Tariff:
    """By the row's model, from USD per million tokens as a configuration has them."""

    def nanousd(row: Row, counts: Buckets) -> int:
        price = prices[row["model"]]
        write = price.get("cache_write", price["input"])
        rates = {
            "tokens_in": price["input"],
            "tokens_cache_read": price.get("cache_read", price["input"]),
            "tokens_cache_write_5m": write,
            "tokens_cache_write_1h": price.get("cache_write_1h", write),
            "tokens_out": price["output"],
            "tokens_reasoning": price["output"],
        }
        usd = sum((Decimal(str(rates[name])) * count for name, count in counts.items()), Decimal(0)) / 1_000_000
        return int((usd * 1_000_000_000).to_integral_value(ROUND_HALF_UP))

    return nanousd
