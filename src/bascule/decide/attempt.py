"""What to do next with a request, given its plan and what became of its attempts so far.

`next_step` is a pure function of history, so that history can be stored, shown and replayed. An untried candidate goes
before a second try of the same one, at once, because it is another target; the same one is only tried again after a
pause, only for failures that pass, and only while its retry budget lasts. Nothing is tried once content was forwarded:
no answer is ever spliced from two models. Attempts go one at a time, but for a hedge: where the plan wants one, a
second candidate is asked beside a first that stays silent.

`behaviour.BEHAVIOUR` is the whole table of error classes, `targets` what may still be tried, `giving_up` what the
client is told in the end.
"""

from collections.abc import Mapping, Sequence
from math import inf

from msgspec import Struct

from bascule.decide.breaker import Status
from bascule.decide.giving_up import barred_refusal, deadline_refusal, fault_of, refusal_of
from bascule.decide.targets import another_credential, credential_of, follows, open_candidates
from bascule.model.errors import Refusal
from bascule.model.outcome import AttemptRecord
from bascule.model.plan import Plan

ALL_WELL: Mapping[str, Status] = {}
NONE_SPENT: frozenset[str] = frozenset()


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
    hedge_after_s: float | None = None
    """How long a first attempt may be silent before a second candidate is asked beside it; None: for ever."""
    advised_retry_after_s: float = 5.0
    """What a client is told to wait when every provider limited the rate and none said for how long."""


class Start(Struct, frozen=True):
    """Begin an attempt at the plan's candidate of this index, with this one of its provider's credentials."""

    candidate: int
    credential: int = 0
    hedge: bool = False


class Wait(Struct, frozen=True):
    """Ask again at this time, or as soon as an attempt has ended; nothing is to be started before."""

    until_s: float


class Accept(Struct, frozen=True):
    """The attempt of this number answered; nothing more is to be done."""

    attempt_no: int


class GiveUp(Struct, frozen=True):
    refusal: Refusal


Step = Start | Wait | Accept | GiveUp


_START_FIRST = Start(0)


class _Moment(Struct, frozen=True):
    """The arguments of `next_step`, passed on as one."""

    plan: Plan
    history: Sequence[AttemptRecord]
    now_s: float
    dice: float
    turn: int
    limits: AttemptLimits
    health: Mapping[str, Status]
    spent: frozenset[str]

    def credential(self, index: int) -> int | None:
        return credential_of(self.plan, self.history, index, self.turn, self.health)

    def is_spent(self, index: int) -> bool:
        return self.plan.candidates[index].endpoint.id in self.spent


def next_step(
    plan: Plan,
    history: Sequence[AttemptRecord],
    *,
    now_s: float,
    dice: float,
    limits: AttemptLimits,
    turn: int = 0,
    health: Mapping[str, Status] = ALL_WELL,
    spent: frozenset[str] = NONE_SPENT,
) -> Step:
    """`dice` is uniform in [0, 1) and should be the same for a request's whole life, so that a pause once decided
    stays; each try takes its own jitter from it. `turn` says whose turn it is among a provider's credentials. All
    times are of one monotonic clock.

    `health` is what of the world is not well now (`decide.health`), `spent` the endpoints whose retry budget is.
    """
    if not history:
        if not health and limits.deadline_s is None and plan.candidates[0].endpoint.credentials == 1:
            return _START_FIRST  # so most requests go
        return _first(_Moment(plan, history, now_s, dice, turn, limits, health, spent))
    running: AttemptRecord | None = None
    over: AttemptRecord | None = None
    for record in history:
        if record.ended_s is None:
            running = record
        elif record.fault is None:
            return Accept(record.attempt_no)
        elif record.content_forwarded or follows(plan, record.fault) == "stop":
            over = over or record
    moment = _Moment(plan, history, now_s, dice, turn, limits, health, spent)
    if running is not None:
        return _beside(moment, running) if over is None else Wait(inf)
    if over is not None or len(history) >= limits.max_attempts:
        return _give_up(moment)
    if _is_over(now_s, limits):
        return GiveUp(deadline_refusal(plan, history))
    return _another(moment)


def _first(moment: _Moment) -> Step:
    if _is_over(moment.now_s, moment.limits):
        return GiveUp(deadline_refusal(moment.plan, ()))
    for index in range(len(moment.plan.candidates)):
        if (credential := moment.credential(index)) is not None:
            return Start(index, credential)
    return GiveUp(barred_refusal(moment.plan, moment.limits.advised_retry_after_s))


def _beside(moment: _Moment, running: AttemptRecord) -> Step:
    """An attempt is on its way: wait for it, or ask another candidate too. Only once, and only while it is silent."""
    limits, history = moment.limits, moment.history
    after_s = limits.hedge_after_s
    if after_s is None or running.content_forwarded or len(history) >= limits.max_attempts:
        return Wait(inf)
    if any(record.hedge or (record.ended_s is None and record is not running) for record in history):
        return Wait(inf)
    due_s = running.started_s + after_s
    if limits.deadline_s is not None and due_s >= limits.deadline_s:
        return Wait(inf)
    if moment.now_s < due_s:
        return Wait(due_s)
    tried = {record.candidate for record in history}
    for index in open_candidates(moment.plan, history):
        if index not in tried:
            credential = moment.credential(index)
            if credential is not None:
                return Start(index, credential, hedge=True)
    return Wait(inf)


def _another(moment: _Moment) -> Step:
    plan, history = moment.plan, moment.history
    candidates = open_candidates(plan, history)
    tried = {record.candidate for record in history}
    last = history[-1].candidate
    if last in candidates and not moment.is_spent(last):
        other = another_credential(plan, history, moment.turn, moment.health)
        if other is not None:
            return Start(last, other)
    for index in candidates:
        if index not in tried and (credential := moment.credential(index)) is not None:
            return Start(index, credential)
    ready = [
        (ready_s, index, credential)
        for index in candidates
        if index in tried
        and (ready_s := _ready_s(moment, index)) is not None
        and (credential := moment.credential(index)) is not None
    ]
    if not ready:
        return _give_up(moment)
    ready_s, index, credential = min(ready)
    if ready_s <= moment.now_s:
        return Start(index, credential)
    if moment.limits.deadline_s is not None and ready_s >= moment.limits.deadline_s:
        return _give_up(moment)
    return Wait(ready_s)


def _ready_s(moment: _Moment, index: int) -> float | None:
    """When a candidate may be tried again; None if never within this request."""
    if moment.is_spent(index):
        return None
    tries = [record for record in moment.history if record.candidate == index]
    last = tries[-1]
    assert last.ended_s is not None  # next_step waits for attempts in flight
    fault = fault_of(last)
    pause_s = _backoff_s(len(tries), moment.dice, moment.limits)
    if fault.retry_after_s is not None:
        if fault.retry_after_s > moment.limits.retry_after_cap_s:
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


def _give_up(moment: _Moment) -> GiveUp:
    return GiveUp(
        refusal_of(
            moment.plan,
            moment.history,
            now_s=moment.now_s,
            advised_retry_after_s=moment.limits.advised_retry_after_s,
            retries=moment.limits.max_attempts > 1,
        )
    )
