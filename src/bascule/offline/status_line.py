"""One line for an agent's status bar. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from bascule.model.row import AttemptRow

SEPARATOR = " · "


class Call(Struct, frozen=True, array_like=True, gc=False):
    """As much of one call as a line needs. `cost_nanousd` None: not known."""

    ts_start_ms: int
    cost_nanousd: int | None
    estimated: bool
    cached: int
    billed_input: int
    quality: int = 0
    """Of the reading, where a log was read."""


def call_of(row: AttemptRow, quality: int = 0) -> Call:
    cached = row.tokens_cache_read or 0
    written = (row.tokens_cache_write_5m or 0) + (row.tokens_cache_write_1h or 0)
    return Call(
        row.ts_start_ms,
        None if row.kind == "intent" else row.cost_nanousd,
        row.usage_source == "estimated",
        cached,
        (row.tokens_in or 0) + cached + written,
        quality,
    )


class Tally(Struct, kw_only=True):
    """What some calls cost, in nano-USD at list price."""

    calls: int = 0
    cost_nanousd: int = 0
    unknown: int = 0
    estimated: int = 0
    cached: int = 0
    billed_input: int = 0
    cut: bool = False
    """Not everything was read: there was no time."""

    def add(self, call: Call) -> None:
        self.calls += 1
        self.cached += call.cached
        self.billed_input += call.billed_input
        if call.cost_nanousd is None:
            self.unknown += 1
        else:
            self.cost_nanousd += call.cost_nanousd
            self.estimated += call.estimated

    def plus(self, calls: Iterable[Call]) -> "Tally":
        for call in calls:
            self.add(call)
        return self


class Left(Struct, frozen=True):
    """What is left of a budget, in nano-USD."""

    left_nanousd: int
    limit_nanousd: int
    window: str


def status_line(model: str | None, session: Tally | None, today: Tally | None, left: Left | None) -> str:
    """`Sonnet 4.5 · $1.23 session · $4.56 today · $3.10 of $50.00 left (day) · 91 % cached`. What is not known is left
    out; `?` stands for a cost without a price, `≥` before one that is more, `~` before an estimate."""
    parts = [clean(model)] if model else []
    if session is not None and session.calls:
        parts.append(f"{_cost(session)} session")
    if today is not None and today.calls:
        parts.append(f"{_cost(today)} today")
    if left is not None:
        parts.append(f"{_dollars(left.left_nanousd)} of {_dollars(left.limit_nanousd)} left ({left.window})")
    if session is not None and session.billed_input:
        parts.append(f"{100 * session.cached // session.billed_input} % cached")
    return SEPARATOR.join(parts) or "bascule: nothing known of this session yet"


def clean(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join([c for c in text if c.isprintable()])[:40]


def _cost(tally: Tally) -> str:
    if tally.unknown == tally.calls:
        return "$?"
    more = "≥" if tally.unknown or tally.cut else "~" if tally.estimated else ""
    return more + _dollars(tally.cost_nanousd)


def _dollars(nanousd: int) -> str:
    """In cents; below a cent in tenths of one."""
    if 0 < nanousd < 10_000_000:
        return f"${nanousd / 1e9:.4f}"
    cents = (abs(nanousd) + 5_000_000) // 10_000_000
    return f"{'-' if nanousd < 0 else ''}${cents // 100:,}.{cents % 100:02d}"
