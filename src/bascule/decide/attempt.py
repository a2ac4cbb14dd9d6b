"""What to do next with a request, given its plan and what became of its attempts so far.

`next_step` is a pure function of history, so that history can be stored, shown and replayed. It starts one attempt at
a time. An untried candidate goes before a second try of the same one, at once, because it is another target; the same
one is only tried again after a pause, and only for failures that pass. Nothing is tried once content was forwarded:
no answer is ever spliced from two models.

`behaviour.BEHAVIOUR` is the whole table of error classes, `giving_up` what the client is told in the end.
"""

from collections.abc import Sequence
from math import inf

from msgspec import Struct

from bascule.decide.behaviour import BEHAVIOUR
from bascule.decide.giving_up import deadline_refusal, fault_of, refusal_of
from bascule.model.errors import Refusal
from bascule.model.outcome import AttemptRecord
from bascule.model.plan import Candidate, Plan


class AttemptLimits(Struct, frozen=True, kw_only=True):
    """How long and how often to try."""

    max_attempts: int = 4
    """Over the whole request, failovers included."""
    deadline_s: float | None = None
    """On the clock of `now_s`; no attempt starts and no pause ends after it."""
    retry_after_cap_s: float = 20.0
    """A provider that wants a longer pause than this is not tried again within the request."""
    backoff_base_s: float = 0.5
    backoff_cap_s: float = 8.0
    no_retry: frozenset[str] = frozenset()
    """Endpoint ids whose retry budget is spent: none of them is tried twice."""
    advised_retry_after_s: float = 5.0
    """What a client is told to wait when every provider limited the rate and none said for how long."""


class Start(Struct, frozen=True):
    """Begin an attempt at the plan's candidate of this index."""

    candidate: int


class Wait(Struct, frozen=True):
    """Ask again at this time, or as soon as an attempt has ended; nothing is to be started before."""

    until_s: float


class Accept(Struct, frozen=True):
    """The attempt of this number answered; nothing more is to be done."""

    attempt_no: int


class GiveUp(Struct, frozen=True):
    refusal: Refusal


Step = Start | Wait | Accept | GiveUp


def next_step(
    plan: Plan, history: Sequence[AttemptRecord], *, now_s: float, dice: float, limits: AttemptLimits
) -> Step:
    """`dice` is uniform in [0, 1) and should be the same for a request's whole life, so that a pause once decided
    stays; each try takes its own jitter from it. All times are of one monotonic clock.
    """
    if not history:
        return Start(0) if not _is_over(now_s, limits) else GiveUp(deadline_refusal(plan, history))
    in_flight = False
    for record in history:
        if record.ended_s is None:
            in_flight = True
        elif record.fault is None:
            return Accept(record.attempt_no)
    if in_flight:
        return Wait(inf)
    last = history[-1]
    if last.content_forwarded or BEHAVIOUR[fault_of(last).error_class].next == "stop":
        return _give_up(plan, history, now_s, limits)
    if len(history) >= limits.max_attempts:
        return _give_up(plan, history, now_s, limits)
    if _is_over(now_s, limits):
        return GiveUp(deadline_refusal(plan, history))
    return _another(plan, history, now_s, dice, limits)


def _another(plan: Plan, history: Sequence[AttemptRecord], now_s: float, dice: float, limits: AttemptLimits) -> Step:
    open_candidates = _open_candidates(plan, history)
    tried = {record.candidate for record in history}
    for index in open_candidates:
        if index not in tried:
            return Start(index)
    ready = [
        (ready_s, index)
        for index in open_candidates
        if (ready_s := _ready_s(plan, history, index, dice, limits)) is not None
    ]
    if not ready:
        return _give_up(plan, history, now_s, limits)
    ready_s, index = min(ready)
    if ready_s <= now_s:
        return Start(index)
    if limits.deadline_s is not None and ready_s >= limits.deadline_s:
        return _give_up(plan, history, now_s, limits)
    return Wait(ready_s)


def _open_candidates(plan: Plan, history: Sequence[AttemptRecord]) -> list[int]:
    """The candidates that no failure so far rules out, in the plan's order."""
    providers: set[str] = set()
    endpoints: set[str] = set()
    too_small: int | None = None
    window_matters = False
    for record in history:
        candidate = plan.candidates[record.candidate]
        match BEHAVIOUR[fault_of(record).error_class].next:
            case "provider":
                providers.add(candidate.endpoint.provider)
            case "endpoint":
                endpoints.add(candidate.endpoint.id)
            case "larger_window":
                window_matters = True
                endpoints.add(candidate.endpoint.id)
                window = candidate.endpoint.context_window
                if window is not None:
                    too_small = window if too_small is None else max(too_small, window)
            case _:
                pass
    return [
        index
        for index, candidate in enumerate(plan.candidates)
        if candidate.endpoint.provider not in providers
        and candidate.endpoint.id not in endpoints
        and not (window_matters and _is_too_small(candidate, too_small))
    ]


def _is_too_small(candidate: Candidate, too_small: int | None) -> bool:
    """Only a window that is known to be larger than one that was too small is worth the try."""
    window = candidate.endpoint.context_window
    return window is None or too_small is None or window <= too_small


def _ready_s(
    plan: Plan, history: Sequence[AttemptRecord], index: int, dice: float, limits: AttemptLimits
) -> float | None:
    """When a candidate may be tried again; None if never within this request."""
    if plan.candidates[index].endpoint.id in limits.no_retry:
        return None
    tries = [record for record in history if record.candidate == index]
    last = tries[-1]
    assert last.ended_s is not None  # next_step waits for attempts in flight
    fault = fault_of(last)
    pause_s = _backoff_s(len(tries), dice, limits)
    if fault.retry_after_s is not None:
        if fault.retry_after_s > limits.retry_after_cap_s:
            return None
        pause_s = max(pause_s, fault.retry_after_s)
    return last.ended_s + pause_s


def _backoff_s(tries: int, dice: float, limits: AttemptLimits) -> float:
    """Exponential, between half and all of it at random: never a hot loop, and no two clients in step."""
    longest_s = min(limits.backoff_cap_s, limits.backoff_base_s * 2 ** (tries - 1))
    share = (dice + 0.618 * tries) % 1.0  # the golden ratio spreads one throw over all tries
    return float(longest_s * (0.5 + share / 2))


def _is_over(now_s: float, limits: AttemptLimits) -> bool:
    return limits.deadline_s is not None and now_s >= limits.deadline_s


def _give_up(plan: Plan, history: Sequence[AttemptRecord], now_s: float, limits: AttemptLimits) -> GiveUp:
    told = refusal_of(plan, history, now_s=now_s, advised_retry_after_s=limits.advised_retry_after_s)
    return GiveUp(told)
