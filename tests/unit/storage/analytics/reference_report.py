"""Reports as a plain fold over rows: what the analytics must agree with. Slow, and in no need of a database."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter

from bascule.decide.market import market_of
from bascule.decide.window import window_id
from bascule.model.policy import BudgetWindow
from bascule.model.report import TERMS, Figures, Group, Report, RunSpread, Spread, Terms, spread_of
from bascule.model.row import AttemptRow
from bascule.model.session import WHO, Agent, Session
from bascule.model.sums import HELPERS, Sums, answering, failed
from bascule.offline.percentile import percentile
from bascule.offline.pull_request import named_in

_WINDOWS: tuple[BudgetWindow, ...] = ("hour", "day", "week", "month")

Values = tuple[str | None, ...]


def reference_report(rows: Iterable[AttemptRow], by: Sequence[str], terms: Terms = TERMS) -> Report:
    """Every group, the dearest first."""
    rows = list(rows)
    total, groups = _Gathered(terms), {}
    for attempts in by_request(rows):
        best = answering(attempts)
        total.add(attempts, best)
        parts: dict[Values, list[AttemptRow]] = {}
        for row in attempts:
            values = tuple([_value(row, name, terms, row is best or len(attempts) == 1) for name in by])
            parts.setdefault(values, []).append(row)
        for values, part in parts.items():
            groups.setdefault(values, _Gathered(terms)).add(part, best)
    made = [Group(values, gathered.figures()) for values, gathered in groups.items()] if by else []
    made.sort(key=lambda one: (-(one.figures.sums.cost_nanousd or 0), [value or "" for value in one.values]))
    return Report(tuple(by), tuple(made), total.figures(), len(made), terms.same)


def by_request(rows: Iterable[AttemptRow]) -> list[list[AttemptRow]]:
    ordered = sorted(rows, key=attrgetter("request_id", "attempt_no"))
    return [list(found) for _, found in groupby(ordered, key=attrgetter("request_id"))]


def _value(row: AttemptRow, name: str, terms: Terms, answered: bool = True) -> str | None:
    if name.startswith("tag:"):
        return row.tags.get(name.removeprefix("tag:"))
    made: dict[str, Callable[[], str | None]] = {
        "session": lambda: row.session_id,
        "agent": lambda: row.agent_id,
        "market": lambda: market_of(row.rates),
        "outcome": lambda: _fate(row, terms) or row.tags.get("outcome"),
        "department": lambda: row.tags.get("department", dict(terms.departments).get(row.project or "")),
        "priced": lambda: "yes" if row.cost_nanousd is not None else "no",
        "answers": lambda: "yes" if not failed(row) and (row.role in HELPERS or answered) else "no",
        **{kind: partial(window_id, kind, row.ts_start_ms) for kind in _WINDOWS},
    }
    return made[name]() if name in made else getattr(row, name)


def _fate(row: AttemptRow, terms: Terms) -> str | None:
    told = {(one.session_id, one.pr, one.branch, one.project): one.outcome for one in terms.fates}
    return told.get((row.session_id or "", named_in(row), row.branch, row.project))


class _Gathered:
    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.sums = Sums()
        self.latency: list[int] = []
        self.first: list[int] = []
        self.costs: list[int] = []
        self.tokens: list[int] = []
        self.sessions: dict[str, int] = {}
        self.last_start_ms: int | None = None
        self.runs: dict[tuple[str, Values], int] = {}

    def add(self, attempts: list[AttemptRow], best: AttemptRow) -> None:
        """All attempts of one request that belong to this group."""
        sums = Sums(requests=1, failed_requests=int(failed(best)))
        for row in attempts:
            sums.add(row, row is best)
            self.last_start_ms = max(self.last_start_ms or 0, row.ts_start_ms)
            self._time(row)
            self._run(row)
        if all(row.cost_nanousd is not None for row in attempts):
            self.costs.append(sum(row.cost_nanousd or 0 for row in attempts))
        self.tokens.append(sums.tokens)
        self.sums = self.sums.plus(sums)

    def _time(self, row: AttemptRow) -> None:
        if row.role == "cache" or row.ts_end_ms is None or row.error_class is not None or failed(row):
            return
        self.latency.append(row.ts_end_ms - row.ts_start_ms)
        if row.ts_first_ms is not None:
            self.first.append(row.ts_first_ms - row.ts_start_ms)

    def _run(self, row: AttemptRow) -> None:
        if row.cost_nanousd is None or row.session_id is None:
            return
        self.sessions[row.session_id] = self.sessions.get(row.session_id, 0) + row.cost_nanousd
        if row.task is None and "task" in self.terms.same:
            return
        work = tuple([_value(row, name, self.terms) for name in self.terms.same])
        self.runs[row.session_id, work] = self.runs.get((row.session_id, work), 0) + row.cost_nanousd

    def figures(self) -> Figures:
        self.sums.last_ms = self.last_start_ms
        latency, first = sorted(self.latency), sorted(self.first)
        return Figures(
            sums=self.sums,
            latency_p50_ms=percentile(latency, 50),
            latency_p95_ms=percentile(latency, 95),
            ttft_p50_ms=percentile(first, 50),
            ttft_p95_ms=percentile(first, 95),
            request_cost_p50_nanousd=percentile(sorted(self.costs), 50),
            request_tokens_p50=percentile(sorted(self.tokens), 50),
            session_cost=_spread(self.sessions.values()),
            run_cost=self._run_cost(),
        )

    def _run_cost(self) -> RunSpread:
        works: dict[Values, list[int]] = {}
        for (_, work), cost in self.runs.items():
            works.setdefault(work, []).append(cost)
        ratios = []
        for costs in works.values():
            median = percentile(sorted(costs), 50)
            if len(costs) > 1 and median > 0:
                ratios += [float(cost) / float(median) for cost in costs]
        whole = _spread(self.runs.values())
        ratios.sort()
        low, high = percentile(ratios, 10), percentile(ratios, 90)
        return RunSpread(
            runs=whole.runs,
            works=len(works),
            compared_runs=len(ratios),
            p10_nanousd=whole.p10_nanousd,
            p50_nanousd=whole.p50_nanousd,
            p90_nanousd=whole.p90_nanousd,
            p90_over_p10=round(high / low, 3) if ratios and low > 0 else None,
        )


def _spread(costs: Iterable[int]) -> Spread:
    ascending = sorted(costs)
    return spread_of(len(ascending), *[percentile(ascending, percent) for percent in (10, 50, 90)])


def reference_sessions(rows: Sequence[AttemptRow]) -> list[Session]:
    """The latest start first."""
    found: dict[str | None, Session] = {}
    for attempts in by_request(rows):
        best, first = answering(attempts), attempts[0]
        blank = Session(session_id=first.session_id, sums=Sums(), models={}, agents={}, who={}, tags={})
        session = found.setdefault(first.session_id, blank)
        agent = session.agents.setdefault(first.agent_id, Agent(agent_id=first.agent_id, sums=Sums(), models={}))
        for place in (session, agent):
            place.sums.requests += 1
            place.sums.failed_requests += failed(best)
            for row in attempts:
                place.sums.add(row, row is best)
                if row.model is not None:
                    place.models[row.model] = place.models.get(row.model, 0) + 1
    for row in sorted(rows, key=attrgetter("ts_start_ms", "attempt_no")):
        session = found[row.session_id]
        session.agents[row.agent_id].parent_id = row.parent_id or session.agents[row.agent_id].parent_id
        session.tags.update(row.tags)
        session.who |= {name: getattr(row, name) for name in WHO if getattr(row, name) is not None}
    for session in found.values():
        ordered = sorted(session.agents.items(), key=lambda item: (item[0] is not None, item[1].sums.first_ms))
        session.agents = dict(ordered)
    return sorted(
        found.values(), key=lambda session: (-session.sums.first_ms, session.session_id is None, session.session_id)
    )
