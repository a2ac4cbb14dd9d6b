"""Prices worked out again, from the configuration's decimals and the wire's counts: no code of the gateway's."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.acceptance.configuration import PRICES

Buckets = dict[str, int]
BUCKETS = (
    "tokens_in",
    "tokens_cache_read",
    "tokens_cache_write_5m",
    "tokens_cache_write_1h",
    "tokens_out",
    "tokens_reasoning",
)


def buckets(dialect: str, usage: dict[str, Any]) -> Buckets:
    """INTERFACE's disjoint buckets of a provider's wire usage; zeros included."""
    if dialect == "responses":
        given, made = usage["input_tokens_details"], usage["output_tokens_details"]
        cached, written = given["cached_tokens"], given["cache_write_tokens"]
        return {
            "tokens_in": usage["input_tokens"] - cached - written,
            "tokens_cache_read": cached,
            "tokens_cache_write_5m": written,
            "tokens_cache_write_1h": 0,
            "tokens_out": usage["output_tokens"] - made["reasoning_tokens"],
            "tokens_reasoning": made["reasoning_tokens"],
        }
    if dialect == "openai":
        prompt = usage.get("prompt_tokens_details") or {}
        completion = usage.get("completion_tokens_details") or {}
        cached, reasoning = prompt.get("cached_tokens") or 0, completion.get("reasoning_tokens") or 0
        written = prompt.get("cache_write_tokens") or 0
        return {
            "tokens_in": usage["prompt_tokens"] - cached - written,
            "tokens_cache_read": cached,
            "tokens_cache_write_5m": written,
            "tokens_cache_write_1h": 0,
            "tokens_out": (usage.get("completion_tokens") or 0) - reasoning,
            "tokens_reasoning": reasoning,
        }
    if dialect == "gemini":
        return {
            "tokens_in": usage["promptTokenCount"] - usage.get("cachedContentTokenCount", 0),
            "tokens_cache_read": usage.get("cachedContentTokenCount", 0),
            "tokens_cache_write_5m": 0,
            "tokens_cache_write_1h": 0,
            "tokens_out": usage.get("candidatesTokenCount", 0),
            "tokens_reasoning": usage.get("thoughtsTokenCount", 0),
        }
    written = usage.get("cache_creation_input_tokens") or 0
    hour = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
    return {
        "tokens_in": usage["input_tokens"],
        "tokens_cache_read": usage.get("cache_read_input_tokens") or 0,
        "tokens_cache_write_5m": written - hour,
        "tokens_cache_write_1h": hour,
        "tokens_out": usage["output_tokens"],
        "tokens_reasoning": 0,
    }


def nanousd(model: str, counts: Buckets) -> int:
    """The cost of these buckets at the configuration's price, rounded once, half up."""
    price = PRICES[model]
    per_million = {
        "tokens_in": price["input"],
        "tokens_cache_read": price.get("cache_read", price["input"]),
        "tokens_cache_write_5m": price.get("cache_write", price["input"]),
        "tokens_cache_write_1h": price.get("cache_write_1h", price.get("cache_write", price["input"])),
        "tokens_out": price["output"],
        "tokens_reasoning": price["output"],
    }
    usd = sum((Decimal(str(per_million[name])) * count for name, count in counts.items()), Decimal(0)) / 1_000_000
    return int((usd * 1_000_000_000).to_integral_value(ROUND_HALF_UP))


def billed_nanousd(model: str, dialect: str, usage: dict[str, Any] | None) -> int:
    """What the provider bills for a usage; nothing for none."""
    return 0 if usage is None else nanousd(model, buckets(dialect, usage))
