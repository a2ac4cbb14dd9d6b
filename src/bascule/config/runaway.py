"""When a session runs away, and what is done about it."""

from typing import Annotated

from msgspec import Meta, field

from bascule.config.scalars import Name, NanoUsd
from bascule.config.section import Count, Seconds, Section
from bascule.model.policy import RunawayAction

Times = Annotated[float, Meta(ge=1, le=100)]


class Runaway(Section, frozen=True, kw_only=True):
    """Sessions that repeat themselves or spend too fast. See runaway.md."""

    action: RunawayAction = "warn"
    """How far it may go: `warn` tells (alert, log, header), `degrade` also takes a cheaper model, `stop` refuses."""
    keys: dict[Name, RunawayAction] = field(default_factory=dict)
    """Another action for requests of these keys, of this file or made by command; wins over a route's."""
    routes: dict[Name, RunawayAction] = field(default_factory=dict)
    """Another action for requests to these routes."""
    repeated_calls: Count = 10
    """Times that the same tools are called with the same arguments, in a row or in a cycle of up to four calls."""
    identical_requests: Count = 20
    """Identical requests in a row of a session that its client has named."""
    nanousd_per_minute: NanoUsd = field(name="usd_per_minute", default=1_500_000_000)
    """What a session may spend on average over the window."""
    spend_window_s: Seconds = 600.0
    """The window of spending."""
    times_usual: Times = 10.0
    """What a session may spend in a window, as a multiple of its own windows before."""
    least_nanousd: NanoUsd = field(name="least_usd", default=5_000_000_000)
    """Windows below this are not compared with those before."""
    growth_tokens: Count = 150_000
    """By so many tokens of input may a conversation grow within `growth_requests`."""
    growth_requests: Annotated[int, Meta(ge=1, le=1_000)] = 10
    """See `growth_tokens`."""
    degrade_at: Times = 1.25
    """The multiple of any of these limits at which a cheaper model is taken."""
    stop_at: Times = 1.5
    """The multiple at which the session is stopped."""
    degrade_to: tuple[Name, ...] = ()
    """Models to degrade to, the first that may serve the request; empty: the cheapest of the request's own plan."""
    cooldown_s: Seconds = 900.0
    """After so long a stopped session may go on, as if it were new."""
    max_sessions: Count = 10_000
    """Of which it is remembered how they went; beyond it those that were not heard of for the longest are not."""
