"""How many of somebody's requests may go to dear models: an allowance that requests earn and dear ones spend. Pure.

Every request earns `share` of a dear one, up to `burst` of them; a dear request spends one. Whatever the requests say,
of any n in a row at most `burst + share x n` are dear, so that no wording lifts its own price class beyond policy. A
score has no say in it: the cap is looked at before any candidate is ranked.
"""

from bascule.model.policy import DearCap

ONE = 1_000_000
"""One dear request, in parts per million: allowances are integers, or millions of additions would drift."""


def opening(cap: DearCap) -> int:
    """Whoever comes for the first time may begin with a burst."""
    return cap.burst * ONE


def after_request(allowance_ppm: int, share: float, cap: DearCap) -> int:
    """What a request has earned; never more than a burst."""
    return min(cap.burst * ONE, allowance_ppm + round(share * ONE))


def after_dear(allowance_ppm: int) -> int:
    """What is left after a dear request. A failover that could not be foreseen may leave a debt; it is worked off."""
    return allowance_ppm - ONE


def allows(allowance_ppm: int) -> bool:
    return allowance_ppm >= ONE
