"""What a route says of dear models and of sessions. docs/routing.md."""

from typing import Annotated, Literal

from msgspec import Meta, field

from bascule.config.scalars import NanoUsd
from bascule.config.section import Count, Section

TierName = Literal["commodity", "mid", "premium"]
OpenShare = Annotated[float, Meta(gt=0, lt=1)]


class Dear(Section, frozen=True, kw_only=True):
    """How many requests may go to models of the premium tier, or of an unknown price. It outranks floors and scores."""

    key_share: OpenShare | None = None
    """Of the requests of one key on this route."""
    session_share: OpenShare | None = None
    """Of the requests of one session on this route."""
    burst: Count = 10
    """Dear requests that nobody has to earn first. Each worker counts for itself, so several allow as many bursts."""


class Sticky(Section, frozen=True, kw_only=True):
    """When a session may leave the model that served its last request."""

    sticky: bool = True
    """It stays while that model is adequate and well, unless moving pays; `false`: each request for itself."""
    max_switch_nanousd: NanoUsd = field(name="max_switch_usd", default=1_000_000_000)
    """The most that reading the session's prompt anew may cost at another model."""
    least_saving_percent: Annotated[int, Meta(ge=0, le=99)] = 5
    """Of what the session is expected to cost from here on, what moving has to save."""
