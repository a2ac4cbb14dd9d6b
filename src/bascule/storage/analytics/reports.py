"""Reports: sums by group, and what is typical in each.

Of many groups only the first are told apart; all others are one more group, so that what is counted by group adds up to
all of them.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bascule.model.report import TERMS, Figures, Group, Report, RunSpread, Sort, Spread, Terms, spread_of
from bascule.model.sums import Sums
from bascule.storage.analytics.dimensions import Read
from bascule.storage.analytics.frame import Frame, frame, group_names, same_group, sum_up
from bascule.storage.analytics.percentiles import ALL, Key, of_attempts, of_requests

FEW = 64
"""So many groups are all told apart, however few are shown."""
COUNTED = 64
"""In so many groups it pays to count how often each duration occurs."""
MANY = frozenset({"session", "pr", "branch", "hour", "day", "user", "key", "project"})
"""Dimensions that may have very many values; so may tags, and several dimensions together."""
PLAIN = frozenset({"cost", "tokens", "name"})
"""Orders that follow from sums of rows alone."""

SUMS = Sums.__struct_fields__
_COUNTED_AGAIN = ("requests", "failed_requests", "first_ms", "last_ms")
_ADDED = tuple([name for name in SUMS if name not in _COUNTED_AGAIN])
_KNOWN = tuple([name for name, field in zip(SUMS, Sums.__struct_defaults__, strict=True) if field == 0])
"""What is 0, not unknown, where there is nothing."""

ORDERS: dict[Sort, str] = {
    "cost": "coalesce(cost_nanousd, 0) DESC",
    "requests": "requests DESC",
    "tokens": "tokens DESC",
    "saved": "coalesce(saved_nanousd, 0) DESC",
    "failures": "failed_requests DESC, failed_attempts DESC",
    "name": "",
}


class _Told(Struct, frozen=True):
    """Relations of the groups that are told apart."""

    count: int
    """How many columns of theirs there are."""
    rows: str
    sums: str
    prefix: str
    """Of `units` and `groups`."""
    values: dict[Key, Key] | None = None
    """Where they are places, the values behind each."""


def report(
    found: Frame, by: Sequence[str], terms: Terms = TERMS, sort: Sort = "cost", top: int | None = None
) -> Report:
    """Figures in total and by group."""
    reads = frame(found, by, terms=terms)
    groups_total, told_apart = _told_apart(found, by, sort, top)
    typical = Typical(found, told_apart, counts=groups_total <= COUNTED or told_apart.values is not None)
    return Report(
        by=tuple(by),
        groups=_groups(found, reads, told_apart, _order(sort, len(reads)), top, typical) if reads else (),
        total=typical.figures(ALL, _total(found, told_apart)),
        groups_total=groups_total if reads else 0,
        same=terms.same,
    )


def _told_apart(found: Frame, by: Sequence[str], sort: Sort, top: int | None) -> tuple[int, _Told]:
    """How many groups there are; the sums of those that are told apart are made."""
    count, most = len(by), None if top is None else max(top, FEW)
    many = len(by) > 1 or any(name in MANY or name.startswith("tag:") for name in by)
    ranked = most is not None and sort in PLAIN and many
    if ranked:
        found.run("report", "ranks", g=group_names(count))
    else:
        sum_up(found, count)
    ((size,),) = found.run("report", "size", table="ranks" if ranked else "groups")
    if most is not None and size > most:
        return size, _picked(found, count, "ranks" if ranked else "groups", _order(sort, count), top or 0)
    if ranked:
        sum_up(found, count)
    return size, _Told(count=count, rows="placed", sums="framed_sums", prefix="")


def _picked(found: Frame, count: int, table: str, order: str, top: int) -> _Told:
    """The first groups by their places, and all others as one without a place."""
    names = group_names(count)
    found.run("report", "chosen", table=table, g=names, order=order, top=str(top))
    for name, source in (("picked", "placed"), ("picked_sums", "framed_sums")):
        found.run("report", "picked", name=name, source=source, g=names, same_group=same_group(count, "chosen", "p"))
    sum_up(found, 1, rows="picked", sums="picked_sums", prefix="picked_")
    values = {line[:1]: line[1:] for line in found.run("report", "places", g=names)}
    return _Told(count=1, rows="picked", sums="picked_sums", prefix="picked_", values=values)


def fetch_sums(found: Frame, count: int, table: str = "groups", order: str = "1") -> list[tuple[Key, Sums]]:
    """The sums of each group, by its values as they are in SQL."""
    width = max(count, 1)
    lines = found.run("report", "fetch", g=group_names(count), fields=", ".join(SUMS), table=table, order=order)
    return [(line[:width], _sums(dict(zip(SUMS, line[width:], strict=True)))) for line in lines]


def _sums(values: dict[str, Any]) -> Sums:
    for name in _KNOWN:
        values[name] = values[name] or 0
    return Sums(**values)


def told(reads: Sequence[Read], key: Key) -> tuple[str | None, ...]:
    """A group's values as text."""
    return tuple([None if value is None else one.told(value) for one, value in zip(reads, key, strict=False)])


