"""OpenAI's reports of an organisation: pages of its usage and costs APIs, and the CSV of its dashboard.

Fields as of developers.openai.com/api/reference, "Usage" (buckets of `start_time`, `end_time`, `results`). Results
with `input_uncached_tokens` count text, audio and images together and cached ones beside; older ones count text in
`input_tokens`, cached included, and audio beside it. Money is in the currency that `amount` names.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from bascule.model.usage import Usage
from bascule.offline.imports.account import LeftOut, Part
from bascule.offline.imports.columns import count, dollars, flag, given, text
from bascule.offline.imports.pages import Form, parts_of, span_of

COSTS = "costs"
GROUPS = ("project_id", "user_id", "api_key_id", "batch", "service_tier", "api_source", "line_item")
"""What results are told apart by, besides the model."""
FORM = Form(
    "OpenAI's usage or costs",
    start="start_time",
    end="end_time",
    columns={
        "n_requests": "num_model_requests",
        "n_context_tokens_total": "input_tokens",
        "n_cached_context_tokens_total": "input_cached_tokens",
        "n_generated_tokens_total": "output_tokens",
        "snapshot_id": "model",
        "aggregation_timestamp": "start_time",
        "timestamp": "start_time",
    },
)
"""The columns are what the activity export had before there were organisation reports."""


def parts(found: dict[str, Any]) -> Iterator[Part | LeftOut]:
    """What one object of a file tells: a page, a bucket, or a row of CSV. Raises ValueError."""
    return parts_of(found, FORM, _part)


def _part(found: dict[str, Any]) -> Iterator[Part | LeftOut]:
    start_ms, end_ms = span_of(found, FORM)
    report = _report(found)
    group = {name: value for name in GROUPS if (value := given(found, name, _word)) is not None}
    if report == "":
        return  # the CSV has a row for a span without any result, too
    shared = Part(
        report=report,
        start_ms=start_ms,
        end_ms=end_ms,
        group=group,
        key=given(found, "api_key_name", text) or group.get("api_key_id"),
        project=given(found, "project_name", text) or group.get("project_id"),
        user=given(found, "user_email", text) or group.get("user_id"),
    )
    if report == COSTS:
        yield _cost(shared, found)
    elif "input_tokens" not in found:
        yield LeftOut(report)
    else:
        yield _usage(shared, found)


def _report(found: dict[str, Any]) -> str:
    """`organization.usage.completions.result` is of `completions`; a row of CSV is known by its columns."""
    kind = found.get("object")
    if isinstance(kind, str) and kind.startswith("organization."):
        return kind.removeprefix("organization.").removeprefix("usage.").removesuffix(".result")
    if "amount" in found or "amount_value" in found:
        return COSTS
    if found.get("input_tokens") is not None:
        return "completions" if "output_tokens" in found else "embeddings"
    others = [name for name in _COUNTS if found.get(name) is not None]
    return _COUNTS[others[0]] if others else ""


_COUNTS = {
    "images": "images",
    "characters": "audio_speeches",
    "seconds": "audio_transcriptions",
    "usage_bytes": "vector_stores",
    "num_sessions": "code_interpreter_sessions",
    "num_requests": "searches",
    "num_model_requests": "requests without tokens",
}


def _usage(part: Part, found: dict[str, Any]) -> Part:
    part.model = given(found, "model", text)
    part.requests = given(found, "num_model_requests", count)
    batch = given(found, "batch", flag)
    tier = "batch" if batch else given(found, "service_tier", text)
    part.service_tier_told = tier is not None or batch is not None
    part.usage = usage_of(found, tier)
    return part


def usage_of(found: Mapping[str, Any], tier: str | None) -> Usage:
    """Disjoint buckets of a result; what does not add up is clamped, and flagged."""

    def told(name: str) -> int | None:
        return given(found, name, count)

    total, cached, output = told("input_tokens"), told("input_cached_tokens"), told("output_tokens")
    uncached, audio, audio_out = told("input_uncached_tokens"), told("input_audio_tokens"), told("output_audio_tokens")
    image, image_out = told("input_image_tokens"), told("output_image_tokens")
    write_long = told("input_cache_write_12h_tokens")
    write = told("input_cache_write_30m_tokens")
    if write is None and (written := told("input_cache_write_tokens")) is not None:
        write = written - (write_long or 0)
    if uncached is not None:
        plain: int | None = uncached - (audio or 0) - (image or 0)
        text_out = None if output is None else output - (audio_out or 0) - (image_out or 0)
    else:
        plain = None if total is None else total - (cached or 0)
        text_out = output
    flags = ("clamped",) if min(plain or 0, text_out or 0, write or 0) < 0 else ()
    return Usage(
        tokens_in=_least_0(plain),
        tokens_cache_read=cached,
        tokens_cache_write_5m=_least_0(write),
        tokens_cache_write_1h=write_long,
        tokens_out=_least_0(text_out),
        tokens_audio_in=audio,
        tokens_audio_out=audio_out,
        tokens_image_in=image,
        tokens_image_out=image_out,
        service_tier=tier,
        source="reported",
        flags=flags,
        raw=msgspec.json.encode({name: value for name, value in found.items() if value is not None}).decode(),
    )


def _cost(part: Part, found: dict[str, Any]) -> Part:
    amount = found.get("amount")
    value, currency = (
        (amount.get("value"), amount.get("currency"))
        if isinstance(amount, dict)
        else (found.get("amount_value", amount), found.get("amount_currency"))
    )
    if value is None:
        raise ValueError("amount: a result of the costs report needs one")
    if currency is not None and str(currency).lower() != "usd":
        raise ValueError("amount: not in US dollars; only those are taken")
    part.amount_nanousd = dollars(value)
    item = part.group.get("line_item")
    if item is not None:
        part.tags = {"line_item": item}
        # "gpt-5.4-mini, cached input": the model is what stands before the kind of token.
        part.model = item.partition(", ")[0] if ", " in item else None
    return part


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else text(value)


def _least_0(value: int | None) -> int | None:
    return None if value is None else max(value, 0)
