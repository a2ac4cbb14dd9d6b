"""What a client is told when no attempt answered: its own mistake in the provider's words, else what failed."""

from collections.abc import Sequence

from msgspec import structs

from bascule.decide.behaviour import BEHAVIOUR
from bascule.model.errors import Refusal
from bascule.model.outcome import AttemptRecord, Fault
from bascule.model.plan import Plan

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that left; nobody reads it but the log."""


def fault_of(record: AttemptRecord) -> Fault:
    """The fault of a failed attempt; the others never get here."""
    assert record.fault is not None
    return record.fault


CIRCUIT_OPEN = "circuit_open"
"""The code of a refusal for which nothing was sent, because breakers are open."""
ABSURD_S = 86_400.0
"""A provider that wants a longer pause than a day is not believed, and not quoted."""


def refusal_of(
    plan: Plan, history: Sequence[AttemptRecord], *, now_s: float, advised_retry_after_s: float, retries: bool
) -> Refusal:
    """What the client is told: its own mistake in the provider's words, else what failed and how often.

    `retries`: failed attempts are followed by others here. Where they are not, that is left to the client.
    """
    forwarded = next((record for record in history if record.content_forwarded), None)
    if forwarded is None:
        for record in history:
            if BEHAVIOUR[fault_of(record).error_class].next == "stop":
                return structs.replace(_told_by_upstream(fault_of(record)), spent=True)
    fault = fault_of(forwarded or _most_hopeful(history))
    if fault.error_class in ("context_length", "unsupported"):
        return _told_by_upstream(fault)
    kind = BEHAVIOUR[fault.error_class].kind
    if kind == "model_not_found" and plan.route is not None:
        kind = "upstream_failed"  # the client asked for a route, which there is; what it names is the operator's fault
    if kind == "rate_limited" and any(fault_of(record).error_class != "rate_limited" for record in history):
        kind = "overloaded"  # 429 says that slowing down would have helped, which is true only if it was all limits
    waits = kind in ("rate_limited", "overloaded")
    return Refusal(
        kind=kind,
        message=_story(plan, history),
        code="rate_limit_exceeded" if kind == "rate_limited" else f"upstream_{fault.error_class}",
        retry_after_s=_retry_after_s(history, now_s, advised_retry_after_s) if waits else None,
        spent=retries and kind != "rate_limited",  # that one the client can mend: by waiting for as long as it is told
    )


def barred_refusal(plan: Plan, advised_retry_after_s: float) -> Refusal:
    """Nothing was tried: the breakers of all candidates are open."""
    names = ", ".join(dict.fromkeys([candidate.endpoint.id for candidate in plan.candidates[:5]]))
    return Refusal(
        kind="overloaded",
        message=f"Not sent: {names} failed just now, and others are looking whether that has passed.",
        code=CIRCUIT_OPEN,
        retry_after_s=advised_retry_after_s,
    )


def _most_hopeful(history: Sequence[AttemptRecord]) -> AttemptRecord:
    """The last failure that may pass, else the last: a client should know if the same request can succeed later."""
    for record in reversed(history):
        if BEHAVIOUR[fault_of(record).error_class].next == "again":
            return record
    return history[-1]


def _told_by_upstream(fault: Fault) -> Refusal:
    """The provider's own words, code and 4xx status. 401 and 402 are ours to say: they would blame the client's key."""
    kind = BEHAVIOUR[fault.error_class].kind
    status = fault.status if fault.status is not None and 400 <= fault.status < 500 else 0
    if fault.error_class == "client_gone":
        status = CLIENT_CLOSED_REQUEST
    elif fault.error_class == "too_large":
        # A 413 is about the request; anything else is an answer that grew too large.
        kind, status = ("too_large", 413) if status == 413 else (kind, 0)
    elif status in (401, 402) or fault.error_class == "cancelled":
        status = 0
    code = fault.code
    if code is None:
        # What a dialect has no word for is our own refusal, whose code is the client's dialect's usual one.
        ours = {"context_length": "context_length_exceeded", "unsupported": None}
        code = ours.get(kind, fault.error_class)
    return Refusal(kind=kind, message=fault.message, code=code, param=fault.param, status=status)


def _retry_after_s(history: Sequence[AttemptRecord], now_s: float, advised_s: float) -> float:
    """The shortest pause that any provider asked for, less what has passed of it."""
    left_s: list[float] = [
        max(0.0, (record.ended_s or now_s) + fault.retry_after_s - now_s)
        for record in history
        if (fault := fault_of(record)).retry_after_s is not None and fault.retry_after_s <= ABSURD_S
    ]
    return min(left_s, default=advised_s)


OURS = frozenset({"auth", "quota_exhausted"})
"""Failures of the gateway's own account: what the provider says of them may quote its key, so it is not passed on."""


def _words(fault: Fault) -> str:
    if fault.error_class in OURS:
        return "the provider turned the gateway's own account away; its operator has to mend that"
    return fault.message


def _story(plan: Plan, history: Sequence[AttemptRecord]) -> str:
    told = []
    for record in history:
        fault = fault_of(record)
        status = f" {fault.status}" if fault.status is not None else ""
        told.append(f"{plan.candidates[record.candidate].endpoint.id}{status} {fault.error_class}: {_words(fault)}")
    if len(told) == 1:
        return f"The upstream failed. {told[0]}"
    return f"{len(told)} attempts failed. " + "; ".join(told)


def deadline_refusal(plan: Plan, history: Sequence[AttemptRecord]) -> Refusal:
    story = f" {_story(plan, history)}" if history else ""
    return Refusal(
        kind="upstream_timeout", message=f"The request's deadline has passed.{story}", code="deadline_exceeded"
    )