def _total(found: Frame, told_apart: _Told) -> Sums:
    """What all groups come to."""
    sums = ", ".join([f"sum({name}) AS {name}" for name in _ADDED])
    (line,) = found.run("report", "total", sums=sums, table=f"{told_apart.prefix}groups")
    names = [*_ADDED, "first_ms", "last_ms", "requests", "failed_requests"]
    return _sums(dict(zip(names, line, strict=True)))


def _order(sort: Sort, count: int) -> str:
    names = [f"g{index} ASC NULLS FIRST" for index in range(max(count, 1))]
    return ", ".join([part for part in (ORDERS[sort], *names) if part])


class Typical:
    """What is typical in each group, and in all of them together under `ALL`."""

    def __init__(self, found: Frame, of: _Told, *, counts: bool) -> None:
        count, rows, units = of.count, of.rows, f"{of.prefix}units"
        self._latency = of_attempts(found, count, rows, "latency_ms", exact=counts)
        self._first = of_attempts(found, count, rows, "first_ms", exact=counts)
        self._costs = of_requests(found, count, rows, units, "cost_nanousd", "cost")
        self._tokens = of_requests(found, count, rows, units, "tokens", "tokens")
        found.run("report", "runs", g=group_names(count), sums=of.sums)
        found.run("report", "all_runs")
        self._sessions: dict[Key, tuple[Any, ...]] = {}
        self._runs: dict[Key, tuple[Any, ...]] = {}
        self._spread(found, count, "runs")
        self._spread(found, 0, "all_runs")

    def _spread(self, found: Frame, count: int, runs: str) -> None:
        names = {"g": group_names(count), "runs": runs}
        width = max(count, 1)
        for line in found.run("report", "session_cost", **names):
            self._sessions[line[:width] if runs == "runs" else ALL] = line[width:]
        lines = found.run(
            "report",
            "run_cost",
            **names,
            r_g=group_names(count, "r."),
            s_g=group_names(count, "spread."),
            same_group=same_group(count, "r", "works"),
            spread_same_group=same_group(count, "spread", "numbered"),
        )
        for line in lines:
            self._runs[line[:width] if runs == "runs" else ALL] = line[width:]

    def figures(self, key: Key, sums: Sums) -> Figures:
        unknown = (None, None)
        latency, first = self._latency.get(key, unknown), self._first.get(key, unknown)
        return Figures(
            sums=sums,
            latency_p50_ms=latency[0],
            latency_p95_ms=latency[1],
            ttft_p50_ms=first[0],
            ttft_p95_ms=first[1],
            request_cost_p50_nanousd=self._costs.get(key, unknown)[0],
            request_tokens_p50=self._tokens.get(key, unknown)[0],
            session_cost=self._session_cost(key),
            run_cost=self._run_cost(key),
        )

    def _session_cost(self, key: Key) -> Spread:
        runs, costs = self._sessions.get(key, (0, (None, None, None)))
        return spread_of(runs, *costs)

    def _run_cost(self, key: Key) -> RunSpread:
        nothing = (0, 0, 0, (None, None, None), None)
        runs, works, compared, costs, ratios = self._runs.get(key, nothing)
        low, high = ratios or (None, None)
        return RunSpread(
            runs=runs,
            works=works,
            compared_runs=compared,
            p10_nanousd=costs[0],
            p50_nanousd=costs[1],
            p90_nanousd=costs[2],
            p90_over_p10=round(high / low, 3) if low is not None and high is not None and low > 0 else None,
        )


def _groups(
    found: Frame, reads: Sequence[Read], of: _Told, order: str, top: int | None, typical: Typical
) -> tuple[Group, ...]:
    table = f"{of.prefix}groups"
    if of.values is not None:
        values = of.values
        lines = [(key, sums) for key, sums in fetch_sums(found, 1, table, "g0") if key in values]
        return tuple([Group(told(reads, values[key]), typical.figures(key, sums)) for key, sums in lines])
    lines = fetch_sums(found, of.count, table, order if top is None else f"{order} LIMIT {top}")
    return tuple([Group(told(reads, key), typical.figures(key, sums)) for key, sums in lines])
