"""How each dimension of a report is read in SQL, and how its value is told."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from bascule.decide.market import COMMODITY_BELOW, PREMIUM_FROM
from bascule.decide.window import DAY_MS, HOUR_MS, window_id
from bascule.storage.analytics.schema import quoted

_COLUMNS = {
    name: name
    for name in (
        "model", "provider", "upstream_model", "model_requested", "route", "key", "org", "team", "project", "user",
        "task", "pr", "branch", "role", "client", "reason", "cache", "dialect_in", "error_class", "origin",
    )
} | {"session": "session_id", "agent": "agent_id"}  # fmt: skip

_MARKET = (
    f"CASE WHEN blended_rate IS NULL THEN NULL WHEN blended_rate < {COMMODITY_BELOW} THEN 'commodity' "
    f"WHEN blended_rate < {PREMIUM_FROM} THEN 'mid' ELSE 'premium' END"
)
SMALL_INPUT = 2_000
SMALL_OUTPUT = 300
_SIZE = f"""CASE
    WHEN a.tokens_out IS NULL THEN NULL
    WHEN coalesce(a.tokens_in, 0) + coalesce(a.tokens_cache_read, 0) + coalesce(a.tokens_cache_write_5m, 0)
      + coalesce(a.tokens_cache_write_1h, 0) <= {SMALL_INPUT}
      AND a.tokens_out + coalesce(a.tokens_reasoning, 0) <= {SMALL_OUTPUT}
      AND coalesce(a.finish_reason NOT LIKE 'tool%', true)
    THEN 'small' ELSE 'large' END"""
_ANSWERS = """CASE WHEN NOT a.failed AND (a.state & 128 > 0 OR bests.best IS NULL OR bests.best = a.standing)
    THEN 'yes' ELSE 'no' END"""

_WEEK_MS = 7 * DAY_MS
_MONDAY_MS = 3 * DAY_MS
"""The epoch was a Thursday."""


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


class Read(Struct, frozen=True):
    """A dimension in SQL: cheap to group by, and told as text afterwards."""

    expression: str
    tag: str | None = None
    """The tag that `expression` reads as `{tag}`: tags are looked up once per different set of them."""
    by_request: bool = False
    """`expression` reads `best`, the standing of the attempt that answered the request."""
    by_project: bool = False
    """`expression` reads `department`, which goes by the project."""
    by_fate: bool = False
    """What is known of outcomes comes before `expression`."""
    by_attempt: bool = False
    """Attempts that are summed up in one row of sums may differ in it."""
    told: Callable[[Any], str | None] = _text


def read(name: str) -> Read:
    """How to read a dimension. Raises KeyError for a name that `offline.dimensions` does not have."""
    kind, colon, tag = name.partition(":")
    if kind == "tag" and colon:
        return Read("{tag}", tag=tag)
    if name in _COLUMNS:
        return Read(f"a.{quoted(_COLUMNS[name])}")
    return _MADE[name]


_MADE = {
    "outcome": Read("{tag}", tag="outcome", by_fate=True),
    "department": Read("coalesce({tag}, departments.department)", tag="department", by_project=True),
    "market": Read(_MARKET),
    "size": Read(_SIZE, by_attempt=True),
    "priced": Read("CASE WHEN a.state & 16 > 0 THEN 'yes' ELSE 'no' END"),
    "answers": Read(_ANSWERS, by_request=True, by_attempt=True),
    "hour": Read(f"a.ts_start_ms // {HOUR_MS}", by_attempt=True, told=lambda hour: window_id("hour", hour * HOUR_MS)),
    "day": Read(f"a.ts_start_ms // {DAY_MS}", told=lambda day: window_id("day", day * DAY_MS)),
    "week": Read(
        f"(a.ts_start_ms + {_MONDAY_MS}) // {_WEEK_MS}",
        told=lambda week: window_id("week", week * _WEEK_MS - _MONDAY_MS),
    ),
    "month": Read(
        "year(make_timestamp_ms(a.ts_start_ms)) * 12 + month(make_timestamp_ms(a.ts_start_ms)) - 1",
        told=lambda month: f"{month // 12:04d}-{month % 12 + 1:02d}",
    ),
}
NAMES = tuple(sorted([*_COLUMNS, *_MADE]))
"""All but `tag:K`."""
