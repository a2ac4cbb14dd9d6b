"""`mode: observe`: the request goes where its client sent it, and beside it stands what enforcing would have done."""

from msgspec import Struct

from bascule.decide.circumstances import Circumstances
from bascule.decide.resolve import resolve
from bascule.decide.route import RouteTable, no_endpoint, route
from bascule.model.budget import Attribution
from bascule.model.catalog import Endpoint, Model
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.plan import Candidate, Plan
from bascule.model.policy import Ask


class Observed(Struct, frozen=True, kw_only=True):
    """`mode: observe`: what is done, and what enforcing would have done."""

    plan: Plan
    enforced: Plan | Refusal


def observe(
    ask: Ask, facts: Facts, who: Attribution, identity: Identity, table: RouteTable, now: Circumstances
) -> Observed | Refusal:
    """The model asked for at its own first endpoint, whatever policy would say. A route's name stands for no model
    of the client's, so there it is what the route would choose, or its first candidate where that would refuse.

    Refused is only what cannot be sent anywhere: a name that stands for nothing.
    """
    first = resolve(ask.model, table.registry)
    if isinstance(first, Refusal):
        return first
    enforced = route(ask, facts, who, identity, table, now)
    candidate: Candidate | None = None
    if first.model is not None and first.model.endpoints:
        candidate = _untouched(first.model, first.model.endpoints[0], now)
    elif first.route is not None and isinstance(enforced, Plan):
        candidate = enforced.candidates[0]
    elif first.route is not None:
        pairs = table.expand(first.route.candidates).pairs
        candidate = _untouched(*pairs[0], now) if pairs else None
    if candidate is None:
        return enforced if isinstance(enforced, Refusal) else no_endpoint(ask.model)
    task, task_source = (enforced.task, enforced.task_source) if isinstance(enforced, Plan) else (None, None)
    plan = Plan(
        candidates=(candidate,),
        route=None if first.route is None else first.route.name,
        reason="observe",
        task=task,
        task_source=task_source,
        policy_version=table.registry.policy_version,
    )
    return Observed(plan=plan, enforced=enforced)


def _untouched(model: Model, endpoint: Endpoint, now: Circumstances) -> Candidate:
    expected = now.expected_cost_of(endpoint)
    return Candidate(model=model.name, endpoint=endpoint, reason="observe", expected_nanousd=expected)
