"""Budget windows: UTC calendar spans that follow from the time alone, so that no reset job exists to fail.

Identifiers are `2026-11-21T05` (hour), `2026-11-21` (day), `2026-W47` (ISO 8601 week, from Monday), `2026-11`
(month) and `total`; no two kinds share a form, so an identifier also tells its kind.
"""

from datetime import date

from msgspec import Struct

from bascule.model.policy import BudgetWindow

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_EPOCH_WEEKDAY = 3  # the epoch was a Thursday; Monday is 0


class Span(Struct, frozen=True):
    """One window: [start_ms, end_ms) in milliseconds since the epoch, UTC; `end_ms` None is for ever."""

    window: BudgetWindow
    id: str
    start_ms: int
    end_ms: int | None


def span(window: BudgetWindow, now_ms: int) -> Span:
    """The window of this kind that `now_ms` lies in. Not for every request: keep the span until its end."""
    if window == "total":
        return Span("total", "total", 0, None)
    days = now_ms // DAY_MS
    day = date.fromordinal(_EPOCH_ORDINAL + days)
    if window == "hour":
        hour = now_ms // HOUR_MS
        return Span("hour", f"{day.isoformat()}T{hour % 24:02d}", hour * HOUR_MS, (hour + 1) * HOUR_MS)
    if window == "day":
        return Span("day", day.isoformat(), days * DAY_MS, (days + 1) * DAY_MS)
    if window == "week":
        monday = days - (days + _EPOCH_WEEKDAY) % 7
        iso = day.isocalendar()
        return Span("week", f"{iso.year:04d}-W{iso.week:02d}", monday * DAY_MS, (monday + 7) * DAY_MS)
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return Span("month", f"{day.year:04d}-{day.month:02d}", _midnight_ms(day.replace(day=1)), _midnight_ms(following))


def window_id(window: BudgetWindow, now_ms: int) -> str:
    """The identifier of the window of this kind that `now_ms` lies in."""
    return span(window, now_ms).id


def window_bounds(window: BudgetWindow, now_ms: int) -> tuple[int, int | None]:
    """Start and end in milliseconds, end excluded; `total` is (0, None)."""
    found = span(window, now_ms)
    return found.start_ms, found.end_ms


def span_of(identifier: str) -> Span:
    """The span that an identifier names. Raises ValueError where it names none."""
    if identifier == "total":
        return span("total", 0)
    if len(identifier) == 13 and identifier[10] == "T":
        hour = int(identifier[11:])
        if hour > 23:
            raise ValueError(f"{identifier!r} is not a budget window; hours are 00 to 23")
        return span("hour", _midnight_ms(date.fromisoformat(identifier[:10])) + hour * HOUR_MS)
    if len(identifier) == 10:
        return span("day", _midnight_ms(date.fromisoformat(identifier)))
    if len(identifier) == 8 and identifier[4:6] == "-W":
        return span("week", _midnight_ms(date.fromisocalendar(int(identifier[:4]), int(identifier[6:]), 1)))
    if len(identifier) == 7 and identifier[4] == "-":
        return span("month", _midnight_ms(date(int(identifier[:4]), int(identifier[5:]), 1)))
    raise ValueError(f"{identifier!r} is not a budget window; e.g. 2026-11-21T05, 2026-11-21, 2026-W47, 2026-11, total")


def _midnight_ms(day: date) -> int:
    return (day.toordinal() - _EPOCH_ORDINAL) * DAY_MS
