"""How long and how often a request is tried: the configured limits, its own deadline, its route's hedge."""

from zlib import crc32

from msgspec import structs

from bascule.decide.attempt import AttemptLimits
from bascule.gateway.admission import Admitted
from bascule.gateway.effects import Effects
from bascule.model.plan import Plan
from bascule.model.policy import Hedge

_TURNS = 1 << 30


def limits_of(effects: Effects, request: Admitted, plan: Plan) -> AttemptLimits:
    """The limits of one request. Its own deadline wins over the configured one, where it is sooner."""
    limits = effects.limits
    ends_s = None if limits.deadline_s is None else request.started_s + limits.deadline_s
    deadline_ms = request.ask.deadline_ms
    if deadline_ms is not None:
        own_s = request.started_s + deadline_ms / 1000
        ends_s = own_s if ends_s is None else min(own_s, ends_s)
    if ends_s is not None:
        limits = structs.replace(limits, deadline_s=ends_s)
    if plan.hedge is not None and len(plan.candidates) > 1:
        limits = structs.replace(limits, hedge_after_s=_hedge_after_s(plan.hedge, effects, request, plan))
    return limits


def _hedge_after_s(hedge: Hedge, effects: Effects, request: Admitted, plan: Plan) -> float:
    policy = effects.wellbeing.outlier_policy
    if hedge.percentile is None or policy is None:
        return hedge.after_s
    first = plan.candidates[0]
    known_s = effects.wellbeing.peers.first_content_s(
        first.model, first.endpoint.id, request.started_s, share=hedge.percentile, window_s=policy.window_s
    )
    return hedge.after_s if known_s is None else known_s


def turn_of(request: Admitted, plan: Plan, dice: float) -> int:
    """Whose turn it is among a provider's credentials: a session keeps to one, for its prompt cache is there."""
    if all(candidate.endpoint.credentials == 1 for candidate in plan.candidates):
        return 0
    session = request.identity.session_id
    return int(dice * _TURNS) if session is None else crc32(session.encode("utf-8", "surrogatepass"))


def has_peers(plan: Plan) -> bool:
    """Whether what its attempts show is compared, or waited by."""
    candidates = plan.candidates
    if len(candidates) == 1:
        return False
    models = [candidate.model for candidate in candidates]
    return plan.hedge is not None or plan.watches_latency or len(set(models)) < len(models)
