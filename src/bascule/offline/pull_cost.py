"""What one pull request cost, and how that lies among the others of its repository. Pure.

Which rows are its: those that name it; those of its branch that name none, from the last merge of that name on;
and of the sessions that it is told of, whatever names no other pull request. What a session did before it made a branch
is split evenly over all that the session worked on (`works`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from msgspec import Struct, structs

from bascule.model.row import AttemptRow
from bascule.model.session_outcome import SessionOutcome
from bascule.model.sums import Sums, answering, failed
from bascule.offline.junit import JunitResults
from bascule.offline.outcomes import state_of
from bascule.offline.paid import Paid
from bascule.offline.parts import Part, PartKey, key_of
from bascule.offline.percentile import percentile
from bascule.offline.pull_request import PullRequest, pull_requests
from bascule.offline.works import Work, Worked

LEAST_OTHERS = 5
"""With fewer others a spread says nothing."""


class Subject(Struct, frozen=True, kw_only=True):
    """The pull request. Without a number it is a branch, or some sessions."""

    repository: str | None = None
    number: int | None = None
    branch: str | None = None
    sessions: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()
    """What rows call the repository; empty: whatever they call it."""

    @property
    def name(self) -> str:
        if self.number is not None:
            return str(PullRequest(self.repository.lower() if self.repository else None, self.number))
        return f"branch {self.branch}" if self.branch else "these sessions"


class Line(Struct, kw_only=True):
    """What one model or agent did."""

    name: str | None
    sums: Sums


class Others(Struct, frozen=True, kw_only=True):
    """The pull requests that this one is compared with; costs in nano-USD."""

    same: str
    """What makes them the same kind, in words."""
    count: int
    cheaper: int
    """How many of them cost less than this one."""
    p10_nanousd: int | None
    p50_nanousd: int | None
    p90_nanousd: int | None

    @property
    def enough(self) -> bool:
        return self.count >= LEAST_OTHERS


class PullCost(Struct, frozen=True, kw_only=True):
    """Money in nano-USD, times in milliseconds."""

    subject: Subject
    cost_nanousd: int | None
    """At list price, its share of shared work included; None where no attempt has a known cost."""
    paid: Paid | None = None
    """After contracts; None where there are none."""
    shared_nanousd: int
    shared_with: tuple[str, ...]
    sums: Sums
    """Of what is this pull request's alone."""
    models: tuple[Line, ...]
    agents: tuple[Line, ...]
    sessions: tuple[str, ...]
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    from_logs: bool
    """All of it was read from logs, so latencies are the distances of their lines."""
    estimated_nanousd: int
    plan_nanousd: int
    unknown: int
    state: str
    """`merged`, `reverted`, `abandoned`, `useful`, `useless` or `unknown`."""
    others: Others
    tests: JunitResults | None = None


def claimed(found: Sequence[Part], subject: Subject, derived: Iterable[SessionOutcome]) -> list[Part]:
    """The parts, those marked that are this pull request's without naming it. `derived` says what git knows."""
    taken = {
        (each.session_id, each.part): each.work
        for each in derived
        if each.work is not None and each.outcome in ("merged", "reverted")
    }
    return [structs.replace(part, work=subject.name) if _is_its(part, subject, taken) else part for part in found]


def _is_its(part: Part, subject: Subject, taken: Mapping[tuple[str | None, str | None], str]) -> bool:
    named = pull_requests(part.pr)
    if named:
        its = subject.number is not None and any(
            each.number == subject.number and each.is_of(subject.repository) for each in named
        )
        return its and len(named) == 1 and (named[0].repository is not None or _here(part, subject))
    if part.session_id in subject.sessions:
        return True
    if subject.branch is None or part.branch != subject.branch or not _here(part, subject):
        return False
    # What an earlier merge of a branch of this name took in is not this pull request's.
    return taken.get((part.session_id, part.label), subject.name) == subject.name


def _here(part: Part, subject: Subject) -> bool:
    return part.project is None or not subject.projects or part.project in subject.projects


