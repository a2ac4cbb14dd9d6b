"""Sessions: which they are, and what each of their agents cost."""

from typing import Any, Literal

import msgspec

from bascule.model.session import WHO, Agent, Session, Sessions
from bascule.model.sums import TOKENS, Sums
from bascule.storage.analytics.frame import Frame, condition, frame, sum_up
from bascule.storage.analytics.reports import fetch_sums
from bascule.storage.analytics.schema import quoted

_READ = (
    "session_id", "session_key", "agent_id", "parent_id", "model", "tags", *WHO, "request_key", "attempt_no", "state",
    "standing", "failed", "ts_start_ms", "ts_end_ms", "cost_nanousd", "hold_nanousd", "tool_fees_nanousd",
    "adjusted_nanousd", "baseline_nanousd", "saved_nanousd", "tokens", *TOKENS, "web_searches",
)  # fmt: skip
"""What a session is told from: identifiers of attempts, which take most of the space, are not."""
ORDERS = {"start": "first_ms DESC", "cost": "coalesce(cost, 0) DESC"}


def sessions(found: Frame, sort: Literal["start", "cost"], top: int) -> Sessions:
    """The first sessions in this order."""
    where = condition(found.where)
    order = ORDERS[sort]
    found.run("sessions", "chosen", where=where, order=order, top=str(top))
    found.run("sessions", "attempts_of_chosen", where=where, columns=", ".join([quoted(name) for name in _READ]))
    names = found.run("sessions", "order", order=order)
    made = {name: Session(session_id=name, sums=Sums(), models={}, agents={}, who={}, tags={}) for name, _ in names}
    frame(found, ("session", "agent"), source="session_attempts")
    sum_up(found, 2, times=True)
    for (session_id, agent_id), sums in sorted(fetch_sums(found, 2), key=_main_first):
        session = made[session_id]
        session.agents[agent_id] = Agent(agent_id=agent_id, sums=sums, models={})
        session.sums = session.sums.plus(sums)
    _describe(found, made)
    return Sessions(tuple(made.values()), names[0][1] if names else 0)


def _describe(found: Frame, made: dict[str | None, Session]) -> None:
    for session_id, agent_id, model, attempts in found.run("sessions", "models"):
        session = made[session_id]
        session.agents[agent_id].models[model] = attempts
        session.models[model] = session.models.get(model, 0) + attempts
    for session_id, *values in found.run("sessions", "who", last=", ".join([_last(name) for name in WHO])):
        known = zip(WHO, values, strict=True)
        made[session_id].who = {name: value for name, value in known if value is not None}
    for session_id, agent_id, parent_id in found.run("sessions", "parents"):
        made[session_id].agents[agent_id].parent_id = parent_id
    for session_id, tags in found.run("sessions", "tags"):
        made[session_id].tags.update(msgspec.json.decode(tags, type=dict[str, str]))


def _last(name: str) -> str:
    column = quoted(name)
    return f"arg_max({column}, (ts_start_ms, attempt_no)) FILTER ({column} IS NOT NULL)"


def _main_first(item: tuple[tuple[Any, ...], Sums]) -> tuple[bool, int]:
    (_, agent_id), sums = item
    return agent_id is not None, sums.first_ms or 0
