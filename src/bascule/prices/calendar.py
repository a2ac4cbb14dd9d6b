"""Dates as precise as somebody wrote them: `2023`, `2023-03`, `2023-03-14`.

A date is a span of time; its place is the middle of that span on an axis of months, on which all months are equally
long. So two months lie exactly as many months apart as one counts, and a year without a month is not taken for
January.
"""

import calendar
import re

from msgspec import Struct

_DATE = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?")


class CalendarDate(Struct, frozen=True):
    """A year, month or day. `middle` and `slack` are months: the date lies within `middle` +- `slack`."""

    text: str
    middle: float
    slack: float

    @property
    def is_year(self) -> bool:
        return len(self.text) == 4

    @property
    def year(self) -> int:
        return int(self.text[:4])

    @property
    def years(self) -> float:
        """Its place in years: what a trend per year is fitted over."""
        return self.middle / 12


class Span(Struct, frozen=True):
    """How far apart two dates are, in months, and between which bounds where one is only a year."""

    months: float
    least: float
    most: float


def read_date(text: str) -> CalendarDate:
    """Raises ValueError where `text` is no year, month or day."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no date; write 2026, 2026-11 or 2026-11-21")
    year, month, day = int(found[1]), found[2], found[3]
    if month is None:
        return CalendarDate(text, year * 12 + 6.0, 6.0)
    start = year * 12 + int(month) - 1
    if day is None:
        return CalendarDate(text, start + 0.5, 0.5)
    length = calendar.monthrange(year, int(month))[1]
    if int(day) > length:
        raise ValueError(f"{text!r} is no date: that month has {length} days")
    return CalendarDate(text, start + (int(day) - 0.5) / length, 0.5 / length)


def span_between(start: CalendarDate, end: CalendarDate) -> Span:
    """From `start` to `end`. Two months or days are counted exactly; a bare year leaves half a year either way."""
    months = end.middle - start.middle
    doubt = (start.slack if start.is_year else 0.0) + (end.slack if end.is_year else 0.0)
    return Span(months, months - doubt, months + doubt)