def pull_cost(
    worked: Worked,
    subject: Subject,
    rows: Iterable[AttemptRow],
    tests: JunitResults | None = None,
    paid: Paid | None = None,
) -> PullCost:
    """`worked` is of parts as `claimed` gives them; `rows` those that `keys` tells of, or more, the rows of a request
    together; `paid` from `pull_paid`."""
    its = own(worked, subject)
    detail = _Detail()
    wanted = keys(worked, subject)
    for _, together in groupby(rows, key=attrgetter("request_id")):
        detail.add([row for row in together if key_of(row) in wanted])
    latency = sorted(detail.latency)
    return PullCost(
        subject=subject,
        cost_nanousd=its.cost_nanousd if its.known else None,
        paid=paid,
        shared_nanousd=its.shared_nanousd,
        shared_with=_partners(worked, its),
        sums=detail.sums,
        models=_dearest(detail.models),
        agents=_dearest(detail.agents),
        sessions=tuple(sorted(its.sessions)),
        latency_p50_ms=percentile(latency, 50),
        latency_p95_ms=percentile(latency, 95),
        from_logs=detail.logged == detail.sums.attempts > 0,
        estimated_nanousd=its.estimated_nanousd,
        plan_nanousd=its.plan_nanousd,
        unknown=its.unknown,
        state=state_of(its),
        others=_others(worked, its, subject),
        tests=tests,
    )


def own_sessions(worked: Worked, subject: Subject) -> set[str | None]:
    """The sessions of what is this pull request's alone; None among them: some of it belongs to no session."""
    return {part.session_id for part in own(worked, subject).whole}


def own_span(worked: Worked, subject: Subject) -> tuple[int, int] | None:
    """From the first to the last of the rows that are this pull request's alone."""
    whole = own(worked, subject).whole
    return (min(part.first_ms for part in whole), max(part.last_ms for part in whole)) if whole else None


def keys(worked: Worked, subject: Subject) -> set[PartKey]:
    """Which rows are this pull request's alone."""
    return {part.key for part in own(worked, subject).whole}


def own(worked: Worked, subject: Subject) -> Work:
    """What is this pull request's."""
    return next((work for work in worked.works if work.name == subject.name), Work(name=subject.name))


def _partners(worked: Worked, its: Work) -> tuple[str, ...]:
    shared = {part.key for part in its.split}
    return tuple(
        [work.name for work in worked.works if work is not its and any(part.key in shared for part in work.split)]
    )


class _Detail:
    def __init__(self) -> None:
        self.sums = Sums()
        self.models: dict[str | None, Line] = {}
        self.agents: dict[str | None, Line] = {}
        self.latency: list[int] = []
        self.logged = 0

    def add(self, attempts: list[AttemptRow]) -> None:
        """The attempts of one request."""
        if not attempts:
            return
        answer = answering(attempts)
        seen: list[Sums] = []
        for row in attempts:
            model = self.models.setdefault(row.model, Line(name=row.model, sums=Sums()))
            agent = self.agents.setdefault(row.agent_id, Line(name=row.agent_id, sums=Sums()))
            for sums in (self.sums, model.sums, agent.sums):
                sums.add(row, row is answer)
                if not any(sums is each for each in seen):
                    seen.append(sums)
                    sums.requests += 1
                    sums.failed_requests += failed(answer)
            self.logged += row.kind == "import"
            if row.role != "cache" and row.ts_end_ms is not None and row.error_class is None and not failed(row):
                self.latency.append(row.ts_end_ms - row.ts_start_ms)


def _dearest(lines: Mapping[str | None, Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines.values(), key=lambda line: (-(line.sums.cost_nanousd or 0), line.name or "")))


def _others(worked: Worked, its: Work, subject: Subject) -> Others:
    """Other pull requests of the repository whose cost is wholly known; of the same task, where they all have one."""
    prefix = f"{subject.repository.lower()}#" if subject.repository else "#"
    known = [
        work
        for work in worked.works
        if work is not its and work.name.startswith(prefix) and work.known and not work.unknown
    ]
    same = f"other pull requests of {subject.repository}" if subject.repository else "other pull requests"
    (task,) = its.tasks if len(its.tasks) == 1 else (None,)
    alike = [work for work in known if work.tasks == {task}] if task is not None else []
    if len(alike) >= LEAST_OTHERS:
        known, same = alike, f"{same} with task {task}"
    return compared(its.cost_nanousd, [work.cost_nanousd for work in known], same)


def compared(cost_nanousd: int, others: Collection[int], same: str) -> Others:
    ascending = sorted(others)
    return Others(
        same=same,
        count=len(ascending),
        cheaper=sum(each < cost_nanousd for each in ascending),
        p10_nanousd=percentile(ascending, 10),
        p50_nanousd=percentile(ascending, 50),
        p90_nanousd=percentile(ascending, 90),
    )
