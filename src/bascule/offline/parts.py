"""What each session spent on each thing that it worked on: sums that outcomes and pull requests are told by. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from bascule.model.imported import PLAN_TAG, on_plan
from bascule.model.report import Cell
from bascule.model.row import AttemptRow
from bascule.offline.pull_request import named_in

PartKey = tuple[str | None, str | None, str | None, str | None, str | None]


CELLS_BY = ("session", "pr", "tag:pr", "branch", "project", "task", "origin", f"tag:{PLAN_TAG}")
"""The dimensions that `parts_of_cells` takes cells by; with times."""


class Part(Struct, kw_only=True):
    """The rows of one session that name the same pull requests, branch, project and task. Money in nano-USD."""

    session_id: str | None
    """None gathers what belongs to no session."""
    pr: str | None
    """As the rows say it."""
    branch: str | None
    project: str | None
    task: str | None = None
    work: str | None = None
    """What it is a part of, where that has been decided beyond what the rows say."""
    first_ms: int
    last_ms: int
    attempts: int = 0
    cost_nanousd: int = 0
    """Of the attempts whose cost is known."""
    unknown: int = 0
    """Attempts whose cost is not known: no price, no usage, or still open."""
    estimated_nanousd: int = 0
    plan_nanousd: int = 0
    """Of the cost: list price of what a subscription covered, which nobody was billed by the token."""
    known: int = 0

    @property
    def label(self) -> str | None:
        """What an outcome calls it: the pull request as named, else the branch."""
        return self.pr or self.branch

    @property
    def key(self) -> PartKey:
        return self.session_id, self.pr, self.branch, self.project, self.task

    def add(self, row: AttemptRow) -> None:
        self.first_ms = min(self.first_ms, row.ts_start_ms)
        self.last_ms = max(self.last_ms, row.ts_end_ms or row.ts_start_ms)
        self.attempts += 1
        cost = None if row.kind == "intent" else row.cost_nanousd
        if cost is None:
            self.unknown += 1
            return
        self.known += 1
        self.cost_nanousd += cost
        if row.usage_source == "estimated" or row.recovered:
            self.estimated_nanousd += cost
        if on_plan(row.origin, row.tags.get(PLAN_TAG)):
            self.plan_nanousd += cost


def key_of(row: AttemptRow) -> PartKey:
    """Which part a row is in."""
    return row.session_id, named_in(row), row.branch, row.project, row.task


def parts(rows: Iterable[AttemptRow]) -> list[Part]:
    """The parts of all sessions, in the order of their keys, so that equal rows always divide equally."""
    found: dict[PartKey, Part] = {}
    for row in rows:
        key = key_of(row)
        part = found.get(key)
        if part is None:
            part = found[key] = Part(
                session_id=row.session_id,
                pr=key[1],
                branch=row.branch,
                project=row.project,
                task=row.task,
                first_ms=row.ts_start_ms,
                last_ms=row.ts_start_ms,
            )
        part.add(row)
    return [found[key] for key in sorted(found, key=_by_key)]


def parts_of_cells(cells: Iterable[Cell]) -> list[Part]:
    """The same of rows that have been summed by `CELLS_BY`, in the order of their keys."""
    found: dict[PartKey, Part] = {}
    for cell in cells:
        session_id, pr, tag_pr, branch, project, task, origin, plan = cell.values
        sums = cell.sums
        key = (session_id, pr or tag_pr or None, branch, project, task)
        first_ms = sums.first_ms or 0
        part = found.get(key)
        if part is None:
            part = found[key] = Part(
                session_id=session_id,
                pr=key[1],
                branch=branch,
                project=project,
                task=task,
                first_ms=first_ms,
                last_ms=first_ms,
            )
        part.first_ms = min(part.first_ms, first_ms)
        part.last_ms = max(part.last_ms, sums.last_ms or first_ms)
        attempts = sums.attempts + sums.cache_hits
        unknown = sums.open_attempts + sums.unpriced_attempts
        cost = sums.cost_nanousd or 0
        part.attempts += attempts
        part.unknown += unknown
        part.known += attempts - unknown
        part.cost_nanousd += cost
        part.estimated_nanousd += sums.estimated_nanousd
        part.plan_nanousd += cost if on_plan(origin, plan) else 0
    return [found[key] for key in sorted(found, key=_by_key)]


def _by_key(key: PartKey) -> tuple[str, ...]:
    return tuple([each or "" for each in key])
