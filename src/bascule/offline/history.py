"""The price book's own history as series that a trend can be fitted to. Pure.

The book dates the prices that changed since it began to record them; of all others it says "since ever". So a model's
price on the day that it came out is the oldest one the book has, which for models before 2025 may be a later cut.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import median

from msgspec import Struct

from bascule.decide.price import rates_for
from bascule.decide.window import window_id
from bascule.offline.dimensions import blended_rate
from bascule.offline.moment import moment_ms
from bascule.prices.book import BookEntry, PriceBook
from bascule.prices.calendar import read_date
from bascule.prices.dated import DatedModel
from bascule.prices.published import PricePoint

LACKS = (
    "most prices carry no first date: the book says only which changed, and when, since it has recorded them",
    "prices of 2023 and 2024 are those last charged, not always those of the first day",
    "list prices per token: a model that thinks longer costs more per task at the same price",
)
"""What anyone should know before reading a trend from the book."""


class Change(Struct, frozen=True, kw_only=True):
    """One dated change of a model's standard price; blended 3 to 1, pico-USD per token."""

    provider: str
    model: str
    date: str
    before: int
    after: int
    input_before: int | None
    input_after: int | None
    output_before: int | None
    output_after: int | None

    @property
    def fold(self) -> float:
        """How many times cheaper; below 1 dearer."""
        return self.before / self.after


class Changes(Struct, frozen=True, kw_only=True):
    """All dated changes in the book: of how many models, and how large."""

    models: int
    """With a known price."""
    changed: int
    """Of those, with at least one dated change of the standard price."""
    falls: tuple[Change, ...]
    rises: tuple[Change, ...]

    @property
    def median_fall(self) -> float | None:
        return median([one.fold for one in self.falls]) if self.falls else None


def dated_points(book: PriceBook, models: Iterable[DatedModel]) -> tuple[tuple[PricePoint, ...], tuple[str, ...]]:
    """The models with their book prices of their day, and the names of those without one."""
    points, missing = [], []
    for dated in models:
        timeline = book.lookup(dated.provider, dated.model)
        rates = None if timeline is None else rates_for(timeline, moment_ms(dated.date, 0), input_tokens=0)
        if rates is None or not rates.input or not rates.output:
            missing.append(f"{dated.provider}/{dated.model}")
            continue
        points.append(
            PricePoint(
                date=read_date(dated.date),
                model=dated.model,
                input=rates.input,
                output=rates.output,
                capability=dated.score,
            )
        )
    return tuple(points), tuple(missing)


def changes(entries: Iterable[BookEntry], until_ms: int) -> Changes:
    """Every dated change of a standard price up to `until_ms`, oldest first."""
    models = 0
    changed: set[tuple[str, str]] = set()
    found: list[Change] = []
    for entry in entries:
        if entry.timeline is None:
            continue
        models += 1
        for change in _changes_of(entry, until_ms):
            changed.add((entry.provider, entry.id))
            found.append(change)
    found.sort(key=lambda one: (one.date, one.provider, one.model))
    return Changes(
        models=models,
        changed=len(changed),
        falls=tuple([one for one in found if one.after < one.before]),
        rises=tuple([one for one in found if one.after > one.before]),
    )


def _changes_of(entry: BookEntry, until_ms: int) -> Iterator[Change]:
    periods = () if entry.timeline is None else entry.timeline.periods
    for old, new in pairwise(periods):
        before, after = blended_rate(old.rates), blended_rate(new.rates)
        if before and after and before != after and new.from_ms <= until_ms:
            yield Change(
                provider=entry.provider,
                model=entry.id,
                date=window_id("day", new.from_ms),
                before=before,
                after=after,
                input_before=old.rates.input,
                input_after=new.rates.input,
                output_before=old.rates.output,
                output_after=new.rates.output,
            )
