"""`--since` and `--until`: the period that a command looks at.

A moment is an ISO 8601 date or time (UTC where it names no zone), a month `2026-11`, a week `2026-W47`, a year
`2026`, `now`, `today`, `yesterday`, or an age: `90m`, `24h`, `7d`, `2w`. A date, week, month or year means its
beginning for `--since` and its end for `--until`, so that the same word twice is that whole span.
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar, cast

import click
from msgspec import Struct

from bascule.decide.window import DAY_MS, span, span_of

F = TypeVar("F", bound=Callable[..., Any])

_AGE = re.compile(r"([0-9]{1,6})(m|h|d|w)")
_AGE_MS = {"m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}


class Period(Struct, frozen=True):
    """[since_ms, until_ms) in milliseconds since the epoch; None is without that end."""

    since_ms: int | None = None
    until_ms: int | None = None


def moment_ms(text: str, now_ms: int, *, end: bool = False) -> int:
    """The moment that `text` names; `end` takes the end of a day, week, month or year instead of its beginning.

    Raises ValueError with the forms that are understood.
    """
    word = text.strip()
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
        raise ValueError(
            f"{text!r} is no moment; write e.g. 2026-11-21, 2026-11-21T05:00Z, 2026-11, 2026-W47, 7d, 24h"
        ) from None


def duration_ms(text: str) -> int:
    """The length of time that `90m`, `24h`, `7d` or `2w` says. Raises ValueError."""
    age = _AGE.fullmatch(text.strip())
    if age is None:
        raise ValueError(f"{text!r} is no length of time; write e.g. 90m, 24h, 7d, 2w")
    return int(age[1]) * _AGE_MS[age[2]]


def _calendar_ms(word: str, end: bool) -> int:
    if re.fullmatch(r"[0-9]{4}", word):
        year = int(word) + end
        return _instant_ms(datetime(year, 1, 1, tzinfo=UTC))
    if re.fullmatch(r"[0-9]{4}-([0-9]{2}|W[0-9]{2}|[0-9]{2}-[0-9]{2})", word):
        named = span_of(word)
        return _edge(named.start_ms, named.end_ms, end)
    moment = datetime.fromisoformat(word)
    return _instant_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _instant_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _edge(start_ms: int, end_ms: int | None, end: bool) -> int:
    return end_ms if end and end_ms is not None else start_ms


def period_of(since: str | None, until: str | None, now_ms: int) -> Period:
    """The period between two moments. Raises ValueError where one is not understood or it ends before it begins."""
    found = Period(
        None if since is None else moment_ms(since, now_ms),
        None if until is None else moment_ms(until, now_ms, end=True),
    )
    if found.since_ms is not None and found.until_ms is not None and found.until_ms <= found.since_ms:
        raise ValueError(f"--until {until} is not after --since {since}")
    return found


def iso(ts_ms: int | None) -> str | None:
    """ISO 8601 UTC with milliseconds where there are any; None stays None."""
    if ts_ms is None:
        return None
    moment = datetime.fromtimestamp(ts_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds" if ts_ms % 1000 else "seconds").replace("+00:00", "Z")


def iso_day(ts_ms: int | None) -> str | None:
    """The UTC date alone."""
    return None if ts_ms is None else datetime.fromtimestamp(ts_ms / 1000, UTC).date().isoformat()


def now_ms() -> int:
    """The wall clock of commands."""
    return time.time_ns() // 1_000_000


def period_options(function: F) -> F:
    """Gives the command `--since` and `--until` as one argument `period`."""

    @wraps(function)
    def command(*args: Any, since: str | None, until: str | None, **kwargs: Any) -> Any:
        try:
            period = period_of(since, until, now_ms())
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        return function(*args, period=period, **kwargs)

    until_option = click.option(
        "--until", default=None, metavar="WHEN", help="Up to then; a day, week or month counts as a whole."
    )
    since_option = click.option("--since", default=None, metavar="WHEN", help="From then on: 2026-11-01, 2026-11, 7d.")
    return cast(F, since_option(until_option(command)))
