"""Works: what sessions were spent on, each counted once, with what became of it. Pure.

A work is a pull request, else what git took a branch in with, else a branch, else the session itself. Several sessions
on one pull request are one work; a session on several is in each of them. What such a session spent without naming any
(on the base branch, before the branch was made) is split evenly over its works, as is a request that names several
pull requests; the parts sum to the whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from bascule.model.session_outcome import SessionOutcome
from bascule.offline.apportion import apportion
from bascule.offline.parts import Part
from bascule.offline.pull_request import PullRequest, is_trunk, pull_requests

Delivery = Literal["merged", "reverted", "abandoned"]
USEFUL_FROM = 0.5
"""Scores from here on are of use."""


class Work(Struct, kw_only=True):
    """Money in nano-USD, at list price."""

    name: str
    sessions: set[str] = set()
    labels: set[tuple[str, str | None]] = set()
    """Session and the part of it that this was."""
    whole: list[Part] = []
    """The parts that are its alone."""
    split: list[Part] = []
    """Those that it shares with other works."""
    tasks: set[str | None] = set()
    cost_nanousd: int = 0
    shared_nanousd: int = 0
    """Of the cost: its share of what several works have in common."""
    estimated_nanousd: int = 0
    plan_nanousd: int = 0
    unknown: int = 0
    """Attempts without a known cost. Those that several works share are counted in each of them."""
    known: int = 0
    delivery: Delivery | None = None
    useful: bool | None = None
    """As people and checks said; where they said nothing what was merged is of use, and what was reverted or
    abandoned is not. None: unknown."""


class Worked(Struct, frozen=True, kw_only=True):
    """Everything that was spent, by work."""

    works: tuple[Work, ...]
    """The dearest first."""
    loose: Part | None
    """What belongs to no session and names nothing: it costs, and no outcome can be told of it."""
    unknown: int
    """Attempts without a known cost, each counted once."""


def works(found: Sequence[Part], current: Iterable[SessionOutcome], *, repositories: Collection[str] = ()) -> Worked:
    """The works that these parts are of. `repositories` are those that a number without one may belong to."""
    said = list(current)
    naming = _Naming(found, said, repositories)
    made: dict[str, Work] = {}
    loose: Part | None = None
    names_of: dict[str | None, list[str]] = {}
    for part in found:
        if part.session_id is not None and not is_loose(part):
            known = names_of.setdefault(part.session_id, [])
            known += [name for name in naming.names(part) if name not in known]
    for part in found:
        if not is_loose(part):
            _spend(made, naming.names(part), part, part.label)
        elif part.session_id is None:
            loose = _together(loose, part)
        elif part.session_id in names_of:
            _spend(made, names_of[part.session_id], part, None)
        else:
            _spend(made, [naming.of_base(part)], part, part.label)
    by_session: dict[str | None, list[SessionOutcome]] = {}
    for each in said:
        by_session.setdefault(each.session_id, []).append(each)
    for work in made.values():
        _judge(work, by_session)
    ordered = sorted(made.values(), key=lambda work: (-work.cost_nanousd, work.name))
    return Worked(works=tuple(ordered), loose=loose, unknown=sum(part.unknown for part in found))


def is_loose(part: Part) -> bool:
    """Whether it names nothing of its own."""
    return part.work is None and not pull_requests(part.pr) and is_trunk(part.branch)


class _Naming:
    """One name for each work, however its parts call it."""

    def __init__(self, found: Sequence[Part], said: Sequence[SessionOutcome], repositories: Collection[str]) -> None:
        self._works = {(each.session_id, each.part): each.work for each in said if each.work is not None}
        named = [(part, number) for part in found for number in pull_requests(part.pr)]
        self._repositories = {name.lower() for name in repositories}
        self._repositories |= {number.repository for _, number in named if number.repository is not None}
        for work in self._works.values():
            self._repositories |= {each.repository for each in pull_requests(work) if each.repository is not None}
        self._of_branch: dict[tuple[str | None, str], set[str]] = {}
        for part, number in named:
            if part.branch is not None and not is_trunk(part.branch):
                self._of_branch.setdefault((part.project, part.branch), set()).add(self._number(number, part))

    def names(self, part: Part) -> list[str]:
        """The works of a part that names something."""
        if part.work is not None:
            return [part.work]
        numbers = pull_requests(part.pr)
        if numbers:
            return list(dict.fromkeys([self._number(number, part) for number in numbers]))
        told = self._told(part)
        if told is not None:
            return [told]
        of_branch = self._of_branch.get((part.project, part.branch or ""), set())
        if len(of_branch) == 1:
            return list(of_branch)
        return [f"{part.project}:{part.branch}" if part.project else f"{part.branch}"]

    def of_base(self, part: Part) -> str:
        """Work on the base branch: what git found that it brought, else the session."""
        return self._told(part) or f"session {part.session_id}"

    def _told(self, part: Part) -> str | None:
        work = self._works.get((part.session_id, part.label))
        if work is None:
            return None
        numbers = pull_requests(work) if "#" in work else ()
        return self._number(numbers[0], part) if numbers else work

    def _number(self, number: PullRequest, part: Part) -> str:
        """With its repository, where one is named or only one can be meant."""
        if number.repository is None:
            may = [
                name
                for name in self._repositories
                if part.project is None or name.rpartition("/")[2] == part.project.lower()
            ]
            if len(may) == 1:
                return str(PullRequest(may[0], number.number))
        if number.repository is None and part.project is not None:
            return f"{part.project}#{number.number}"
        return str(number)


def _spend(made: dict[str, Work], names: Sequence[str], part: Part, label: str | None) -> None:
    """Give each of these works its even share of a part."""
    even = [1] * len(names)
    costs = apportion(part.cost_nanousd, even)
    estimated = apportion(part.estimated_nanousd, even)
    plan = apportion(part.plan_nanousd, even)
    for place, name in enumerate(names):
        work = made.setdefault(name, Work(name=name))
        if part.session_id is not None:
            work.sessions.add(part.session_id)
            if label is not None:
                work.labels.add((part.session_id, label))
        work.cost_nanousd += costs[place]
        work.estimated_nanousd += estimated[place]
        work.plan_nanousd += plan[place]
        work.unknown += part.unknown
        work.known += part.known
        work.tasks.add(part.task)
        if len(names) > 1:
            work.shared_nanousd += costs[place]
            work.split.append(part)
        else:
            work.whole.append(part)


def _together(one: Part | None, other: Part) -> Part:
    if one is None:
        one = Part(session_id=None, pr=None, branch=None, project=None, first_ms=other.first_ms, last_ms=other.last_ms)
    one.first_ms, one.last_ms = min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms)
    for name in ("attempts", "cost_nanousd", "unknown", "known", "estimated_nanousd", "plan_nanousd"):
        setattr(one, name, getattr(one, name) + getattr(other, name))
    return one


def _judge(work: Work, by_session: Mapping[str | None, Sequence[SessionOutcome]]) -> None:
    """The latest word on where it went; people's latest word on its use, else that of single requests on average."""
    said = [
        each
        for session in work.sessions
        for each in by_session.get(session, ())
        if each.part is None or (session, each.part) in work.labels
    ]
    said.sort(key=lambda each: each.at_ms)
    scores = []
    for each in said:
        word = each.outcome
        if word in ("merged", "reverted", "abandoned") and each.request_id is None:
            work.delivery = word
        use = _use(each)
        if use is not None and each.request_id is None:
            work.useful = use >= USEFUL_FROM
        elif use is not None:
            scores.append(use)
    if work.useful is None and scores:
        work.useful = sum(scores) / len(scores) >= USEFUL_FROM
    if work.useful is None and work.delivery is not None:
        work.useful = work.delivery == "merged"


def _use(each: SessionOutcome) -> float | None:
    if each.score is not None:
        return each.score
    return {"useful": 1.0, "useless": 0.0}.get(each.outcome or "")
