"""A plan as evidence lets it be: who has earned the session goes first, who has not earned it does not answer."""

from msgspec import structs

from bascule.decide.promotion.policy import EvidencePolicy
from bascule.decide.promotion.serving import Served
from bascule.model.plan import Candidate, Plan, Rejected

HELD_OUT = "held out: incumbent"
INCUMBENT = "incumbent"
BEGUN = "incumbent: began the session"
NOT_EARNED = "has not earned this traffic"
STANDS_IN = "fallback"


def reason_of(served: Served) -> str:
    """Why the first candidate is the first: `canary`, `promoted`, `watched`, `incumbent` and why."""
    if served.trial is not None:
        return served.trial.state
    if served.held_out:
        return HELD_OUT
    return BEGUN if served.begun else INCUMBENT


def earned(plan: Plan, policy: EvidencePolicy, served: Served) -> Plan:
    """The plan with the endpoints of the model that serves this session first, then those of the incumbent and of
    others that are no challengers.

    Where the incumbent cannot answer, or nothing reaches the floor, the plan stays as it is: to be answered by somebody
    unproven is better than not to be answered, and every candidate's reason is there to be seen.
    """
    by_model: dict[str, list[Candidate]] = {}
    for candidate in plan.candidates:
        by_model.setdefault(candidate.model, []).append(candidate)
    if policy.incumbent not in by_model or not plan.candidates[0].adequate:
        return plan
    first = policy.incumbent if served.trial is None else served.trial.key.challenger
    reason = reason_of(served)
    if first not in by_model:  # a constraint or its health keeps it from this request
        first, reason = policy.incumbent, INCUMBENT
    order = [first, *[name for name in by_model if name != first and name not in policy.challengers]]
    candidates = [
        structs.replace(candidate, reason=reason if name == first else STANDS_IN)
        for name in order
        for candidate in by_model[name]
    ]
    left_out = [
        Rejected(candidate.endpoint.id, NOT_EARNED)
        for name, found in by_model.items()
        if name not in order
        for candidate in found
    ]
    return structs.replace(plan, candidates=tuple(candidates), rejected=(*plan.rejected, *left_out), reason=reason)
