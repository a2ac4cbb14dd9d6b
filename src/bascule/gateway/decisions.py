"""Decision records: what was seen and why a plan was chosen, so that it can be explained and replayed."""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from bascule.decide.rephrase import compared
from bascule.dialects.last_asked import MIN_TURNS
from bascule.dialects.registry import last_asked
from bascule.gateway.admission import Admitted
from bascule.gateway.identifiers import decision_id
from bascule.gateway.outage import Outage
from bascule.gateway.surfaces import SURFACES
from bascule.model.budget import BudgetState
from bascule.model.entry import Decision
from bascule.model.errors import LedgerUnavailable, Refusal
from bascule.model.plan import Candidate, Plan
from bascule.ports import Authority, Journal

WELL: Mapping[str, str] = {}


def facts_of(request: Admitted) -> dict[str, Any]:
    """The facts that routing read, without any content."""
    facts = request.facts
    seen: dict[str, Any] = {
        "surface": request.surface,
        "model": facts.model,
        "stream": facts.stream,
        "text_bytes": facts.text_bytes,
        "messages": facts.messages,
    }
    ask = request.ask
    if facts.max_tokens is not None:
        seen["max_tokens"] = facts.max_tokens
    if facts.n != 1:
        seen["n"] = facts.n
    if facts.tools:
        seen["tools"] = facts.tools
    if facts.images:
        seen["images"] = len(facts.images)
    if facts.unbounded:
        seen["unbounded"] = facts.unbounded
    if facts.has_json_schema:
        seen["json_schema"] = True
    if facts.has_reasoning:
        seen["reasoning"] = True
    if facts.messages >= MIN_TURNS and request.work == "chat" and (again := asked_again(request)) is not None:
        seen["asked_again"] = again
    if ask.quality is not None:
        seen["quality"] = ask.quality
    if ask.max_cost_nanousd is not None:
        seen["max_cost_nanousd"] = ask.max_cost_nanousd
    if ask.fallback_models:
        seen["fallbacks"] = ask.fallback_models
    return seen


def asked_again(request: Admitted) -> str | None:
    """How the user asks again for what was just answered; None where that is not so. A weak sign: see
    `decide.rephrase`."""
    asked = last_asked(SURFACES[request.surface].chat_dialect, request.body)
    found = None if asked is None else compared(*asked)
    return None if found is None else found.kind


def candidate_of(candidate: Candidate) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "endpoint": candidate.endpoint.id,
        "model": candidate.model,
        "reason": candidate.reason,
        "expected_nanousd": candidate.expected_nanousd,
    }
    if candidate.quality is not None:
        seen["quality"] = candidate.quality
    if candidate.judged is not None and candidate.judged.source != "declared":
        seen["quality_source"] = candidate.judged.source
    if (predicted := candidate.predicted) is not None:
        seen["predicted"] = {
            "quality": round(predicted.quality, 4),
            "cost_of_best": round(predicted.cost, 4),
            "worth": round(predicted.worth, 4),
        }
    if not candidate.adequate:
        seen["adequate"] = False
    return seen


class Recorder:
    """Writes one decision record per request that got as far as a decision."""

    def __init__(self, journal: Journal, authority: Authority, outage: Outage) -> None:
        self._journal = journal
        self._authority = authority
        self._outage = outage

    def planned(
        self,
        request: Admitted,
        plan: Plan,
        budgets: tuple[BudgetState, ...],
        *,
        health: Mapping[str, str] = WELL,
        observed: dict[str, Any] | None,
        price_version: str,
        strategy: dict[str, Any] | None = None,
    ) -> Decision:
        """The record of a plan. It is written with the intent of the first attempt."""
        return Decision(
            decision_id=decision_id(request.request_id),
            request_id=request.request_id,
            ts_ms=request.started_ms,
            facts=facts_of(request),
            candidates=tuple([candidate_of(c) for c in plan.candidates]),
            rejected=tuple([(r.endpoint_id, r.reason) for r in plan.rejected]),
            chosen=plan.candidates[0].endpoint.id,
            reason=plan.reason,
            budgets=_seen(budgets),
            health=dict(health),
            observed=observed,
            policy_version=plan.policy_version,
            price_version=price_version,
            evidence_version=plan.evidence,
            strategy=strategy,
        )

    def hit(self, request: Admitted, plan: Plan, candidate: Candidate, *, price_version: str) -> Decision:
        """The record of an answer from the cache. It is written with the row of the hit."""
        budgets = self._authority.applicable(request.attribution, request.started_ms)
        planned = self.planned(request, plan, budgets, observed=None, price_version=price_version)
        return structs.replace(planned, chosen=candidate.endpoint.id, reason="cache")

    def refused(self, request: Admitted, refusal: Refusal, plan: Plan | None = None) -> None:
        """A request that no candidate could or may serve. Its record is worth a log line, not a failure."""
        line = Decision(
            decision_id=decision_id(request.request_id),
            request_id=request.request_id,
            ts_ms=request.started_ms,
            facts=facts_of(request),
            candidates=() if plan is None else tuple([candidate_of(c) for c in plan.candidates]),
            rejected=() if plan is None else tuple([(r.endpoint_id, r.reason) for r in plan.rejected]),
            refusal=f"{refusal.kind}: {refusal.message}",
            budgets=_seen(self._authority.applicable(request.attribution, request.started_ms)),
            policy_version=None if plan is None else plan.policy_version,
        )
        self.write(line)

    def write(self, line: Decision) -> None:
        try:
            self._journal.decision(line)
        except LedgerUnavailable as error:
            self._outage.refused("decision not recorded", error, line.request_id)


def _seen(budgets: tuple[BudgetState, ...]) -> tuple[dict[str, Any], ...]:
    return tuple(
        [{"scope": s.scope, "window_id": s.window_id, "mode": s.mode, "left_nanousd": s.left_nanousd} for s in budgets]
    )
