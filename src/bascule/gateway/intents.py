"""What is written down of an attempt before it leaves: who asks whom, for what, under which hold."""

from bascule.gateway.admission import Admitted
from bascule.model.budget import Hold
from bascule.model.entry import Intent, Role
from bascule.model.plan import Candidate, Plan


def intent_of(
    request: Admitted,
    plan: Plan,
    candidate: Candidate,
    *,
    identifier: str,
    attempt_no: int,
    role: Role,
    now_ms: int,
    hold: Hold,
    hold_nanousd: int | None,
    dialect_in: str,
    dialect_out: str,
    decision_id: str | None,
    price_version: str,
) -> Intent:
    who = request.attribution
    identity = request.identity
    endpoint = candidate.endpoint
    return Intent(
        attempt_id=identifier,
        request_id=request.request_id,
        attempt_no=attempt_no,
        role=role,
        session_id=identity.session_id,
        agent_id=identity.agent_id,
        parent_id=identity.parent_id,
        idempotency_key=identity.idempotency_key,
        key=who.key,
        org=who.org,
        team=who.team,
        project=who.project,
        user=who.user,
        tags=who.tags,
        pr=identity.pr,
        branch=identity.branch,
        task=plan.task,
        route=plan.route,
        model=candidate.model,
        model_requested=request.facts.model,
        provider=endpoint.provider,
        upstream_model=endpoint.upstream_model,
        dialect_in=dialect_in,
        dialect_out=dialect_out,
        stream=request.facts.stream,
        ts_start_ms=now_ms,
        window_id=hold.held[0].window_id if hold.held else None,
        hold_nanousd=hold_nanousd,
        held=hold.held,
        price_version=price_version,
        reason=candidate.reason,
        decision_id=decision_id,
        policy_version=plan.policy_version,
        client=identity.client,
    )
