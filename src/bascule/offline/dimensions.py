"""What spend can be broken down by: a name, and how to read it from a ledger row."""

from collections.abc import Callable
from operator import attrgetter

from msgspec import Struct

from bascule.decide.window import window_id
from bascule.model.money import Rates
from bascule.model.row import AttemptRow

Reads = Callable[[AttemptRow], str | None]

COMMODITY_BELOW = 1_000_000
"""Pico-USD per token: one US dollar per million."""


class Dimension(Struct, frozen=True):
    name: str
    """As the user wrote it, also the column's name: `model`, `tag:feature`."""
    of: Reads
    """The row's value, None where it has none. Each row has one value, so that groups add up to the total."""


def blended_rate(rates: Rates | None) -> int | None:
    """Pico-USD per token of three parts input and one part output, uncached: the common yardstick of model prices.

    The weighting is Artificial Analysis' "blended price" (artificialanalysis.ai/methodology). None where unknown.
    """
    if rates is None or rates.input is None or rates.output is None:
        return None
    return (3 * rates.input + rates.output) // 4


def market_of(rates: Rates | None) -> str | None:
    """`commodity` below one dollar per million blended tokens, else `premium`; None where the rates are unknown."""
    blended = blended_rate(rates)
    if blended is None:
        return None
    return "commodity" if blended < COMMODITY_BELOW else "premium"


_FIELDS: dict[str, Reads] = {
    name: attrgetter(name)
    for name in (
        "model", "provider", "upstream_model", "model_requested", "route", "key", "org", "team", "project", "user",
        "task", "pr", "branch", "role", "client", "reason", "cache", "dialect_in", "error_class",
    )
}  # fmt: skip
_FIELDS |= {
    "session": attrgetter("session_id"),
    "agent": attrgetter("agent_id"),
    "hour": lambda row: window_id("hour", row.ts_start_ms),
    "day": lambda row: window_id("day", row.ts_start_ms),
    "week": lambda row: window_id("week", row.ts_start_ms),
    "month": lambda row: window_id("month", row.ts_start_ms),
    "market": lambda row: market_of(row.rates),
    "outcome": lambda row: row.tags.get("outcome"),
}

NAMES = (*sorted(_FIELDS), "tag:K")


def dimension(name: str) -> Dimension:
    """The dimension of this name. Raises ValueError with all there are."""
    kind, colon, tag = name.partition(":")
    if kind == "tag" and colon and tag:
        return Dimension(name, lambda row: row.tags.get(tag))
    found = _FIELDS.get(name)
    if found is None:
        raise ValueError(f"nothing is known by {name!r}; there are {', '.join(NAMES)}")
    return Dimension(name, found)
