"""OpenAI-type usage to disjoint buckets.

`prompt_tokens` includes cached, cache-written, audio and image tokens; `completion_tokens` includes reasoning and
audio (platform.openai.com/docs/api-reference/chat/object). Variants: DeepSeek's `prompt_cache_hit_tokens`, Moonshot's
top-level `cached_tokens`, OpenRouter's `cache_write_tokens` and `cost`, and providers whose `completion_tokens` leave
the reasoning out (Gemini's compatible endpoint): there `total_tokens` is larger than prompt + completion.
"""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from bascule.dialects.counts import MAX_COUNT, count, flag, take
from bascule.dialects.out_of_range import decode_answer
from bascule.model.money import NANO_PER_USD
from bascule.model.usage import NO_USAGE, Usage

_MAX_RAW = 4_096


_Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
"""A count as it should be. The decoder refuses any other, which is then read leniently."""


class _PromptDetails(Struct, gc=False):
    cached_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None
    audio_tokens: _Count | None = None
    image_tokens: _Count | None = None


class _CompletionDetails(Struct, gc=False):
    reasoning_tokens: _Count | None = None
    audio_tokens: _Count | None = None


class _WireUsage(Struct):
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    total_tokens: _Count | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: _Count | None = None
    cached_tokens: _Count | None = None
    cost: Decimal | None = None


_DECODER = msgspec.json.Decoder(_WireUsage)
_NO_PROMPT = _PromptDetails()
_NO_COMPLETION = _CompletionDetails()


def read_usage(raw: bytes, service_tier: Any = None) -> Usage:
    """The canonical usage of a `usage` object's JSON text; NO_USAGE where it is null or no object."""
    if not raw.startswith(b"{") or raw == b"{}":
        return NO_USAGE
    flags: list[str] = []
    try:
        wire = _DECODER.decode(raw)
    except msgspec.ValidationError:  # a count of the wrong type or size
        wire = _lenient(decode_answer(raw), flags)
    return _buckets(wire, raw, flags, service_tier)


def _lenient(body: dict[str, Any], flags: list[str]) -> _WireUsage:
    prompt = body.get("prompt_tokens_details")
    completion = body.get("completion_tokens_details")
    cost = body.get("cost")
    if not isinstance(prompt, dict):
        prompt = {}
    if not isinstance(completion, dict):
        completion = {}
    return _WireUsage(
        prompt_tokens=count(body.get("prompt_tokens"), flags),
        completion_tokens=count(body.get("completion_tokens"), flags),
        total_tokens=count(body.get("total_tokens"), []),
        prompt_tokens_details=_PromptDetails(
            cached_tokens=count(prompt.get("cached_tokens"), flags),
            cache_write_tokens=count(prompt.get("cache_write_tokens"), flags),
            audio_tokens=count(prompt.get("audio_tokens"), flags),
            image_tokens=count(prompt.get("image_tokens"), flags),
        ),
        completion_tokens_details=_CompletionDetails(
            reasoning_tokens=count(completion.get("reasoning_tokens"), flags),
            audio_tokens=count(completion.get("audio_tokens"), flags),
        ),
        prompt_cache_hit_tokens=count(body.get("prompt_cache_hit_tokens"), flags),
        cached_tokens=count(body.get("cached_tokens"), flags),
        cost=Decimal(repr(cost)) if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
    )


def _buckets(wire: _WireUsage, raw: bytes, flags: list[str], service_tier: Any) -> Usage:
    prompt = wire.prompt_tokens_details or _NO_PROMPT
    completion = wire.completion_tokens_details or _NO_COMPLETION
    cached = prompt.cached_tokens
    if cached is None:
        cached = wire.cached_tokens if wire.prompt_cache_hit_tokens is None else wire.prompt_cache_hit_tokens
    cached, left = take(cached, wire.prompt_tokens, flags, "cached_exceeds_prompt")
    written, audio_in, image_in = prompt.cache_write_tokens, prompt.audio_tokens, prompt.image_tokens
    if written is not None:
        written, left = take(written, left, flags, "clamped")
    if audio_in is not None:
        audio_in, left = take(audio_in, left, flags, "clamped")
    if image_in is not None:
        image_in, left = take(image_in, left, flags, "clamped")
    reasoning, out = _reasoning(wire, completion.reasoning_tokens, flags)
    audio_out = completion.audio_tokens
    if audio_out is not None:
        audio_out, out = take(audio_out, out, flags, "clamped")
    if wire.prompt_tokens == 0 and wire.completion_tokens == 0:
        flag(flags, "zero")
    return Usage(
        tokens_in=left,
        tokens_cache_read=cached,
        tokens_cache_write_5m=written,
        tokens_out=out,
        tokens_reasoning=reasoning,
        tokens_audio_in=audio_in,
        tokens_audio_out=audio_out,
        tokens_image_in=image_in,
        service_tier=service_tier if isinstance(service_tier, str) else None,
        source="none" if wire.prompt_tokens is None and wire.completion_tokens is None else "reported",
        flags=tuple(flags),
        raw=raw.decode() if len(raw) <= _MAX_RAW else None,
        provider_cost_nanousd=_nanousd(wire.cost),
    )


def _reasoning(wire: _WireUsage, reported: int | None, flags: list[str]) -> tuple[int | None, int | None]:
    """(reasoning, other output). Reasoning stands beside `completion_tokens` exactly where the total says so."""
    completion = wire.completion_tokens
    if wire.total_tokens is not None and wire.prompt_tokens is not None and completion is not None:
        beside = wire.total_tokens - wire.prompt_tokens - completion
        if beside > 0 and (reported is None or reported == beside):
            flag(flags, "reasoning_beside_completion")
            return beside, completion
    return take(reported, completion, flags, "clamped")


def _nanousd(cost: Decimal | None) -> int | None:
    if cost is None or not cost.is_finite() or not 0 <= cost < 1_000_000:
        return None
    return int((cost * NANO_PER_USD).to_integral_value())
