"""Spend, tokens, latency, errors and saving, in total and by group. Pure: rows in, values out.

Groups divide the attempts, so every sum of the groups adds up to the total, in integers. A request whose attempts
fall into several groups is counted in each of them, so requests need not add up. A request that reaches over the
edge of the period is counted by the attempts inside it.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from msgspec import Struct

from bascule.model.row import AttemptRow
from bascule.offline.dimensions import Dimension
from bascule.offline.percentile import percentile
from bascule.offline.spread import Spread, spread
from bascule.offline.sums import Sums, answering, failed


class Figures(Struct, frozen=True, kw_only=True):
    """One line of a report: sums, and what is typical. Times in milliseconds, money in nano-USD."""

    sums: Sums
    latency_p50_ms: int | None
    """Of attempts that ended well, from sending to the last byte."""
    latency_p95_ms: int | None
    ttft_p50_ms: int | None
    """Time to the first content of streamed attempts, to the first byte of others."""
    ttft_p95_ms: int | None
    request_cost_p50_nanousd: int | None
    """Median cost of a request, all its attempts in this group together; requests with an unknown cost left out."""
    request_tokens_p50: int | None
    session_cost: Spread


class Group(Struct, frozen=True):
    values: tuple[str | None, ...]
    """One for each dimension asked for."""
    figures: Figures


class Report(Struct, frozen=True):
    by: tuple[str, ...]
    groups: tuple[Group, ...]
    """Dearest first."""
    total: Figures


def report(rows: Iterable[AttemptRow], by: Sequence[Dimension]) -> Report:
    """Break `rows` down. Rows of one request must come together (`LedgerReader.attempts(by_request=True)`)."""
    total = _Gathered()
    groups: dict[tuple[str | None, ...], _Gathered] = {}
    readers = [dimension.of for dimension in by]
    for _, found in groupby(rows, key=attrgetter("request_id")):
        attempts = list(found)
        is_failed = failed(answering(attempts))
        total.add(attempts, is_failed)
        if not readers:
            continue
        parts: dict[tuple[str | None, ...], list[AttemptRow]] = {}
        for row in attempts:
            parts.setdefault(tuple([read(row) for read in readers]), []).append(row)
        for values, part in parts.items():
            gathered = groups.get(values)
            if gathered is None:
                gathered = groups[values] = _Gathered()
            gathered.add(part, is_failed)
    made = [Group(values, gathered.figures()) for values, gathered in groups.items()]
    made.sort(key=_dearest_first)
    return Report(tuple([dimension.name for dimension in by]), tuple(made), total.figures())


def _dearest_first(group: Group) -> tuple[int, tuple[str, ...]]:
    return -(group.figures.sums.cost_nanousd or 0), tuple([value or "" for value in group.values])


class _Gathered:
    """What has been seen of one group. Arrays of machine integers: a million attempts take tens of megabytes."""

    __slots__ = ("costs", "first", "latency", "sessions", "sums", "tokens")

    def __init__(self) -> None:
        self.sums = Sums()
        self.latency = array("q")
        self.first = array("q")
        self.costs = array("q")
        self.tokens = array("q")
        self.sessions: dict[str, int] = {}

    def add(self, attempts: list[AttemptRow], is_failed: bool) -> None:
        """All attempts of one request that belong to this group."""
        sums = self.sums
        sums.requests += 1
        sums.failed_requests += is_failed
        tokens_before, cost, known = sums.tokens, 0, True
        for row in attempts:
            sums.add(row)
            self._time(row)
            if row.cost_nanousd is None:
                known = False
                continue
            cost += row.cost_nanousd
            if row.session_id is not None:
                self.sessions[row.session_id] = self.sessions.get(row.session_id, 0) + row.cost_nanousd
        if known:
            self.costs.append(cost)
        self.tokens.append(sums.tokens - tokens_before)

    def _time(self, row: AttemptRow) -> None:
        if row.role == "cache" or row.ts_end_ms is None or row.error_class is not None or failed(row):
            return
        self.latency.append(row.ts_end_ms - row.ts_start_ms)
        if row.ts_first_ms is not None:
            self.first.append(row.ts_first_ms - row.ts_start_ms)

    def figures(self) -> Figures:
        latency, first = sorted(self.latency), sorted(self.first)
        return Figures(
            sums=self.sums,
            latency_p50_ms=percentile(latency, 50),
            latency_p95_ms=percentile(latency, 95),
            ttft_p50_ms=percentile(first, 50),
            ttft_p95_ms=percentile(first, 95),
            request_cost_p50_nanousd=percentile(sorted(self.costs), 50),
            request_tokens_p50=percentile(sorted(self.tokens), 50),
            session_cost=spread(self.sessions.values()),
        )
