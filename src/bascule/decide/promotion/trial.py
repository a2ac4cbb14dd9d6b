"""One challenger against one incumbent at one task of one route: what was promised, and what has been seen."""

from hashlib import blake2b
from typing import Literal

import msgspec
from msgspec import Struct, structs

from bascule.decide.evidence.betting import Bets, Capital, observed
from bascule.decide.evidence.detector import Alarm, Watch, watched
from bascule.decide.evidence.enrolment import Counted
from bascule.decide.evidence.judge_error import ALPHA_SHARE, EXACT, JudgeError

State = Literal["shadow", "canary", "promoted", "watched", "demoted"]
"""Compared in the shadow; serves a share; serves; serves under suspicion; serves no more."""

SERVING: frozenset[State] = frozenset({"canary", "promoted", "watched"})
_LEAST_GAP = 0.02
"""Between the null and what the bets are best for, where a judge's error takes the margin."""


class Rules(Struct, frozen=True, kw_only=True):
    """What a promotion takes, declared before anything is seen."""

    margin: float = 0.05
    """How much worse the challenger may be: share of right answers, or mean grade."""
    alpha: float = 0.05
    """At most this chance that a challenger worse by the margin or more is promoted, however often one looks. A route's
    challengers at one task share it."""
    false_alarm_sessions: int = 5_000
    """Compared sessions until a false demotion, on average and at least, while quality is exactly at the margin. Where
    it is better, false alarms are far rarer."""
    least_sessions: int = 30
    """Before a promotion, whatever the test says."""
    canary_sessions: int = 100
    """Compared while it serves a share, before it serves all."""
    canary_share: float = 0.1
    shadow_share: float = 0.1
    """Of requests that are answered by both, until it is promoted, and under suspicion."""
    watch_share: float = 0.02
    """The same once it is promoted."""
    holdout: float = 0.05
    """Of sessions that the incumbent goes on serving."""
    approval: bool = False
    """Somebody must agree to each promotion."""

    def __post_init__(self) -> None:
        for name in ("margin", "alpha"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"{name} is a share between 0 and 1, both left out, not {getattr(self, name)}")
        if self.false_alarm_sessions < 1:
            raise ValueError(f"false_alarm_sessions is 1 or more, not {self.false_alarm_sessions}")
        for name in ("canary_share", "shadow_share", "watch_share", "holdout"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a share from 0 to 1, not {getattr(self, name)}")


def shared_alpha(rules: Rules, challengers: int) -> Rules:
    """The rules of each of so many challengers at one task: together they err with `alpha` (Bonferroni)."""
    return structs.replace(rules, alpha=rules.alpha / max(1, challengers))


class TrialKey(Struct, frozen=True, kw_only=True):
    """Another value anywhere is another trial, which starts anew."""

    route: str
    task: str
    incumbent: str
    challenger: str
    incumbent_snapshot: str | None = None
    challenger_snapshot: str | None = None
    fingerprint: str | None = None
    """Of the application's prompt and tools."""


def trial_id(key: TrialKey) -> str:
    """A name of the trial, 32 hexadecimal digits."""
    return blake2b(msgspec.json.encode(key), digest_size=16, person=b"bascule-trial").hexdigest()


class Costs(Struct, frozen=True, kw_only=True):
    """In nano-USD."""

    shadow_nanousd: int = 0
    judge_nanousd: int = 0
    saved_nanousd: int = 0
    """What the incumbent would have cost for the same tokens, less what the challenger did."""

    @property
    def net_nanousd(self) -> int:
        return self.saved_nanousd - self.shadow_nanousd - self.judge_nanousd


class Trial(Struct, frozen=True, kw_only=True):
    key: TrialKey
    state: State = "shadow"
    since_ms: int
    """When it came into this state."""
    opened_ms: int = 0
    judge: JudgeError | None = EXACT
    """None: grades come from a judge whose error is not known yet, and nothing can be counted."""
    capital: Capital = Capital()
    """Evidence for a promotion; stands still once it has been promoted."""
    alarm: Alarm = Alarm()
    """Evidence for a demotion, begun anew when it began to serve."""
    in_state: int = 0
    """Compared sessions that began in this state: what is counted late began under an earlier one."""
    pairs: int = 0
    missing: int = 0
    """Pairs whose grades did not come."""
    proven_ms: int | None = None
    """When the test was passed."""
    approved_by: str | None = None
    pinned_by: str | None = None
    """Who decided that the incumbent serves, whatever the evidence says."""
    costs: Costs = Costs()


class Uncalibrated(ValueError):
    """A judge's grade cannot count before its error is known: label a sample, then set `Trial.judge`."""


def bets_of(trial: Trial, rules: Rules) -> Bets:
    """The test for promotion: the margin, less what the judge may flatter."""
    null = -rules.margin + _judge(trial).for_promotion
    return Bets(null, max(0.0, null + _LEAST_GAP))


def watch_of(trial: Trial, rules: Rules) -> Watch:
    return Watch(-rules.margin + _judge(trial).for_demotion)


def threshold(trial: Trial, rules: Rules) -> float:
    """The e-value that proves a challenger. A judge's calibration has spent its part of alpha."""
    return 1 / (rules.alpha if _judge(trial).labels == 0 else rules.alpha * (1 - ALPHA_SHARE))


def calibration_alpha(rules: Rules) -> float:
    """The alpha at which a judge's error is to be bounded for these rules."""
    return rules.alpha * ALPHA_SHARE


def _judge(trial: Trial) -> JudgeError:
    if trial.judge is None:
        raise Uncalibrated(f"the judge of {trial.key.challenger} at {trial.key.task} is not calibrated")
    return trial.judge


def with_session(trial: Trial, session: Counted, rules: Rules) -> Trial:
    """The trial with one more observation. Raises Uncalibrated."""
    capital, alarm = trial.capital, trial.alarm
    if trial.proven_ms is None:
        capital = observed(capital, session.for_promotion, bets_of(trial, rules))
    if session.for_demotion is not None:
        alarm = watched(alarm, session.for_demotion, watch_of(trial, rules))
    return structs.replace(
        trial,
        capital=capital,
        alarm=alarm,
        in_state=trial.in_state + (session.began_ms >= trial.since_ms),
        pairs=trial.pairs + session.pairs,
        missing=trial.missing + session.missing,
    )
