"""How many second attempts a target may get: a fifth of what it is asked in the first place, and three besides.

Without it every client of a target that fails costs it several attempts, just when it can bear least. A target earns a
share of an attempt with every first one, which fades within seconds; the reserve is for targets that are asked rarely,
and comes back only when nothing has been taken for a while, so that an outage takes it once.
"""

from msgspec import Struct


class RetryBudgetPolicy(Struct, frozen=True, kw_only=True):
    share: float = 0.2
    """Of an attempt that each first one earns."""
    reserve: int = 3
    window_s: float = 10.0
    """In which what was earned fades, and after which without a retry the reserve is whole again."""


class RetryBudget(Struct, frozen=True):
    """What one target has left. Times are monotonic seconds."""

    reserve: float
    earned: float = 0.0
    at_s: float = 0.0
    """When `earned` last faded."""
    taken_s: float = 0.0
    """When the last retry was taken."""


def earn(budget: RetryBudget, now_s: float, policy: RetryBudgetPolicy) -> RetryBudget:
    """After a first attempt."""
    return RetryBudget(budget.reserve, _faded(budget, now_s, policy) + policy.share, now_s, budget.taken_s)


def left(budget: RetryBudget, now_s: float, policy: RetryBudgetPolicy) -> float:
    """How many retries may be taken now; less than 1 is none."""
    return _reserve(budget, now_s, policy) + _faded(budget, now_s, policy)


def take(budget: RetryBudget, now_s: float, policy: RetryBudgetPolicy) -> RetryBudget | None:
    """After a retry; None where there is none left. What was earned goes first, for it would fade."""
    earned, reserve = _faded(budget, now_s, policy), _reserve(budget, now_s, policy)
    if reserve + earned < 1.0:
        return None
    from_earned = min(1.0, earned)
    return RetryBudget(reserve - (1.0 - from_earned), earned - from_earned, now_s, now_s)


def _reserve(budget: RetryBudget, now_s: float, policy: RetryBudgetPolicy) -> float:
    return float(policy.reserve) if now_s - budget.taken_s >= policy.window_s else budget.reserve


def _faded(budget: RetryBudget, now_s: float, policy: RetryBudgetPolicy) -> float:
    return budget.earned * max(0.0, 1.0 - (now_s - budget.at_s) / policy.window_s)
