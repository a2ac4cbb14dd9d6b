"""What to compact, and what of it still holds. Pure."""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from bascule.model.row import GATEWAY
from bascule.ports import HOUR_MS, HourOf
from bascule.storage.segments.manifest import SegmentFile

DAY_H = 24

Span = tuple[int, int]
"""[since_ms, until_ms)."""


class Day(Struct, frozen=True):
    """One origin's day, to be written with these hours."""

    origin: str
    day: int
    hours: tuple[int, ...]


class Work(Struct, frozen=True, kw_only=True):
    """What a compaction has to do, and what it leaves."""

    days: tuple[Day, ...]
    unchanged: int
    """Files that stay as they are."""
    open_hours: tuple[int, ...]
    """Hours that are over and have attempts that are not settled."""


def work_to_do(
    versions: Mapping[HourOf, int], open_hours: Collection[int], files: Iterable[SegmentFile], until_hour: int
) -> Work:
    """Days whose settled hours before `until_hour` are not in their file as they are now.

    What a file has that still holds stays in it, whatever `until_hour` is.
    """
    compacted = {(one.origin, one.day): one.hours for one in files}
    wanted: dict[tuple[str, int], dict[int, int]] = {}
    waiting: set[int] = set()
    for (origin, hour), version in versions.items():
        place = (origin, hour // DAY_H)
        holds = compacted.get(place, {}).get(hour) == version
        if origin == GATEWAY and hour in open_hours and not holds:
            if hour < until_hour:
                waiting.add(hour)
        elif hour < until_hour or holds:
            wanted.setdefault(place, {})[hour] = version
    stale = [
        Day(origin, day, tuple(sorted(hours)))
        for (origin, day), hours in wanted.items()
        if not hours.items() <= compacted.get((origin, day), {}).items()
    ]
    return Work(
        days=tuple(sorted(stale, key=lambda one: (one.day, one.origin))),
        unchanged=len(wanted) - len(stale),
        open_hours=tuple(sorted(waiting)),
    )


def fresh_hours(one: SegmentFile, versions: Mapping[HourOf, int], touched: Collection[int]) -> list[int]:
    """The hours of a file that are as they were, in order. `touched` are those of the gateway that lines are about
    which the store has not taken yet.
    """
    return [
        hour
        for hour, version in sorted(one.hours.items())
        if versions.get((one.origin, hour)) == version and not (one.origin == GATEWAY and hour in touched)
    ]


def spans_of(hours: Iterable[int]) -> tuple[Span, ...]:
    """Hours in order as spans of milliseconds, neighbours in one."""
    spans: list[Span] = []
    for hour in hours:
        since_ms, until_ms = hour * HOUR_MS, (hour + 1) * HOUR_MS
        if spans and spans[-1][1] == since_ms:
            spans[-1] = (spans[-1][0], until_ms)
        else:
            spans.append((since_ms, until_ms))
    return tuple(spans)


def stale_spans(hours: Collection[HourOf], fresh: Collection[HourOf]) -> dict[str, tuple[Span, ...]]:
    """By origin the spans that hold all `hours` but the fresh ones; hours that no row is in may be among them."""
    found: dict[str, tuple[Span, ...]] = {}
    for origin in sorted({origin for origin, _ in hours}):
        known = sorted({hour for one, hour in (*hours, *fresh) if one == origin})
        spans: list[Span] = []
        gap = True
        for hour in known:
            if (origin, hour) in fresh:
                gap = True
            elif gap:
                spans.append((hour * HOUR_MS, (hour + 1) * HOUR_MS))
                gap = False
            else:
                spans[-1] = (spans[-1][0], (hour + 1) * HOUR_MS)
        if spans:
            found[origin] = tuple(spans)
    return found
