"""What becomes of a trial, as values with their evidence.

shadow -> canary -> promoted <-> watched        any of them -> demoted        demoted -> shadow, if somebody says so
"""

import math

from msgspec import Struct, structs

from bascule.decide.evidence.betting import Capital
from bascule.decide.evidence.confidence import interval
from bascule.decide.evidence.detector import Alarm
from bascule.decide.promotion.trial import Costs, Rules, State, Trial, TrialKey, threshold

_SUSPICION = 0.1
"""Of the level of an alarm."""
_CALM = 0.5
"""Of the level of suspicion, below which there is none any more."""


class Evidence(Struct, frozen=True, kw_only=True):
    """What was known when a transition was made."""

    sessions: int
    pairs: int
    missing: int
    difference: float | None
    low: float | None
    """Ends of the 95 % interval of the difference, good at every look; None where too little was seen."""
    high: float | None
    e_value: float
    e_needed: float
    alarm_level: float
    alarm_at: float
    watched_sessions: int
    """Since it began to serve, or to be compared, with their difference and its interval."""
    watched_difference: float | None
    watched_low: float | None
    watched_high: float | None
    margin: float
    alpha: float
    judge_labels: int
    judge_error_high: float | None
    costs: Costs


class Transition(Struct, frozen=True, kw_only=True):
    key: TrialKey
    before: State
    after: State
    at_ms: int
    reason: str
    by: str | None = None
    """Who decided; None: the evidence."""
    evidence: Evidence


def evidence_of(trial: Trial, rules: Rules) -> Evidence:
    capital, alarm = trial.capital, trial.alarm
    ends = interval(capital.count, capital.total, capital.squares)
    since = interval(alarm.count, alarm.total, alarm.squares)
    return Evidence(
        sessions=capital.count,
        pairs=trial.pairs,
        missing=trial.missing,
        difference=capital.mean,
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        e_value=capital.e_value,
        e_needed=threshold(trial, rules) if trial.judge is not None else 1 / rules.alpha,
        alarm_level=alarm.level,
        alarm_at=float(rules.false_alarm_sessions),
        watched_sessions=alarm.count,
        watched_difference=alarm.mean,
        watched_low=since[0] if since else None,
        watched_high=since[1] if since else None,
        margin=rules.margin,
        alpha=rules.alpha,
        judge_labels=trial.judge.labels if trial.judge is not None else 0,
        judge_error_high=trial.judge.high if trial.judge is not None else None,
        costs=trial.costs,
    )


def suspicion(rules: Rules) -> float:
    """The level at which a challenger that serves is looked at more often."""
    return _SUSPICION * rules.false_alarm_sessions


def doubt(rules: Rules) -> float:
    """The level at which nobody begins to serve: half way to the alarm, as evidence multiplies. Who serves nothing is
    held back sooner than who serves is suspected."""
    return math.sqrt(rules.false_alarm_sessions)


def proven(trial: Trial, rules: Rules, now_ms: int) -> Trial:
    """The trial with the time at which its test was passed, once it is; nothing later takes that back but an alarm."""
    if trial.proven_ms is not None or trial.judge is None or trial.capital.count < rules.least_sessions:
        return trial
    # A challenger that was good for long and has just turned bad has capital left, but raises suspicion first.
    if trial.capital.e_value < threshold(trial, rules) or trial.alarm.level >= doubt(rules):
        return trial
    return structs.replace(trial, proven_ms=now_ms)


def next_state(trial: Trial, rules: Rules) -> tuple[State, str] | None:
    """Where the evidence takes it now, and why; None: it stays. `trial` has been through `proven`."""
    if trial.state == "demoted":
        return None
    if trial.alarm.level >= rules.false_alarm_sessions:
        return "demoted", "worse than the margin allows"
    if trial.pinned_by is not None:
        return None
    suspected = trial.alarm.level >= suspicion(rules)
    if trial.state == "shadow" and trial.proven_ms is not None and trial.alarm.level < doubt(rules):
        if rules.approval and trial.approved_by is None:
            return None
        return "canary", "not worse than the margin allows"
    if trial.state == "canary" and trial.in_state >= rules.canary_sessions and not suspected:
        return "promoted", "served its share without a sign of being worse"
    if trial.state == "promoted" and suspected:
        return "watched", "a tenth of the way to an alarm"
    if trial.state == "watched" and trial.alarm.level < _CALM * suspicion(rules):
        return "promoted", "the suspicion has passed"
    return None


