"""OpenRouter's activity: the API's days by endpoint, and the CSV of single generations.

Fields as of openrouter.ai/docs, "Get user activity": `usage` is what was charged in credits (USD); with a key of
one's own the provider is paid directly, which `byok_usage_inference` says. Completion tokens contain reasoning.
The API does not tell cached input apart, the CSV does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from bascule.model.usage import Usage
from bascule.offline.imports.account import CACHE_UNKNOWN, LeftOut, Part
from bascule.offline.imports.columns import count, dollars, flag, given, moment, text

DAY_MS = 86_400_000
ACTIVITY = "activity"
GROUPS = ("endpoint_id", "provider_name", "workspace_id", "api_key_name", "user", "app_name")


def parts(found: dict[str, Any]) -> Iterator[Part | LeftOut]:
    """What one object of a file tells: the API's answer, an item of it, or a row of CSV. Raises ValueError."""
    if isinstance(found.get("data"), list):
        for item in found["data"]:
            if not isinstance(item, dict):
                raise ValueError("expected an object")
            yield from parts(item)
    elif found.get("generation_id"):
        yield _generation(found)
    elif "date" in found:
        yield _day(found)
    elif "data" not in found:
        raise ValueError("no answer or row of OpenRouter's activity: it has neither date nor generation_id")


def _day(found: dict[str, Any]) -> Part:
    start_ms = given(found, "date", moment)
    model = given(found, "model_permaslug", text) or given(found, "model", text)
    if start_ms is None or model is None:
        raise ValueError("date, model: an item of the activity needs both")
    if found.get("prompt_tokens") is None:
        raise ValueError("prompt_tokens: an item of the activity needs them")
    group = {name: value for name in GROUPS if (value := given(found, name, text)) is not None}
    start_ms -= start_ms % DAY_MS
    return Part(
        report=ACTIVITY,
        start_ms=start_ms,
        end_ms=start_ms + DAY_MS,
        group=group,
        model=model,
        usage=_usage(found, "prompt_tokens", "completion_tokens", "reasoning_tokens", None),
        requests=given(found, "requests", count),
        long_context=None,
        service_tier_told=True,
        amount_nanousd=given(found, "usage", dollars),
        key=group.get("api_key_name"),
        project=group.get("workspace_id"),
        user=group.get("user"),
        tags=_tags(found),
    )


def _generation(found: dict[str, Any]) -> Part:
    start_ms = given(found, "created_at", moment)
    model = given(found, "model_permaslug", text)
    if start_ms is None or model is None:
        raise ValueError("created_at, model_permaslug: a generation needs both")
    variant = given(found, "variant", text)
    if variant is not None and variant != "standard" and ":" not in model:
        model = f"{model}:{variant}"
    cancelled = given(found, "cancelled", flag)
    first_ms = given(found, "time_to_first_token_ms", _milliseconds)
    whole_ms = given(found, "generation_time_ms", _milliseconds)
    return Part(
        report="generations",
        start_ms=start_ms,
        end_ms=start_ms + 1,
        group={},
        model=model,
        usage=_usage(found, "tokens_prompt", "tokens_completion", "tokens_reasoning", "tokens_cached"),
        requests=1,
        service_tier_told=True,
        amount_nanousd=given(found, "cost_total", dollars),
        key=given(found, "api_key_name", text),
        user=given(found, "user", text),
        tags=_tags(found),
        own_id=text(found["generation_id"]),
        call={
            "ts_first_ms": None if first_ms is None else start_ms + first_ms,
            "ts_end_ms": None if whole_ms is None else start_ms + whole_ms,
            "stream": bool(given(found, "streamed", flag)),
            "finish_reason": given(found, "finish_reason_normalized", text),
            "error_class": "cancelled" if cancelled else None,
        },
    )


def _usage(found: Mapping[str, Any], prompt: str, completion: str, reasoning: str, cached: str | None) -> Usage:
    whole, out, thought = (given(found, name, count) for name in (prompt, completion, reasoning))
    read = None if cached is None else given(found, cached, count)
    flags = () if read is not None else (CACHE_UNKNOWN,)
    plain, spoken = whole, out
    if whole is not None and read is not None:
        plain = whole - read
    if out is not None and thought is not None:
        spoken = out - thought
    if min(plain or 0, spoken or 0) < 0:
        flags = (*flags, "clamped")
    return Usage(
        tokens_in=None if plain is None else max(plain, 0),
        tokens_cache_read=read,
        tokens_out=None if spoken is None else max(spoken, 0),
        tokens_reasoning=thought,
        source="reported",
        flags=flags,
        raw=msgspec.json.encode({name: value for name, value in found.items() if value not in (None, "")}).decode(),
    )


def _tags(found: Mapping[str, Any]) -> dict[str, str]:
    named = {"upstream": "provider_name", "app": "app_name"}
    tags = {ours: value for ours, theirs in named.items() if (value := given(found, theirs, text)) is not None}
    own_key = given(found, "byok_usage_inference", dollars)
    if own_key:
        tags["byok"] = "true"
    return tags


def _milliseconds(value: Any) -> int:
    whole = dollars(value)  # any decimal number; what is below a millisecond says nothing here
    return max(whole // 1_000_000_000, 0)
