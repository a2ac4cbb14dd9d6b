"""Whom the gateway tells of what happens to it, and how hard it tries."""

from typing import Annotated, Literal

from msgspec import Meta

from bascule.config.scalars import Name, NetworkText, SecretRef
from bascule.config.section import Count, Seconds, Section
from bascule.model.alert import EventName


class Webhook(Section, frozen=True, kw_only=True):
    """One receiver. Its address is a secret, as many hold a token."""

    name: Name
    """In logs and metrics."""
    url: SecretRef
    """Where the address is. It must be https, but for one in a network of `allow_private`."""
    secret: SecretRef | None = None
    """What deliveries are signed with: any text, or `whsec_` and base64. Needed for `format: bascule`."""
    format: Literal["bascule", "slack"] = "bascule"
    """`bascule`: JSON, signed as Standard Webhooks has it. `slack`: `text` and blocks, as Slack, Mattermost and others
    take them."""
    events: tuple[EventName, ...] = ()
    """Only these; empty for all. See alerts.md."""


class Alerts(Section, frozen=True, kw_only=True):
    """Webhooks that are told of what happens; every event is a log line and a metric besides."""

    webhooks: Annotated[tuple[Webhook, ...], Meta(max_length=20)] = ()
    """Each gets its own deliveries, and its own retries."""
    allow_private: tuple[NetworkText, ...] = ()
    """Networks inside that webhooks may be in. Without it only public addresses are connected to."""
    repeat_after_s: Seconds = 3_600.0
    """The length of the windows, by the clock, in each of which the same event of the same scope is told once."""
    timeout_s: Annotated[float, Meta(gt=0, le=120)] = 10.0
    """For one attempt."""
    max_attempts: Annotated[int, Meta(ge=1, le=20)] = 6
    """For one delivery; after that it is given up and counted."""
    retry_first_s: Seconds = 1.0
    """The first pause between attempts; each is twice as long as the one before, less a chance part."""
    retry_most_s: Seconds = 300.0
    """The longest."""
    max_waiting: Count = 1_000
    """Alerts that wait for one webhook; what is beyond is dropped and counted."""
    ledger_backlog_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    """Of `server.limits.max_ledger_queue`: so many waiting lines are told of."""
