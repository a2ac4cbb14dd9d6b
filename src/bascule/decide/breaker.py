"""A circuit breaker as a value: what closes it, what opens it, and who may look whether it can be closed again.

closed      attempts go through; failures in a row, or too large a share of failures, open it
open        nothing goes through until its time is over
half open   one attempt may look, the probe; its success closes the breaker, its failure opens it for longer

What began before the breaker opened says nothing about now: neither can it close the breaker, nor keep it open.
"""

from typing import Literal

from msgspec import Struct, structs

Status = Literal["ok", "cooling", "outlier", "half_open", "open"]
"""`cooling`: it asked for a pause. `outlier`: far worse than its peers. Both are tried last, and alone all the same."""

Verdict = Literal["ok", "failure", "neutral"]
"""`neutral`: the attempt ended without telling anything about who was asked."""


class BreakerPolicy(Struct, frozen=True, kw_only=True):
    """When breakers open and for how long."""

    failures_in_a_row: int = 5
    failure_share: float = 0.5
    """Of the outcomes within `window_s`, once there are `least_outcomes`."""
    least_outcomes: int = 20
    window_s: float = 10.0
    open_s: float = 1.0
    """The first time; doubled with every probe that fails."""
    longest_open_s: float = 5.0
    probe_s: float = 5.0
    """How long a probe that has said nothing keeps others from looking."""


AT_ONCE = 1
"""Failures in a row after which a credential that was turned away is not used: it will not mend by itself."""


class Breaker(Struct, frozen=True):
    """What is remembered of one target. Times are monotonic seconds."""

    failures: int = 0
    """In a row."""
    outcomes: float = 0.0
    """Recent ones, and how many of them were failures; both fade over the window."""
    failed: float = 0.0
    at_s: float = 0.0
    """When they last faded."""
    places: frozenset[str] = frozenset()
    """Where the failures in a row happened, where that matters; no more than need be known."""
    opened: int = 0
    """How often in a row it has opened."""
    opened_s: float | None = None
    """When it last opened; None: it is closed."""
    open_until_s: float = 0.0
    probe_until_s: float | None = None
    """A probe is on its way and has its turn until then."""
    cooling_until_s: float | None = None


CLOSED = Breaker()


def status(breaker: Breaker, now_s: float) -> Status:
    """What may be done: `open` lets nothing through, `half_open` one probe."""
    if breaker.opened_s is not None:
        if now_s < breaker.open_until_s:
            return "open"
        probing = breaker.probe_until_s is not None and now_s < breaker.probe_until_s
        return "open" if probing else "half_open"
    if breaker.cooling_until_s is not None and now_s < breaker.cooling_until_s:
        return "cooling"
    return "ok"


def wait_s(breaker: Breaker, now_s: float) -> float:
    """How long until the next probe may look; 0 where nothing is in the way."""
    if status(breaker, now_s) != "open":
        return 0.0
    return max(breaker.open_until_s, breaker.probe_until_s or 0.0) - now_s


def with_probe(breaker: Breaker, now_s: float, policy: BreakerPolicy) -> Breaker:
    """The half-open breaker once its probe is on its way."""
    return structs.replace(breaker, probe_until_s=now_s + policy.probe_s)


def cooled(breaker: Breaker, until_s: float) -> Breaker:
    """Until then it is tried last. A shorter pause never cuts a longer one."""
    if breaker.cooling_until_s is not None:
        until_s = max(until_s, breaker.cooling_until_s)
    return structs.replace(breaker, cooling_until_s=until_s)


def observe(
    breaker: Breaker,
    verdict: Verdict,
    *,
    began_s: float,
    now_s: float,
    policy: BreakerPolicy,
    failures_in_a_row: int | None = None,
    place: str | None = None,
    least_places: int = 0,
) -> Breaker:
    """The breaker after an attempt that began at `began_s` has ended.

    `failures_in_a_row` stands in for the policy's. With `least_places` it opens only for failures at that many
    different ones of `place`.
    """
    if breaker.opened_s is not None:
        return _while_open(breaker, verdict, began_s, now_s, policy)
    if verdict == "neutral":
        return breaker
    keep = max(0.0, 1.0 - (now_s - breaker.at_s) / policy.window_s)
    outcomes, failed = breaker.outcomes * keep + 1.0, breaker.failed * keep
    if verdict == "ok":
        if failed < 0.5:
            return CLOSED if breaker.cooling_until_s is None else Breaker(cooling_until_s=breaker.cooling_until_s)
        return Breaker(outcomes=outcomes, failed=failed, at_s=now_s, cooling_until_s=breaker.cooling_until_s)
    places = breaker.places
    if place is not None and len(places) < least_places:
        places |= {place}
    after = Breaker(
        failures=breaker.failures + 1,
        outcomes=outcomes,
        failed=failed + 1.0,
        at_s=now_s,
        places=places,
        cooling_until_s=breaker.cooling_until_s,
    )
    if len(places) < least_places:
        return after
    in_a_row = policy.failures_in_a_row if failures_in_a_row is None else failures_in_a_row
    too_many = after.outcomes >= policy.least_outcomes and after.failed >= policy.failure_share * after.outcomes
    return _opened(after, now_s, policy) if after.failures >= in_a_row or too_many else after


def _while_open(breaker: Breaker, verdict: Verdict, began_s: float, now_s: float, policy: BreakerPolicy) -> Breaker:
    assert breaker.opened_s is not None  # the caller has looked
    if began_s < breaker.open_until_s:
        return breaker  # from before it opened: only a probe begins after
    if verdict == "ok":
        return CLOSED
    if verdict == "failure":
        return _opened(breaker, now_s, policy)
    return structs.replace(breaker, probe_until_s=None)


def _opened(breaker: Breaker, now_s: float, policy: BreakerPolicy) -> Breaker:
    open_s: float = min(policy.longest_open_s, policy.open_s * 2 ** min(breaker.opened, 30))
    return structs.replace(
        breaker, opened=breaker.opened + 1, opened_s=now_s, open_until_s=now_s + open_s, probe_until_s=None
    )
