"""Ledger rows priced again at other prices: what a price change would have made of the traffic that there was. Pure.

A row is priced from its own token buckets, exactly as live traffic is (`decide.price`), on the day whose prices are
meant and at its own time of day, since some prices depend on that. Nothing is written: a price change never re-prices
the past. What cannot be priced at both sides is counted apart, with what it cost.
"""

from collections.abc import Callable, Iterable

import msgspec
from msgspec import Struct, structs

from bascule.decide.price import BUCKETS, price
from bascule.decide.window import DAY_MS
from bascule.model.money import PriceTimeline
from bascule.model.row import AttemptRow
from bascule.model.usage import Usage

Looks = Callable[[AttemptRow], PriceTimeline | str]
"""A row's prices on one side, or why it has none there."""


class ModelImpact(Struct, kw_only=True):
    """What one model's rows cost at each side, in nano-USD."""

    provider: str
    model: str
    rows: int = 0
    recorded_nanousd: int = 0
    before_nanousd: int = 0
    after_nanousd: int = 0


class NotRerated(Struct, kw_only=True):
    """Rows that are in no sum, by reason."""

    rows: int = 0
    recorded_nanousd: int = 0
    """What of it was recorded; rows of unknown cost are not in it."""


class Impact(Struct, frozen=True, kw_only=True):
    """Sums over the rows that could be priced at both sides, and by model, dearest change first."""

    rows: int
    recorded_nanousd: int | None
    """As the ledger has it, corrections left out; None where no row could be re-rated."""
    before_nanousd: int | None
    after_nanousd: int | None
    models: tuple[ModelImpact, ...]
    not_rerated: dict[str, NotRerated]

    @property
    def delta_nanousd(self) -> int | None:
        if self.before_nanousd is None or self.after_nanousd is None:
            return None
        return self.after_nanousd - self.before_nanousd


def rerate(rows: Iterable[AttemptRow], before: Looks, before_ms: int, after: Looks, after_ms: int) -> Impact:
    """Price every row at the prices of either side, as they hold on the day of `before_ms` and of `after_ms`."""
    by_model: dict[tuple[str, str], ModelImpact] = {}
    left: dict[str, NotRerated] = {}
    for row in rows:
        recorded = _recorded(row)
        old = _priced(row, before, before_ms)
        new = _priced(row, after, after_ms) if isinstance(old, int) else old
        if isinstance(old, str) or isinstance(new, str):
            reason = old if isinstance(old, str) else str(new)
            apart = left.setdefault(reason, NotRerated())
            apart.rows += 1
            apart.recorded_nanousd += recorded or 0
            continue
        key = (row.provider or "", row.upstream_model or row.model or "")
        one = by_model.setdefault(key, ModelImpact(provider=key[0], model=key[1]))
        one.rows += 1
        one.recorded_nanousd += recorded or 0
        one.before_nanousd += old
        one.after_nanousd += new
    models = sorted(by_model.values(), key=lambda one: -abs(one.after_nanousd - one.before_nanousd))
    return Impact(
        rows=sum([one.rows for one in models]),
        recorded_nanousd=sum([one.recorded_nanousd for one in models]) if models else None,
        before_nanousd=sum([one.before_nanousd for one in models]) if models else None,
        after_nanousd=sum([one.after_nanousd for one in models]) if models else None,
        models=tuple(models),
        not_rerated=left,
    )


def usage_of(row: AttemptRow) -> Usage:
    """A row's usage as the provider's dialect mapped it."""
    counts = {name: getattr(row, name) for name in BUCKETS}
    found = Usage(
        source=row.usage_source, flags=row.usage_flags, service_tier=row.service_tier, web_searches=row.web_searches,
        raw=row.usage_raw, **counts,
    )  # fmt: skip
    place = _place(row.usage_raw)
    return found if place is None else structs.replace(found, inference_geo=place)


def on_day(row_ms: int, day_ms: int) -> int:
    """The row's time of day, on the day of `day_ms`."""
    return day_ms - day_ms % DAY_MS + row_ms % DAY_MS


def _priced(row: AttemptRow, looks: Looks, day_ms: int) -> int | str:
    """Nano-USD, or why it cannot be said."""
    if row.kind == "intent":
        return "still open"
    if row.cache != "none":
        return "answered from the cache"
    if row.usage_source == "none" or all(getattr(row, name) is None for name in BUCKETS):
        return "no usage known"
    found = looks(row)
    if isinstance(found, str):
        return found
    priced = price(usage_of(row), found, on_day(row.ts_start_ms, day_ms))
    return "no price for what it used" if priced is None else priced.cost_nanousd


def _recorded(row: AttemptRow) -> int | None:
    """The cost as it was settled."""
    return None if row.cost_nanousd is None else row.cost_nanousd - (row.adjusted_nanousd or 0)


class _Place(Struct):
    inference_geo: str | None = None


def _place(raw: str | None) -> str | None:
    """Where the provider says that the model ran: it stands in its own usage object alone."""
    if raw is None or "inference_geo" not in raw:
        return None
    try:
        return msgspec.json.decode(raw, type=_Place).inference_geo
    except msgspec.DecodeError:
        return "unreadable"  # a place that is not known makes the cost unknown
