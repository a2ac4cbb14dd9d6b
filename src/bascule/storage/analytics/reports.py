"""Reports: sums by group, and what is typical in each."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bascule.model.report import TERMS, Figures, Group, Report, RunSpread, Sort, Spread, Terms, spread_of
from bascule.model.sums import Sums
from bascule.storage.analytics.dimensions import Read
from bascule.storage.analytics.frame import Frame, frame, group_names, same_group, share, sum_groups

Key = tuple[Any, ...]
LATENCY_BUCKET = "128"
"""Milliseconds."""
FEW = 200
"""So many groups are computed whole, however few are shown; of more only those that are."""
COUNTED = 200
"""In so many groups it pays to count how often each value occurs, and to add the counts up to those of all."""
MANY = frozenset({"session", "pr", "branch", "hour", "user", "key"})
"""Dimensions that may have very many values; so may tags."""
PLAIN = frozenset({"cost", "tokens", "name"})
"""Orders that follow from sums of rows alone."""
BUCKET = "65536"
"""Nano-USD: of ten million costs, few lie in the same 65 millionths of a dollar."""

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


def report(
    found: Frame, by: Sequence[str], terms: Terms = TERMS, sort: Sort = "cost", top: int | None = None
) -> Report:
    """Figures in total and by group."""
    reads = frame(found, by, terms=terms)
    count, order = len(reads), _order(sort, len(reads))
    share(found, count)
    found.run("report", "runs", g=group_names(count), rows="placed")
    ranked = top is not None and sort in PLAIN and any(name in MANY or name.startswith("tag:") for name in by)
    if ranked:
        found.run("report", "ranks", g=group_names(count))
        ranked = _size(found, "ranks") > max(top or 0, FEW)
    if not ranked:
        sum_groups(found, count)
    groups_total, total = (0, Sums()) if ranked else _total(found, "groups")
    groups: tuple[Group, ...] = ()
    if top is not None and (ranked or groups_total > max(top, FEW)):
        found.run("report", "chosen", table="ranks" if ranked else "groups", order=order, top=str(top))
        rows, runs = [_only_chosen(found, name, count) for name in ("placed", "runs")]
        if ranked:
            groups_total, total = _sum_chosen(found, count, rows)
        units = _only_chosen(found, "units", count)
        sources = _by_group(found, count, rows, units, runs, counts=False)
        groups = _groups(found, reads, "few_groups" if ranked else "chosen", order, sources)
    else:
        sources = _by_group(found, count, "placed", "units", "runs", counts=groups_total <= COUNTED)
        if reads:
            groups = _groups(found, reads, "groups", order if top is None else f"{order} LIMIT {top}", sources)
    counted = sources.latency, sources.first
    if counted == ("", ""):
        if not ranked:
            found.run("report", "in_one", table="placed")
        counted = _counted(found, 0, "all_placed")
    return Report(
        by=tuple(by),
        groups=groups,
        total=Typical(found, _of_all(found, *counted), 0, of_all=True).figures((0,), total),
        groups_total=groups_total if reads else 0,
        same=terms.same,
    )


def _sum_chosen(found: Frame, count: int, rows: str) -> tuple[int, Sums]:
    """Sums of the chosen groups alone, and of all rows together: many groups take ten times as long as one."""
    sum_groups(found, count, rows=rows, prefix="few_")
    found.connection.execute("CREATE TEMP VIEW units AS SELECT * FROM few_units")
    for table in ("placed", "shared"):
        found.run("report", "in_one", table=table)
    sum_groups(found, 0, rows="all_placed", shared="all_shared", prefix="all_")
    _, total = _total(found, "all_groups")
    return _size(found, "ranks"), total


def _size(found: Frame, table: str) -> int:
    ((size,),) = found.run("report", "size", table=table)
    return int(size)


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


def _total(found: Frame, table: str) -> tuple[int, Sums]:
    """How many groups there are, and what they come to."""
    sums = ", ".join([f"sum({name}) AS {name}" for name in _ADDED])
    ((groups, *line),) = found.run("report", "total", sums=sums, table=table)
    names = [*_ADDED, "first_ms", "last_ms", "requests", "failed_requests"]
    return groups, _sums(dict(zip(names, line, strict=True)))


def _order(sort: Sort, count: int) -> str:
    names = [f"g{index} ASC NULLS FIRST" for index in range(max(count, 1))]
    return ", ".join([part for part in (ORDERS[sort], *names) if part])


def _only_chosen(found: Frame, source: str, count: int) -> str:
    name = f"chosen_{source}"
    found.run("report", "only_chosen", name=name, source=source, same_group=same_group(count, "chosen", "s"))
    return name


class Sources(Struct, frozen=True):
    """Relations that percentiles are read from."""

    rows: str
    latency: str
    """Values and how often they occur: `(g…, value, n)`. Empty where they were not counted."""
    first: str
    requests: str
    """`(g…, cost, tokens)`: too many different values to be counted."""
    runs: str
    """`(g…, session_key, work, cost)`."""


def _by_group(found: Frame, count: int, rows: str, units: str, runs: str, *, counts: bool) -> Sources:
    """By group, from these rows and from these requests of several attempts."""
    latency, first = _counted(found, count, rows) if counts else ("", "")
    requests = f"requests_of_{rows}"
    found.run("report", "requests_of_groups", name=requests, g=group_names(count), rows=rows, units=units)
    return Sources(rows=rows, latency=latency, first=first, requests=requests, runs=runs)


def _counted(found: Frame, count: int, rows: str) -> tuple[str, str]:
    tables = f"latency_of_{rows}", f"first_of_{rows}"
    for table, value in zip(tables, ("latency_ms", "first_ms"), strict=True):
        found.run("report", "counted", table=table, g=group_names(count), value=value, rows=rows)
    return tables


def _of_all(found: Frame, latency: str, first: str) -> Sources:
    """Of all groups together, from what was counted by group; a request is one, whatever groups it falls into."""
    found.run("report", "of_all", table=latency)
    found.run("report", "of_all", table=first)
    found.run("report", "requests_of_all")
    found.run("report", "all_runs", runs="runs")
    return Sources(rows="", latency=f"all_{latency}", first=f"all_{first}", requests="all_requests", runs="all_runs")


class Typical:
    """What is typical in each group: percentiles by the group's values."""

    def __init__(self, found: Frame, sources: Sources, count: int, *, of_all: bool = False) -> None:
        names = group_names(count)
        self._width = max(count, 1)
        if sources.latency:
            self._latency = _keyed(self._width, found.run("report", "percentiles", g=names, table=sources.latency))
            self._first = _keyed(self._width, found.run("report", "percentiles", g=names, table=sources.first))
        else:
            self._latency = _keyed(self._width, _of_many(found, count, sources.rows, "latency_ms"))
            self._first = _keyed(self._width, _of_many(found, count, sources.rows, "first_ms"))
        if of_all:
            self._requests = {(0,): _of_all_requests(found)}
        else:
            lines = found.run("report", "requests", g=names, requests=sources.requests)
            self._requests = _keyed(self._width, lines)
        self._sessions = _keyed(self._width, found.run("report", "session_cost", g=names, runs=sources.runs))
        self._runs = _keyed(
            self._width,
            found.run(
                "report",
                "run_cost",
                g=names,
                runs=sources.runs,
                r_g=group_names(count, "r."),
                s_g=group_names(count, "spread."),
                same_group=same_group(count, "r", "works"),
                spread_same_group=same_group(count, "spread", "numbered"),
            ),
        )

    def figures(self, key: Key, sums: Sums) -> Figures:
        latency = self._latency.get(key, (None, None))
        first = self._first.get(key, (None, None))
        request_cost, request_tokens = self._requests.get(key, (None, None))
        return Figures(
            sums=sums,
            latency_p50_ms=latency[0],
            latency_p95_ms=latency[1],
            ttft_p50_ms=first[0],
            ttft_p95_ms=first[1],
            request_cost_p50_nanousd=request_cost,
            request_tokens_p50=request_tokens,
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


def _of_all_requests(found: Frame) -> tuple[Any, ...]:
    """Median cost and tokens of all requests together."""
    found.run("report", "tokens_of_all")
    tokens = found.run("report", "percentiles", g="g0", table="all_tokens")
    bucket = found.run("report", "median_bucket", width=BUCKET)
    cost = None
    if bucket:
        ((number, before, total),) = bucket
        place = (total * 50 + 99) // 100 - before - 1
        ((cost,),) = found.run("report", "median_in_bucket", width=BUCKET, bucket=str(number), place=str(place))
    return cost, tokens[0][1] if tokens else None


def _of_many(found: Frame, count: int, rows: str, value: str) -> list[tuple[Any, ...]]:
    """The percentiles of each of many groups, in two passes that hold little."""
    names = group_names(count)
    read = {"g": names, "rows": rows, "value": value, "width": LATENCY_BUCKET}
    found.run("report", "coarse", **read)
    found.run("report", "hits", g=names)
    return found.run("report", "fine", **read, r_g=group_names(count, "r."), same_group=same_group(count, "r", "hits"))


def _keyed(width: int, lines: list[tuple[Any, ...]]) -> dict[Key, tuple[Any, ...]]:
    return {line[:width]: line[width:] for line in lines}


def _groups(found: Frame, reads: Sequence[Read], table: str, order: str, sources: Sources) -> tuple[Group, ...]:
    count = len(reads)
    typical = Typical(found, sources, count)
    summed = fetch_sums(found, count, table, order)
    return tuple([Group(told(reads, key), typical.figures(key, sums)) for key, sums in summed])
