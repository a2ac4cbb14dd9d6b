"""Who gets one of the slots in which requests are served, and how many slots there are. Pure.

A tenant may take a slot while what it holds is small against what is free (the dynamic thresholds of shared-memory
switches, Choudhury and Hahne 1998): with a share of 0.9, below nine times the free slots. Alone it then gets nine
tenths of them; two greedy ones get nine nineteenths each; and some always stay free for who has none yet. No tenant
has to be configured, and nothing that nobody else wants is kept from one that does but that reserve.
"""

from msgspec import Struct

DECREASE = 0.9
INCREASE_SHARE = 0.02
"""Of the ceiling, each time."""


class SharePolicy(Struct, frozen=True, kw_only=True):
    """How slots are shared, and who may wait for one."""

    max_tenant_share: float
    """Of the slots, for one tenant alone; 1 makes no difference between tenants."""
    max_queued: int
    max_queued_per_tenant: int


class LimitPolicy(Struct, frozen=True, kw_only=True):
    """Between which bounds the number of slots moves, and what moves it."""

    ceiling: int
    floor: int
    lag_target_s: float
    """The event loop's lag above which there are too many requests."""


def may_enter(held: int, in_flight: int, limit: int, max_tenant_share: float) -> bool:
    """Whether a tenant that holds so many slots may take one more of those that are free. Who has none may."""
    free = limit - in_flight
    if free <= 0 or held == 0:
        return free > 0
    return (held + 1) * (1 - max_tenant_share) <= max_tenant_share * free


def may_arrive(held_bytes: int, body_bytes: int, in_all_bytes: int, limit_bytes: int, max_tenant_share: float) -> bool:
    """Whether a body of which `body_bytes` have come may be read on, all counts with them in it: `held_bytes` of its
    tenant's bodies, `in_all_bytes` of everybody's. The rule is that of slots; a tenant's only body has all that is
    free, for it may be a long one.
    """
    free_bytes = limit_bytes - in_all_bytes
    if free_bytes < 0 or held_bytes <= body_bytes:
        return free_bytes >= 0
    return held_bytes * (1 - max_tenant_share) <= max_tenant_share * free_bytes


def may_wait(held: int, queued: int, queued_in_all: int, tenants: int, limit: int, policy: SharePolicy) -> bool:
    """Whether a tenant that gets no slot now may wait for one: who holds less than its fair share of them.

    `tenants` hold or want slots, it included. Who holds its share is told at once: more waiting is no remedy.
    """
    if queued >= policy.max_queued_per_tenant or queued_in_all >= policy.max_queued:
        return False
    return held * tenants < policy.max_tenant_share * limit


def next_limit(limit: int, in_flight: int, least_lag_s: float, policy: LimitPolicy) -> int:
    """How many slots there are from now on: a tenth less than are used while the loop lags, else some more.

    `least_lag_s` is the least of an interval: one long pause is no overload, a lag that stays is.
    """
    if least_lag_s > policy.lag_target_s:
        return max(policy.floor, min(limit, int(min(limit, in_flight) * DECREASE)))
    return min(policy.ceiling, limit + max(1, int(policy.ceiling * INCREASE_SHARE)))
