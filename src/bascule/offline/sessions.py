"""What agent runs cost: per session, and within it per agent. Pure: rows in, values out."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from msgspec import Struct

from bascule.model.row import AttemptRow
from bascule.offline.sums import Sums, answering, failed


class Agent(Struct, kw_only=True):
    """One agent of a session. `agent_id` None is the main agent."""

    agent_id: str | None
    parent_id: str | None = None
    sums: Sums
    models: dict[str, int]
    """Attempts by model."""


class Session(Struct, kw_only=True):
    """A session as the ledger knows it. `session_id` None gathers what belongs to none."""

    session_id: str | None
    sums: Sums
    models: dict[str, int]
    agents: dict[str | None, Agent]
    """In order of appearance, the main agent first where it has any attempts."""
    who: dict[str, str]
    """Key, user, team, project, PR, branch, task and client, the last that each attempt named."""
    tags: dict[str, str]


class RequestLine(Struct, frozen=True, kw_only=True):
    """One request of a session, its attempts summed."""

    request_id: str
    agent_id: str | None
    sums: Sums
    models: tuple[str, ...]
    final: AttemptRow


_WHO = ("key", "user", "org", "team", "project", "pr", "branch", "task", "client")


def by_use(models: dict[str, int]) -> list[str]:
    """Models, the most used first."""
    return sorted(models, key=lambda name: (-models[name], name))


def sessions(rows: Iterable[AttemptRow]) -> list[Session]:
    """Sessions, the latest start first. Rows of one request must come together."""
    found: dict[str | None, Session] = {}
    for line, attempts in _requests(rows):
        first = attempts[0]
        session = found.get(first.session_id)
        if session is None:
            session = found[first.session_id] = Session(
                session_id=first.session_id, sums=Sums(), models={}, agents={}, who={}, tags={}
            )
        agent = session.agents.get(first.agent_id)
        if agent is None:
            agent = session.agents[first.agent_id] = Agent(agent_id=first.agent_id, sums=Sums(), models={})
        _count(session, agent, line, attempts)
    for session in found.values():
        session.agents = dict(sorted(session.agents.items(), key=_main_first))
    return sorted(found.values(), key=lambda session: session.sums.first_ms or 0, reverse=True)


def request_lines(rows: Iterable[AttemptRow]) -> list[RequestLine]:
    """The requests behind some rows, oldest first."""
    return sorted([line for line, _ in _requests(rows)], key=lambda line: (line.sums.first_ms or 0, line.request_id))


def _requests(rows: Iterable[AttemptRow]) -> Iterable[tuple[RequestLine, list[AttemptRow]]]:
    for request_id, found in groupby(rows, key=attrgetter("request_id")):
        attempts = sorted(found, key=attrgetter("attempt_no"))
        final = answering(attempts)
        sums = Sums(requests=1, failed_requests=int(failed(final)))
        for row in attempts:
            sums.add(row)
        models = tuple(dict.fromkeys([row.model for row in attempts if row.model is not None]))
        line = RequestLine(request_id=request_id, agent_id=attempts[0].agent_id, sums=sums, models=models, final=final)
        yield line, attempts


def _count(session: Session, agent: Agent, line: RequestLine, attempts: list[AttemptRow]) -> None:
    """A request belongs to one session and one agent, so all of its attempts are counted there."""
    for place in (session, agent):
        place.sums.requests += 1
        place.sums.failed_requests += line.sums.failed_requests
        for row in attempts:
            place.sums.add(row)
            if row.model is not None:
                place.models[row.model] = place.models.get(row.model, 0) + 1
    for row in attempts:
        agent.parent_id = row.parent_id or agent.parent_id
        session.tags.update(row.tags)
        for name in _WHO:
            value = getattr(row, name)
            if value is not None:
                session.who[name] = value


def _main_first(item: tuple[str | None, Agent]) -> tuple[bool, int]:
    agent_id, agent = item
    return agent_id is not None, agent.sums.first_ms or 0
