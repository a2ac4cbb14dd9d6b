"""What the gateway tells its operators of: one table of events, and an event as a value.

An event names who and what is meant, counts and amounts; never content, never a secret. The table is what the
configuration admits, what docs/alerts.md lists and what tests hold every alert to.
"""

from typing import Literal, get_args

from msgspec import Struct

EventName = Literal[
    "budget_threshold",
    "breaker_open",
    "breaker_closed",
    "cache_collapse",
    "session_runaway",
    "ledger_backlog",
    "store_down",
    "store_recovered",
    "journal_refusing",
    "reload_failed",
    "memory_high",
    "test",
]
EVENTS: tuple[EventName, ...] = get_args(EventName)
Severity = Literal["info", "warning", "critical"]
FieldValue = str | int | float | bool | None


class EventKind(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    severity: Severity
    when: str
    scope: str
    """Of what there is one alert in each window."""
    fields: tuple[str, ...]


KINDS: dict[EventName, EventKind] = {
    "budget_threshold": EventKind(
        severity="warning",
        when="Settled spend reaches one of a budget's `alerts`. Once in the budget's window.",
        scope="budget and threshold",
        fields=("scope", "window_id", "threshold", "limit_usd", "settled_usd", "mode"),
    ),
    "breaker_open": EventKind(
        severity="warning",
        when="An endpoint, a provider or a credential kept failing, so nothing is sent there for a while.",
        scope="target",
        fields=("kind", "target", "error_class"),
    ),
    "breaker_closed": EventKind(
        severity="info",
        when="What was left alone has answered again.",
        scope="target",
        fields=("kind", "target"),
    ),
    "cache_collapse": EventKind(
        severity="warning",
        when="A session is no longer served from its provider's prompt cache ([caching.md](caching.md)).",
        scope="session and endpoint",
        fields=("session_id", "agent_id", "key", "model", "endpoint", "requests", "uncached_tokens"),
    ),
    "session_runaway": EventKind(
        severity="critical",
        when="A session repeats itself or spends too fast ([runaway.md](runaway.md)). Once for each further step.",
        scope="session and step",
        fields=("session_id", "agent_id", "key", "route", "step", "rule", "measured", "limit", "spent_usd"),
    ),
    "ledger_backlog": EventKind(
        severity="critical",
        when="More lines wait for the store than `alerts.ledger_backlog_share` of what may wait.",
        scope="gateway",
        fields=("backlog_lines", "max_lines"),
    ),
    "store_down": EventKind(
        severity="critical",
        when="The ledger's store does not take lines; they are kept in the journal and tried again.",
        scope="gateway",
        fields=("backlog_lines",),
    ),
    "store_recovered": EventKind(
        severity="info",
        when="The store takes lines again.",
        scope="gateway",
        fields=("backlog_lines",),
    ),
    "journal_refusing": EventKind(
        severity="critical",
        when="The journal does not take lines, so new requests get 503.",
        scope="gateway",
        fields=(),
    ),
    "reload_failed": EventKind(
        severity="warning",
        when="A changed configuration was refused; the old one stays.",
        scope="gateway",
        fields=("first_mistake_at", "mistakes"),
    ),
    "memory_high": EventKind(
        severity="critical",
        when="The gateway uses so much memory that it refuses large bodies, or all new work.",
        scope="what is refused",
        fields=("refused", "used_bytes", "limit_bytes"),
    ),
    "test": EventKind(
        severity="info",
        when="`bascule alerts test`. Goes to every webhook, whatever `events` says.",
        scope="none; sent each time",
        fields=(),
    ),
}


class Alert(Struct, frozen=True, kw_only=True):
    """One thing that has happened."""

    event: EventName
    scope: str
    """What it is about; with `event` and `until_ms` it says which alerts are the same."""
    ts_ms: int
    summary: str
    """One sentence for a person."""
    fields: dict[str, FieldValue] = {}
    until_ms: int | None = None
    """The end of the window in which it is told once; None leaves that to the configuration."""
