"""The shape of what bascule.yaml says about attempts: when there is another, when none, and when two at once."""

from typing import Annotated, Literal

from msgspec import Meta

from bascule.config.section import Count, Seconds, Section, Share


class Retry(Section, frozen=True, kw_only=True):
    """How often a failed attempt is followed by another."""

    max_attempts: Annotated[int, Meta(ge=1, le=20)] = 3
    """Upstream attempts for one request, the first included."""
    retry_after_cap_s: Annotated[float, Meta(ge=0, le=3_600)] = 60.0
    """A longer Retry-After than this is not waited for."""
    deadline_s: Seconds | None = None
    """For a request with all of its attempts, where it says none by `x-bascule-deadline`. Left out: none."""
    budget_share: Share = 0.2
    """Second attempts at an endpoint, as a share of the first ones of late."""
    budget_reserve: Annotated[int, Meta(ge=0, le=1_000)] = 3
    """And as many besides, for endpoints that are asked rarely."""
    budget_window_s: Seconds = 10.0
    """What `of late` is."""


class Breaker(Section, frozen=True, kw_only=True):
    """When an endpoint, a provider or a credential that fails is left alone, until one request has found it well."""

    enabled: bool = True
    """Whether anything is left alone."""
    failures_in_a_row: Count = 5
    """That open it."""
    failure_share: Share = 0.5
    """Of the outcomes within `window_s`, likewise, once there are `least_outcomes`."""
    least_outcomes: Count = 20
    """Before which the share says nothing."""
    window_s: Seconds = 10.0
    """How long an outcome counts for the share."""
    open_s: Seconds = 1.0
    """How long the first time; doubled each time that looking again fails."""
    longest_open_s: Seconds = 5.0
    """And at most."""
    probe_s: Seconds = 5.0
    """A request that looks and hears nothing keeps others from looking for so long."""


class Outlier(Section, frozen=True, kw_only=True):
    """When an endpoint is tried last because others serve the same model far better."""

    enabled: bool = True
    """Whether endpoints of one model are compared."""
    least_outcomes: Count = 20
    """Of late, of each endpoint, before it is compared."""
    slower: Annotated[float, Meta(gt=1)] = 3.0
    """So many times its peers' median time to the first content,"""
    slower_by_s: Seconds = 1.0
    """and by so much at least."""
    more_failures: Share = 0.2
    """Or so much larger a share of failures than its peers'."""
    window_s: Seconds = 60.0
    """How long an outcome counts."""


class Hedge(Section, frozen=True, kw_only=True):
    """A second candidate is asked beside a first that stays silent; who speaks first answers, both are paid for."""

    after_s: Seconds
    """Silence of the first, in seconds, before the second is asked."""
    after: Literal["p50", "p90", "p95", "p99"] | None = None
    """Instead, a percentile of the first one's own times to first content, once enough of them are known."""