def is_waiting_for_approval(trial: Trial, rules: Rules) -> bool:
    return rules.approval and trial.state == "shadow" and trial.proven_ms is not None and trial.approved_by is None


def stepped(trial: Trial, rules: Rules, now_ms: int) -> tuple[Trial, Transition | None]:
    """The trial after what its evidence calls for; one transition at a time, so call it after each observation."""
    trial = proven(trial, rules, now_ms)
    found = next_state(trial, rules)
    if found is None:
        return trial, None
    after, reason = found
    return moved(trial, after, reason, rules, now_ms)


def moved(
    trial: Trial, after: State, reason: str, rules: Rules, now_ms: int, *, by: str | None = None
) -> tuple[Trial, Transition]:
    """The trial in another state, with the record of it. To serve, and to start anew, begin the watch anew."""
    transition = _transition(trial, after, reason, rules, now_ms, by)
    changed = structs.replace(trial, state=after, since_ms=now_ms, in_state=0)
    if after in ("canary", "shadow"):
        changed = structs.replace(changed, alarm=Alarm())
    if after == "shadow":
        changed = structs.replace(changed, capital=Capital(), pairs=0, missing=0, proven_ms=None, approved_by=None)
    return changed, transition


def _transition(trial: Trial, after: State, reason: str, rules: Rules, now_ms: int, by: str | None) -> Transition:
    return Transition(
        key=trial.key,
        before=trial.state,
        after=after,
        at_ms=now_ms,
        reason=reason,
        by=by,
        evidence=evidence_of(trial, rules),
    )


def demoted(trial: Trial, rules: Rules, now_ms: int, *, by: str, reason: str) -> tuple[Trial, Transition]:
    """Somebody takes it out of service. Raises ValueError where it is out already."""
    if trial.state == "demoted":
        raise ValueError(f"{trial.key.challenger} is demoted already")
    return moved(trial, "demoted", reason, rules, now_ms, by=by)


def approved(trial: Trial, rules: Rules, now_ms: int, *, by: str) -> tuple[Trial, Transition]:
    """Somebody agrees to a promotion that waits for it, or lets a demoted challenger try anew, from no evidence.

    Raises ValueError where there is nothing to agree to: nobody can promote what is not proven.
    """
    if trial.state == "demoted":
        return moved(structs.replace(trial, pinned_by=None), "shadow", "may try anew", rules, now_ms, by=by)
    if trial.pinned_by is not None:
        raise ValueError(f"{trial.key.incumbent} is pinned by {trial.pinned_by}: unpin it first")
    if trial.state != "shadow" or trial.proven_ms is None:
        raise ValueError(
            f"{trial.key.challenger} is {trial.state} with an e-value of {trial.capital.e_value:.2f}: "
            "there is no promotion to approve"
        )
    agreed = structs.replace(trial, approved_by=by)
    return moved(agreed, "canary", "not worse than the margin allows, and approved", rules, now_ms, by=by)


def pinned(trial: Trial, rules: Rules, now_ms: int, *, by: str) -> tuple[Trial, Transition]:
    """The incumbent serves, whatever the evidence says; comparing goes on in the shadow, from no evidence."""
    held = structs.replace(trial, pinned_by=by)
    return moved(held, "shadow", "the incumbent is pinned", rules, now_ms, by=by)


def unpinned(trial: Trial, rules: Rules, now_ms: int, *, by: str) -> tuple[Trial, Transition]:
    """Evidence decides again. Raises ValueError where it does already."""
    if trial.pinned_by is None:
        raise ValueError(f"{trial.key.incumbent} is not pinned")
    freed = structs.replace(trial, pinned_by=None)
    transition = _transition(freed, trial.state, "evidence decides again", rules, now_ms, by)
    return freed, transition
