"""What evaluation asks of the world: one request to one model, answered, with what it cost."""

from typing import Any, Protocol

from msgspec import Struct

from bascule.model.policy import NO_DATA_POLICY, NO_PROTECTION, DataPolicy, Protect

TAG = "eval"
"""Of ledger rows: the run. Its value is what the run's own budget is on."""
JUDGE_TAG = "eval_judge"
CAN_NEVER = frozenset({400, 404, 405, 413, 415, 422})
"""Statuses that the same request gets again from the same model: it cannot do this."""


class Guard(Struct, frozen=True, kw_only=True):
    """What was asked of whoever saw recorded content, and is asked again of models and judges that see it now."""

    data: DataPolicy = NO_DATA_POLICY
    """The key's."""
    route_data: DataPolicy = NO_DATA_POLICY
    protect: Protect = NO_PROTECTION


class Ask(Struct, frozen=True, kw_only=True):
    """One request."""

    model: str
    surface: str
    body: dict[str, Any]
    """Without `model`."""
    run: str
    case: str
    task: str | None = None
    judges: bool = False
    """It is a judge that is asked, not a candidate."""
    guard: Guard | None = None


class Answered(Struct, frozen=True, kw_only=True):
    """What came of it. Money in nano-USD; None is unknown."""

    status: int
    text: str | None = None
    """The answer; calls of tools as JSON. None where there is none."""
    error: str | None = None
    finish_reason: str | None = None
    request_id: str | None = None
    provider: str | None = None
    model_reported: str | None = None
    cost_nanousd: int | None = None
    """All attempts together; the hold where a bill is not known."""
    latency_ms: int | None = None
    tokens_in: int | None = None
    tokens_cache_read: int | None = None
    tokens_out: int | None = None

    unpriced: bool = False
    """Refused because nothing tells what it may cost at most, and a strict budget applies."""

    @property
    def no_money(self) -> bool:
        return self.status == 402 and not self.unpriced

    @property
    def can_never(self) -> bool:
        """The model cannot answer this request, today or tomorrow."""
        return self.status in CAN_NEVER


class Caller(Protocol):
    """The gateway, as evaluation needs it."""

    async def ask(self, ask: Ask) -> Answered:
        """Holds, sends, settles. Never raises over what a provider does."""
        ...

    def snapshot_of(self, model: str) -> str | None:
        """What stands behind a name, so that answers may be kept: providers and their own names. None where it may be
        another one each time (a route), or there is no such model."""
        ...
