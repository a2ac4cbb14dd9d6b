"""A report as a page with charts, or as one chart: for managers, chats and pull requests."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from bascule.cli.bridging import bridge_of
from bascule.cli.bridging import section as bridge_section
from bascule.cli.drawing import svg, write_picture
from bascule.cli.page import Grid, Section, Tile, page
from bascule.cli.period import Period, iso_second
from bascule.cli.report_words import requests_text
from bascule.cli.sessions import sums_cells
from bascule.decide.window import span
from bascule.model.cost_cell import CostCell
from bascule.model.money import NANO_PER_USD
from bascule.model.report import Report, Terms
from bascule.model.row import RowFilter
from bascule.offline.charts import Spec, spend_by, spend_over_time, spread
from bascule.offline.sessions import by_use
from bascule.ports import Analytics

BARS = 20
"""Groups in a chart; the table has more."""
COLOURS = 7
"""Models that a chart over time tells apart; the others are one."""
NOBODY = "(none)"
DEFAULT_BY = ("model", "project")
"""What a page is broken down by where nobody says."""
SESSIONS = 10
SESSION_COLUMNS = (
    "session", "project", "start", "requests", "attempts", "cost", "in", "cached", "out", "models",
)  # fmt: skip


class Broken(Struct, frozen=True):
    """A report broken down by one dimension, with its table."""

    made: Report
    columns: Sequence[str]
    lines: Sequence[Sequence[Any]]
    notes: Sequence[str]


def report_page(
    analytics: Analytics,
    made: Report,
    where: RowFilter,
    period: Period,
    terms: Terms,
    *,
    earlier: Analytics,
    heading: str,
    columns: Sequence[str],
    lines: Sequence[Sequence[Any]],
    notes: Sequence[str],
    by: Callable[[str], Broken],
) -> str:
    """The report with what it lacks in a terminal: days, markets, runs of the same work, the change from the month
    before, of which `earlier` knows. `columns` and `lines` are its table. Where it is by nothing, `by` breaks it down
    by model and by project, and its dearest sessions are named. Raises NoCharts."""
    table = _grid(made.by, columns, lines)
    named = " and ".join(made.by)
    sections = [_over_time(analytics, where), _markets(analytics, where)]
    if made.by:
        sections.append(Section(heading=f"By {named}", charts=(svg(by_group(made)),), grid=table, notes=tuple(notes)))
    else:
        sections.append(Section(heading="In total", grid=table, notes=tuple(notes)))
        sections += [found for found in (_by(by(name)) for name in DEFAULT_BY) if found]
        sections += [found for found in (_dearest(analytics, where),) if found]
    sections += [found for found in (_runs(analytics, where, terms), _change(earlier, where, period)) if found]
    return page("What was spent, and on what", heading, _tiles(made, _sessions(analytics, where)), sections)


def report_picture(analytics: Analytics, made: Report, where: RowFilter, form: str, out_path: Path | None) -> None:
    """One chart: of the groups, or without any of the days."""
    spec = by_group(made) if made.by else over_time(analytics, where)
    write_picture(spec, form, out_path)


def _grid(by: Sequence[str], columns: Sequence[str], lines: Sequence[Sequence[Any]]) -> Grid:
    return Grid(tuple(columns), tuple([tuple(line) for line in lines]), frozenset(by))


def _by(found: Broken) -> Section | None:
    """The dearest groups of one dimension; None where nothing names it."""
    made = found.made
    if all(group.values == (None,) for group in made.groups):
        return None
    grid = _grid(made.by, found.columns, found.lines)
    return Section(heading=f"By {made.by[0]}", charts=(svg(by_group(made)),), grid=grid, notes=tuple(found.notes))


def _dearest(analytics: Analytics, where: RowFilter) -> Section | None:
    """The sessions that cost most; what belongs to none is no session."""
    found = analytics.sessions(where, sort="cost", top=SESSIONS + 1)
    named = [session for session in found.found if session.session_id is not None][:SESSIONS]
    if not named:
        return None
    lines = [
        (
            session.session_id,
            session.who.get("project"),
            iso_second(session.sums.first_ms),
            *sums_cells(session.sums),
            ", ".join(by_use(session.models)),
        )
        for session in named
    ]
    return Section(
        heading="Dearest sessions",
        grid=Grid(SESSION_COLUMNS, tuple(lines), frozenset({"session", "project", "start", "models"})),
        notes=("`bascule sessions show ID` has one of them request by request.",),
    )


def by_group(made: Report) -> Spec:
    """Bars of the groups, the dearest first, with what is known of their cost."""
    total = made.total.sums.cost_nanousd
    values = []
    for group in made.groups[:BARS]:
        cost = group.figures.sums.cost_nanousd
        share = f" ({100 * cost / total:.1f} %)" if cost is not None and total else ""
        label = f"{_usd(cost)}{share}"
        values.append({"name": _name(group.values), "usd": (cost or 0) / NANO_PER_USD, "label": label})
    return spend_by(values, title=f"Spend by {' and '.join(made.by)}, USD")


def over_time(analytics: Analytics, where: RowFilter) -> Spec:
    """Spend by day and model: the dearest models by name, the others as one."""
    cells = analytics.costs(("day", "model"), where)
    totals: dict[str, int] = {}
    for cell in cells:
        totals[_name(cell.values[1:])] = totals.get(_name(cell.values[1:]), 0) + (cell.cost_nanousd or 0)
    told = set(sorted(totals, key=lambda name: -totals[name])[:COLOURS])
    days: dict[tuple[str, str], int] = {}
    for cell in cells:
        name = _name(cell.values[1:])
        place = (_name(cell.values[:1]), name if name in told else "others")
        days[place] = days.get(place, 0) + (cell.cost_nanousd or 0)
    values = [{"day": day, "name": name, "usd": cost / NANO_PER_USD} for (day, name), cost in sorted(days.items())]
    return spend_over_time(values, title="Spend by day and model, USD")


def _over_time(analytics: Analytics, where: RowFilter) -> Section:
    return Section(heading="Day by day", charts=(svg(over_time(analytics, where)),))


def _markets(analytics: Analytics, where: RowFilter) -> Section:
    cells = sorted(analytics.costs(("market",), where), key=lambda cell: -(cell.cost_nanousd or 0))
    total = sum(cell.cost_nanousd or 0 for cell in cells)
    values = [
        {
            "name": cell.values[0] or "unknown price",
            "usd": (cell.cost_nanousd or 0) / NANO_PER_USD,
            "label": _share(cell, total),
        }
        for cell in cells
    ]
    note = (
        "A model's market is the blended price of a million of its tokens, three parts input and one part output: "
        "commodity below 1 USD, mid below 10 USD, premium from there."
    )
    return Section(heading="Markets", charts=(svg(spend_by(values, title="Spend by market, USD")),), notes=(note,))


def _share(cell: CostCell, total: int) -> str:
    if cell.cost_nanousd is None:
        return f"{cell.unpriced_attempts:,} attempts, cost unknown"
    return f"{_usd(cell.cost_nanousd)} ({100 * cell.cost_nanousd / total:.1f} %)" if total else "0"


def _runs(analytics: Analytics, where: RowFilter, terms: Terms) -> Section | None:
    """What runs of the same task cost, where tasks are known."""
    made = analytics.report(("task",), where, terms=terms, top=BARS)
    values = []
    for group in made.groups:
        cost = group.figures.run_cost
        if group.values[0] is not None and cost.runs >= 2 and cost.p10_nanousd:
            ends = {"p10": cost.p10_nanousd, "p50": cost.p50_nanousd, "p90": cost.p90_nanousd}
            values.append(
                {"name": group.values[0], **{name: (nanousd or 0) / NANO_PER_USD for name, nanousd in ends.items()}}
            )
    if not values:
        return None
    note = f"A run is a session's part in one work; runs are of the same work where {', '.join(made.same)} agree."
    return Section(heading="Runs of the same task", charts=(svg(spread(values)),), notes=(note,))


def _change(analytics: Analytics, where: RowFilter, period: Period) -> Section | None:
    """The bridge from the month before, where the period is one calendar month and both have a bill."""
    if period.since_ms is None or where != RowFilter(since_ms=period.since_ms, until_ms=period.until_ms):
        return None
    month, earlier = span("month", period.since_ms), span("month", period.since_ms - 1)
    if (month.start_ms, month.end_ms) != (period.since_ms, period.until_ms) or month.end_ms is None:
        return None
    found = bridge_of(analytics, (earlier.start_ms, month.start_ms), (month.start_ms, month.end_ms))
    if not found.before.cells or not found.after.cells:
        return None
    return bridge_section(found, earlier.id, month.id)


def _sessions(analytics: Analytics, where: RowFilter) -> int:
    """All that there are; the spread of their costs is of those whose cost is known."""
    return sum(cell.sessions or 0 for cell in analytics.cells((), where))


def _tiles(made: Report, sessions: int) -> list[Tile]:
    sums = made.total.sums
    billed = sums.billed_input
    tiles = [
        Tile(_usd(sums.cost_nanousd), "USD at list price"),
        Tile(requests_text(made.total), "requests"),
        Tile(f"{sessions:,}", "sessions"),
        Tile(_percent(sums.tokens_cache_read, billed), "of input read from caches"),
        Tile(_usd(sums.failed_cost_nanousd + sums.retry_cost_nanousd), "USD for failures and retries"),
        Tile(_percent(sums.estimated_nanousd, sums.cost_nanousd), "of the cost is estimated"),
    ]
    if sums.unpriced_attempts:
        tiles.append(Tile(f"{sums.unpriced_attempts:,}", "attempts of unknown price, in no cost"))
    return tiles


def _usd(nanousd: int | None) -> str:
    return "unknown" if nanousd is None else f"{nanousd / NANO_PER_USD:,.2f}"


def _percent(part: int | None, whole: int | None) -> str:
    return "unknown" if part is None or not whole else f"{100 * part / whole:.1f} %"


def _name(values: Sequence[str | None]) -> str:
    return ", ".join([NOBODY if value is None else value for value in values])
