"""Moments of time: in the words of `--since`, `since=` and `expires`, and as ISO 8601.

A moment is an ISO 8601 date or time (UTC where it names no zone), an hour `2026-11-21T05`, a month `2026-11`, a week
`2026-W47`, a year `2026`, `now`, `today`, `yesterday`, or an age: `90m`, `24h`, `7d`, `2w`. An hour, date, week, month
or year means its beginning as the first end of a period and its end as the last, so that the same word twice is that
whole span.
"""

import re
from datetime import UTC, datetime, timedelta

from bascule.decide.window import DAY_MS, span, span_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999: what is outside of them cannot be written as ISO 8601."""
_AGE = re.compile(r"([0-9]{1,6})(m|h|d|w)")
_AGE_MS = {"m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}
_YEAR = re.compile(r"[0-9]{4}")
_WINDOW = re.compile(r"[0-9]{4}-([0-9]{2}|W[0-9]{2}|[0-9]{2}-[0-9]{2}(T[0-9]{2})?)")


def moment_ms(text: str, now_ms: int, *, end: bool = False) -> int:
    """The moment that `text` names, in milliseconds since the epoch; `end` takes the end of an hour, day, week, month
    or year instead of its beginning.

    Raises ValueError with the forms that are understood, or where it is outside the years 1 to 9999.
    """
    found_ms = _named_ms(text.strip(), now_ms, end)
    if found_ms is None:
        raise ValueError(f"{text!r} is no moment; write e.g. 2026-11-21, 2026-11-21T05:00Z, 2026-11, 2026-W47, 7d, 24h")
    if not FIRST_MS <= found_ms <= LAST_MS:
        raise ValueError(f"{text!r} is not within the years 1 to 9999")
    return found_ms


def _named_ms(word: str, now_ms: int, end: bool) -> int | None:
    """None where it is no moment."""
    if _AGE.fullmatch(word):
        return now_ms - duration_ms(word)
    if word == "now":
        return now_ms
    if word in ("today", "yesterday"):
        day = span("day", now_ms - (DAY_MS if word == "yesterday" else 0))
        return _edge(day.start_ms, day.end_ms, end)
    try:
        return _calendar_ms(word, end)
    except (ValueError, OverflowError):
        return None


def duration_ms(text: str) -> int:
    """The length of time that `90m`, `24h`, `7d` or `2w` says. Raises ValueError."""
    age = _AGE.fullmatch(text.strip())
    if age is None:
        raise ValueError(f"{text!r} is no length of time; write e.g. 90m, 24h, 7d, 2w")
    return int(age[1]) * _AGE_MS[age[2]]


def iso_time(ts_ms: int | None) -> str | None:
    """ISO 8601 UTC with milliseconds, as in every document: `2026-11-21T12:00:00.000Z`."""
    if ts_ms is None:
        return None
    return (_EPOCH + timedelta(milliseconds=ts_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _calendar_ms(word: str, end: bool) -> int:
    if _YEAR.fullmatch(word):
        return _instant_ms(datetime(int(word) + end, 1, 1, tzinfo=UTC))
    if _WINDOW.fullmatch(word):
        named = span_of(word)
        return _edge(named.start_ms, named.end_ms, end)
    moment = datetime.fromisoformat(word)
    return _instant_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _instant_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _edge(start_ms: int, end_ms: int | None, end: bool) -> int:
    return end_ms if end and end_ms is not None else start_ms
