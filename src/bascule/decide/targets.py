"""What a request may still try: candidates that no failure of its own rules out, each with a credential."""

from collections.abc import Mapping, Sequence

from bascule.decide.behaviour import BEHAVIOUR, Next
from bascule.decide.breaker import Status
from bascule.decide.giving_up import fault_of
from bascule.decide.health import credential_for, standing
from bascule.model.outcome import AttemptRecord, Fault
from bascule.model.plan import Candidate, Plan

CREDENTIALS_OWN = frozenset({"auth", "quota_exhausted", "rate_limited"})
"""Failures after which the same endpoint may well answer another credential, at once."""


def follows(plan: Plan, fault: Fault) -> Next:
    """What may follow a failure, in a plan like this."""
    if fault.error_class == "content_filter" and plan.filtered_elsewhere:
        return "endpoint"
    return BEHAVIOUR[fault.error_class].next


def open_candidates(plan: Plan, history: Sequence[AttemptRecord]) -> list[int]:
    """The candidates that no failure so far rules out, in the plan's order."""
    endpoints: set[str] = set()
    too_small: int | None = None
    window_matters = False
    for record in history:
        if record.fault is None:
            continue
        endpoint = plan.candidates[record.candidate].endpoint
        match follows(plan, record.fault):
            case "endpoint":
                endpoints.add(endpoint.id)
            case "larger_window":
                window_matters = True
                endpoints.add(endpoint.id)
                window = endpoint.context_window
                if window is not None:
                    too_small = window if too_small is None else max(too_small, window)
            case _:
                pass
    return [
        index
        for index, candidate in enumerate(plan.candidates)
        if candidate.endpoint.id not in endpoints
        and len(turned_away(plan, history, candidate)) < candidate.endpoint.credentials
        and not (window_matters and _is_too_small(candidate, too_small))
    ]


def turned_away(plan: Plan, history: Sequence[AttemptRecord], candidate: Candidate) -> frozenset[int]:
    """The credentials of a candidate's provider that this request has seen refused."""
    return frozenset(
        [
            record.credential
            for record in history
            if record.fault is not None
            and plan.candidates[record.candidate].endpoint.provider == candidate.endpoint.provider
            and BEHAVIOUR[record.fault.error_class].next == "credential"
        ]
    )


def credential_of(
    plan: Plan, history: Sequence[AttemptRecord], index: int, turn: int, health: Mapping[str, Status]
) -> int | None:
    """The credential with which a candidate may be tried now; None where nothing lets an attempt through."""
    candidate = plan.candidates[index]
    if health and standing(candidate.endpoint, health) == "open":
        return None
    away = turned_away(plan, history, candidate) if history else frozenset()
    limited = _limited(history, index)
    if limited and (fresh := credential_for(candidate.endpoint, turn, health, away | limited)) is not None:
        return fresh
    return credential_for(candidate.endpoint, turn, health, away)


def another_credential(
    plan: Plan, history: Sequence[AttemptRecord], turn: int, health: Mapping[str, Status]
) -> int | None:
    """A credential that has not failed where the last attempt failed for its own; None where that is not so."""
    last = history[-1]
    candidate = plan.candidates[last.candidate]
    if candidate.endpoint.credentials == 1 or fault_of(last).error_class not in CREDENTIALS_OWN:
        return None
    if health and standing(candidate.endpoint, health) == "open":
        return None
    failed = turned_away(plan, history, candidate) | _limited(history, last.candidate)
    return credential_for(candidate.endpoint, turn, health, failed)


def _limited(history: Sequence[AttemptRecord], index: int) -> frozenset[int]:
    return frozenset(
        [
            record.credential
            for record in history
            if record.candidate == index and record.fault is not None and record.fault.error_class == "rate_limited"
        ]
    )


def _is_too_small(candidate: Candidate, too_small: int | None) -> bool:
    """Only a window that is known to be larger than one that was too small is worth the try."""
    window = candidate.endpoint.context_window
    return window is None or too_small is None or window <= too_small
