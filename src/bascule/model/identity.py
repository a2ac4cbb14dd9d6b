"""Who and what a request belongs to, read from headers and body."""

from msgspec import Struct

from bascule.model.trace import TraceParent


class Identity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Attribution that the client supplied. Never a security boundary."""

    session_id: str | None = None
    session_source: str | None = None
    """The header or field that the session came from, or `derived`."""
    agent_id: str | None = None
    parent_id: str | None = None
    user: str | None = None
    tags: dict[str, str] = {}
    pr: str | None = None
    branch: str | None = None
    task: str | None = None
    client: str | None = None
    idempotency_key: str | None = None
    trace: TraceParent | None = None
