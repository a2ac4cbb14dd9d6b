"""The clock of a replica against the database's, which is the same one for all replicas.

Windows of budgets and terms of leases come from each replica's own clock. A cap holds in every window whatever the
clocks say, since what is spent is counted by the window's name; but a replica whose clock is ahead spends tomorrow's
budget today, and one that is behind yesterday's.
"""

import logging
from collections.abc import Callable

from bascule.model.errors import StoreError
from bascule.ports import Clock, Watermarks

log = logging.getLogger("bascule.service")

MOST_SKEW_S = 300.0
TOLD_SKEW_S = 5.0
"""Half of a lease's term: from here on it makes others wait."""


def judge_clock(clock: Clock, watermarks: Watermarks | None) -> None:
    """This process's clock against that of the database, if replicas share one. Tells the log where they are apart.
    Raises StoreError where they are too far apart, or the database does not answer."""
    if watermarks is None:
        return
    told = judge_skew(skew_s(clock.now_ms, watermarks.now_ms))
    if told is not None:
        log.warning("%s", told)


def skew_s(own_ms: Callable[[], int], database_ms: Callable[[], int]) -> float:
    """How far the own clock is ahead of the database's at least; negative where it is behind. 0 where the time that the
    question took explains it. Raises StoreError where the database does not answer."""
    before_ms = own_ms()
    there_ms = database_ms()
    after_ms = own_ms()
    if before_ms > there_ms:
        return (before_ms - there_ms) / 1000
    return min(0.0, (after_ms - there_ms) / 1000)


def judge_skew(ahead_s: float) -> str | None:
    """What is to be told of it; None where it is small. Raises StoreError where nothing may be spent by that clock."""
    if abs(ahead_s) <= TOLD_SKEW_S:
        return None
    how = f"this host's clock is {abs(ahead_s):,.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the database's"
    if abs(ahead_s) > MOST_SKEW_S:
        raise StoreError(
            f"{how}, and budgets are counted by the hour and day: what it spent would be in the wrong ones. Set the "
            "clock of whichever is wrong (NTP), then start"
        )
    return f"{how}; other replicas may wait for what it has borrowed. Set the clock (NTP)"
