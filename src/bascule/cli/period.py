"""`--since` and `--until`: the period that a command looks at. `offline.moment` has the words for its two ends."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

import click
from msgspec import Struct

from bascule.decide.window import span_of
from bascule.offline.moment import moment_ms

F = TypeVar("F", bound=Callable[..., Any])


class Period(Struct, frozen=True):
    """[since_ms, until_ms) in milliseconds since the epoch; None is without that end."""

    since_ms: int | None = None
    until_ms: int | None = None


def period_of(since: str | None, until: str | None, now_ms: int) -> Period:
    """The period between two moments. Raises ValueError where one is not understood or it ends before it begins."""
    found = Period(
        None if since is None else moment_ms(since, now_ms),
        None if until is None else moment_ms(until, now_ms, end=True),
    )
    if found.since_ms is not None and found.until_ms is not None and found.until_ms <= found.since_ms:
        raise ValueError(f"--until {until} is not after --since {since}")
    return found


def named_span(name: str, now_ms: int) -> tuple[int, int]:
    """[start, end) in milliseconds of a named span: a month `2026-09`, a week, a day, a year, or `FROM..TO`.

    Raises click.BadParameter.
    """
    first, dots, last = name.partition("..")
    try:
        start, end = moment_ms(first, now_ms), moment_ms(last if dots else first, now_ms, end=True)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if end <= start:
        raise click.BadParameter(f"{name} is no span of time; write e.g. 2026-09, 2026-W47, 2026-09-01..2026-09-15")
    return start, end


def iso(ts_ms: int | None) -> str | None:
    """ISO 8601 UTC with milliseconds where there are any; None stays None."""
    if ts_ms is None:
        return None
    moment = datetime.fromtimestamp(ts_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds" if ts_ms % 1000 else "seconds").replace("+00:00", "Z")


def iso_second(ts_ms: int | None) -> str | None:
    """As `iso`, cut to the second: for tables."""
    return None if ts_ms is None else iso(ts_ms - ts_ms % 1000)


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


def month_option(function: F) -> F:
    """Gives a command with `period_options` also `--month`, which names both ends at once."""

    @wraps(function)
    def command(*args: Any, month: str | None, period: Period, **kwargs: Any) -> Any:
        if month is not None:
            if period != Period():
                raise click.UsageError("--month is a whole period; give it without --since and --until")
            period = _month(month)
        return function(*args, period=period, **kwargs)

    option = click.option("--month", default=None, metavar="MONTH", help="A whole month, 2026-10, or `last`, `this`.")
    return cast(F, option(command))


def _month(word: str) -> Period:
    now = now_ms()
    this = datetime.fromtimestamp(now / 1000, UTC)
    named = {"this": this, "last": this.replace(day=1) - timedelta(days=1)}
    name = f"{named[word]:%Y-%m}" if word in named else word
    try:
        found = span_of(name)
    except ValueError:
        found = None
    if found is None or found.window != "month":
        raise click.BadParameter(f"{word!r} is no month; write e.g. 2026-10, last, this", param_hint="--month")
    return Period(found.start_ms, found.end_ms)
