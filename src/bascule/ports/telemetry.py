"""What is told of requests and attempts while they end, for traces and metrics. Never content."""

from typing import Protocol

from msgspec import Struct

from bascule.model.entry import Intent, Settlement
from bascule.model.trace import TraceParent


class RequestEnded(Struct, frozen=True, kw_only=True):
    """One client request, answered or refused."""

    request_id: str
    surface: str
    parent: TraceParent | None
    started_ms: int
    ended_ms: int
    status: int
    """As the client saw it; 499 where it left."""
    refusal: str | None = None
    """The kind of refusal."""


class AttemptEnded(Struct, frozen=True, kw_only=True):
    """One upstream exchange, settled: its two lines of the ledger, and what these do not say."""

    intent: Intent
    settlement: Settlement
    parent: TraceParent | None
    """Of the client's span, as in `RequestEnded`."""
    work: str
    """`chat`, `embeddings` or `count_tokens`."""
    max_tokens: int | None
    temperature: float | None


class Telemetry(Protocol):
    """Takes what has ended. Never blocks, never raises; what it cannot take is counted and dropped."""

    def request(self, ended: RequestEnded) -> None: ...

    def attempt(self, ended: AttemptEnded) -> None: ...
