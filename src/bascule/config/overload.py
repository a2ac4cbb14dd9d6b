"""The shape of `overload` in bascule.yaml: what is refused first when there is more work than can be done."""

from typing import Annotated

from msgspec import Meta

from bascule.config.section import Count, Seconds, Section

ABOVE_ZERO = Annotated[float, Meta(gt=0, le=1)]


class Memory(Section, frozen=True, kw_only=True):
    """What is refused when memory runs short."""

    limit_bytes: Count | None = None
    """Of this gateway, all its workers together. Left out: the cgroup's limit, or the machine's memory."""
    shed_large_at: ABOVE_ZERO = 0.92
    """Share of the limit from which large bodies get 503 and caches are emptied."""
    shed_all_at: ABOVE_ZERO = 0.95
    """Share of the limit from which all new work gets 503 while other work is in flight."""
    large_body_bytes: Count = 256 * 1024
    """A body of more is large."""


class Overload(Section, frozen=True, kw_only=True):
    """Which requests are refused, with 503 and before their bodies are read, when there are too many. Tenants are
    teams, and keys without one."""

    max_tenant_share: ABOVE_ZERO = 0.9
    """Of `server.limits.max_in_flight` and, for all but its only body, of `max_arriving_bytes`, for one tenant alone.
    What is left stays free for others; 1: no difference is made between tenants."""
    max_queued: Count = 256
    """Requests that wait for others to end, in each worker."""
    max_queued_per_tenant: Count = 32
    """Of one tenant."""
    queue_s: Seconds = 0.25
    """The longest that one waits; it then gets 503."""
    lag_target_s: Seconds = 0.25
    """Where the event loop is late by more for half a second, fewer requests are taken in, until it is on time."""
    min_in_flight: Count = 64
    """So many are always taken in, however late it is; at most `server.limits.max_in_flight`."""
    memory: Memory = Memory()
