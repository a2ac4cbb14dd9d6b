"""Gemini's `usageMetadata` to disjoint buckets.

`promptTokenCount` includes what came from the cache; `toolUsePromptTokenCount` (prompts of tools that Google ran) and
`thoughtsTokenCount` stand beside, and the total is the sum of prompt, tool prompts, candidates and thoughts
(ai.google.dev/api/generate-content, UsageMetadata). The details by modality are parts of their counts. Images, video
and documents of a prompt cost what its text does, so only audio is told apart there; of an answer, audio and images.
In a stream every count is cumulative: the last one said is the count.
"""

from typing import Any

import msgspec
from msgspec import Raw

from bascule.dialects.counts import count, flag, take
from bascule.dialects.out_of_range import decode_answer
from bascule.model.usage import NO_USAGE, Usage

_MAX_RAW = 4_096
_TIERS = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
    "PROVISIONED_THROUGHPUT": "provisioned",
}


class _UsageOnly(msgspec.Struct):
    usageMetadata: Raw = Raw(b"null")  # noqa: N815  the wire's own name


_DECODER = msgspec.json.Decoder(_UsageOnly)


def usage_of_reply(raw: bytes) -> Usage:
    """The usage of a whole answer that has passed `read_reply`."""
    return read_usage(bytes(_DECODER.decode(raw).usageMetadata))


def read_usage(raw: bytes) -> Usage:
    """The canonical usage of a `usageMetadata` object's JSON text; NO_USAGE where it is null, empty or no object."""
    if not raw.startswith(b"{"):
        return NO_USAGE
    wire: dict[str, Any] = decode_answer(raw)
    if not wire:
        return NO_USAGE
    flags: list[str] = []
    get = wire.get
    prompt = count(get("promptTokenCount"), flags)
    tools = count(get("toolUsePromptTokenCount"), flags)
    candidates = count(get("candidatesTokenCount"), flags)
    thoughts = count(get("thoughtsTokenCount"), flags)
    cached, left = take(count(get("cachedContentTokenCount"), flags), prompt, flags, "cached_exceeds_prompt")
    audio_in = _of_modality(get("promptTokensDetails"), "AUDIO", flags)
    if audio_in is not None:
        cached_audio = _of_modality(get("cacheTokensDetails"), "AUDIO", flags) or 0
        audio_in, left = take(max(0, audio_in - cached_audio), left, flags, "clamped")
    audio_out, out = take(_of_modality(get("candidatesTokensDetails"), "AUDIO", flags), candidates, flags, "clamped")
    image_out, out = take(_of_modality(get("candidatesTokensDetails"), "IMAGE", flags), out, flags, "clamped")
    if tools is not None:
        left = tools if left is None else left + tools
    if out is None and prompt is not None:
        out = _unsaid_output(wire, prompt, tools, thoughts)
    if prompt == 0 and not candidates and not thoughts:
        flag(flags, "zero")
    return Usage(
        tokens_in=left,
        tokens_cache_read=cached,
        tokens_out=out,
        tokens_reasoning=thoughts,
        tokens_audio_in=audio_in,
        tokens_audio_out=audio_out,
        tokens_image_out=image_out,
        service_tier=_tier(wire),
        source="none" if prompt is None and candidates is None else "reported",
        flags=tuple(flags),
        raw=raw.decode() if len(raw) <= _MAX_RAW else None,
    )


def _unsaid_output(wire: dict[str, Any], prompt: int, tools: int | None, thoughts: int | None) -> int | None:
    """Google leaves a count of zero out: a total that is the sum of the others says that nothing was generated."""
    total = count(wire.get("totalTokenCount"), [])
    return 0 if total == prompt + (tools or 0) + (thoughts or 0) else None


def _of_modality(details: Any, modality: str, flags: list[str]) -> int | None:
    """The tokens of one modality; None where the details do not name it."""
    found: int | None = None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("modality") == modality:
            tokens = count(detail.get("tokenCount"), flags)
            found = tokens if found is None else found + (tokens or 0)
    return found


def _tier(wire: dict[str, Any]) -> str | None:
    """The Gemini API's own word, or what Vertex AI calls the traffic."""
    tier = wire.get("serviceTier")
    if isinstance(tier, str) and tier:
        return tier.lower()
    traffic = wire.get("trafficType")
    return _TIERS.get(traffic) if isinstance(traffic, str) else None
