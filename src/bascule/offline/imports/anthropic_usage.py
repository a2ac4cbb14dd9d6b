"""Anthropic's reports of an organisation: pages of its usage and cost reports, and the Console's CSV of both.

Fields as of platform.claude.com/docs, "Usage and Cost API": a usage report counts no requests; costs are cents as
decimal text, and leave out what is on Priority Tier. The Console's CSV has names where the API has ids.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from bascule.model.money import NANO_PER_USD
from bascule.model.usage import Usage
from bascule.offline.imports.account import LeftOut, Part
from bascule.offline.imports.columns import count, dollars, given, text
from bascule.offline.imports.pages import Form, parts_of, span_of

MESSAGES = "messages"
COSTS = "costs"
CENTS = 100
GROUPS = ("api_key_id", "workspace_id", "service_tier", "context_window", "inference_geo", "speed", "account_id",
          "service_account_id", "cost_type", "token_type", "description")  # fmt: skip
FORM = Form(
    "Anthropic's usage or cost report",
    start="starting_at",
    end="ending_at",
    columns={
        "usage_date_utc": "starting_at",
        "model_version": "model",
        "api_key": "api_key_id",
        "workspace": "workspace_id",
        "usage_type": "service_tier",
        "usage_input_tokens_no_cache": "uncached_input_tokens",
        "usage_input_tokens_cache_write_5m": "cache_creation_5m_input_tokens",
        "usage_input_tokens_cache_write_1h": "cache_creation_1h_input_tokens",
        "usage_input_tokens_cache_read": "cache_read_input_tokens",
        "usage_output_tokens": "output_tokens",
        "web_search_count": "web_search_requests",
    },
)
"""The columns are the Console's."""


def parts(found: dict[str, Any]) -> Iterator[Part | LeftOut]:
    """What one object of a file tells: a page, a bucket, or a row of CSV. Raises ValueError."""
    return parts_of(found, FORM, _part)


def _part(found: dict[str, Any]) -> Iterator[Part | LeftOut]:
    start_ms, end_ms = span_of(found, FORM)
    is_cost = any(name in found for name in ("amount", "cost_usd"))
    group = {name: value for name in GROUPS if (value := given(found, name, text)) is not None}
    part = Part(
        report=COSTS if is_cost else MESSAGES,
        start_ms=start_ms,
        end_ms=end_ms,
        group=group,
        model=given(found, "model", text),
        key=group.get("api_key_id"),
        project=group.get("workspace_id"),
        user=group.get("account_id"),
        tags={name: group[name] for name in ("context_window", "inference_geo", "speed") if name in group},
    )
    if is_cost:
        yield _cost(part, found)
    elif "uncached_input_tokens" not in found:
        yield LeftOut("results without tokens")
    else:
        part.usage = usage_of(found)
        part.service_tier_told = "service_tier" in group
        part.long_context = _is_long(group.get("context_window"))
        yield part


def usage_of(found: Mapping[str, Any]) -> Usage:
    """Disjoint buckets of a result; the provider's are so already."""
    written = found.get("cache_creation")
    flat = {**found, **{f"cache_creation_{name[10:]}": value for name, value in written.items()}} if isinstance(
        written, dict
    ) else found  # fmt: skip
    tools = found.get("server_tool_use")
    searches = tools.get("web_search_requests") if isinstance(tools, dict) else found.get("web_search_requests")
    tier = given(found, "service_tier", text)
    return Usage(
        tokens_in=given(found, "uncached_input_tokens", count),
        tokens_cache_read=given(found, "cache_read_input_tokens", count),
        tokens_cache_write_5m=given(flat, "cache_creation_5m_input_tokens", count),
        tokens_cache_write_1h=given(flat, "cache_creation_1h_input_tokens", count),
        tokens_out=given(found, "output_tokens", count),
        web_searches=given({"web_search_requests": searches}, "web_search_requests", count),
        service_tier="fast" if found.get("speed") == "fast" else tier,
        inference_geo=given(found, "inference_geo", text),
        source="reported",
        raw=msgspec.json.encode({name: value for name, value in found.items() if value is not None}).decode(),
    )


def _cost(part: Part, found: dict[str, Any]) -> Part:
    """The API's `amount` is in cents, the CSV's `cost_usd` in dollars."""
    currency = found.get("currency")
    if currency is not None and str(currency).lower() != "usd":
        raise ValueError("amount: not in US dollars; only those are taken")
    if found.get("amount") is not None:
        part.amount_nanousd = _cents(found["amount"])
    else:
        part.amount_nanousd = given(found, "cost_usd", dollars)
    if part.amount_nanousd is None:
        raise ValueError("amount: a result of the cost report needs one")
    item = part.group.get("description") or part.group.get("cost_type")
    if item is not None:
        part.tags = {**part.tags, "line_item": item}
    if (kind := part.group.get("token_type")) is not None:
        part.tags = {**part.tags, "token_type": kind}
    return part


def _cents(value: Any) -> int:
    if isinstance(value, dict):  # newer reports nest it: {amount, currency}
        value = value.get("amount", value.get("value"))
    try:
        cents = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("amount: expected cents as decimal text") from None
    return dollars(cents / CENTS) if cents.is_finite() and abs(cents) < NANO_PER_USD * CENTS else dollars("")


def _is_long(window: str | None) -> bool | None:
    """Whether prompts were above 200,000 tokens: `0-200k` and `200k-1M`, in CSV `≤ 200k` and `> 200k`."""
    if window is None:
        return None
    word = window.replace(" ", "").lower()
    if word in ("0-200k", "≤200k", "<=200k"):
        return False
    return True if word in ("200k-1m", ">200k") else None


def day_text(ts_ms: int) -> str:
    """RFC 3339, as the API takes it."""
    return datetime.fromtimestamp(ts_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
