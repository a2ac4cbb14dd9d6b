"""Ledger lines: an intent before dispatch, a settlement after, an adjustment when either was wrong.

The three kinds are journalled as they are and never changed. A *row* (INTERFACE's `--rows attempts`) is an
intent joined with its settlement. A cache hit is an intent with role `cache` and its settlement.
"""

from typing import Any, Literal

from msgspec import Struct

from bascule.model.money import Rates
from bascule.model.usage import Usage

Role = Literal["primary", "retry", "escalation", "judge", "verify", "shadow", "hedge", "worker", "cache"]

OWN_WORK: frozenset[Role] = frozenset({"judge", "verify", "worker"})
"""Roles whose requests we write: they say nothing of what clients ask, nor of how long answers to them are."""


class HeldScope(Struct, frozen=True):
    """One budget counter that a hold was taken from. `scope` is concrete (`user:ann`, never `user:*`)."""

    scope: str
    window_id: str


class Intent(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="intent"):
    """Written before dispatch: who asked, what is about to be sent where, and what is held for it."""

    attempt_id: str
    request_id: str
    attempt_no: int
    role: Role = "primary"
    session_id: str | None = None
    agent_id: str | None = None
    parent_id: str | None = None
    idempotency_key: str | None = None
    key: str | None = None
    org: str | None = None
    team: str | None = None
    project: str | None = None
    user: str | None = None
    tags: dict[str, str] = {}
    pr: str | None = None
    branch: str | None = None
    task: str | None = None
    route: str | None = None
    model: str | None = None
    model_requested: str | None = None
    provider: str | None = None
    upstream_model: str | None = None
    dialect_in: str | None = None
    dialect_out: str | None = None
    stream: bool = False
    ts_start_ms: int
    window_id: str | None = None
    """The window of the first budget that applies, else None; all of them are in `held`."""
    hold_nanousd: int | None = None
    held: tuple[HeldScope, ...] = ()
    price_version: str | None = None
    reason: str | None = None
    decision_id: str | None = None
    policy_version: str | None = None
    client: str | None = None
    """Product and version of the client's User-Agent, bounded."""
    decided: "Decision | None" = None
    """The record of the decision that it follows from, with a request's first intent: one line, not two."""


class Settlement(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="settle"):
    """Written after the attempt: what it consumed and what that cost. Unique per attempt."""

    attempt_id: str
    ts_first_ms: int | None = None
    ts_end_ms: int
    status: int | None = None
    error_class: str | None = None
    upstream_request_id: str | None = None
    model_reported: str | None = None
    service_tier: str | None = None
    usage: Usage
    tool_fees_nanousd: int | None = None
    cost_nanousd: int | None = None
    """None where the price is unknown."""
    charged_nanousd: int | None = None
    """What budgets were charged where that is not the cost: under a strict budget an estimate, or a reported
    zero for an answer that was seen, leaves its whole hold spent. None: the cost, an unknown one as its hold."""
    rates: Rates | None = None
    baseline_nanousd: int | None = None
    saved_nanousd: int | None = None
    cache: Literal["none", "exact", "semantic"] = "none"
    finish_reason: str | None = None
    recovered: bool = False
    """True where recovery settled an intent that its writer never did; cost is then the hold."""


class Adjustment(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="adjust"):
    """A correction of a settled attempt: the difference, with its reason and author. Append-only, as many as needed."""

    adjustment_id: str
    attempt_id: str
    ts_ms: int
    delta_nanousd: int
    reason: str
    by: str


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="decision"):
    """What was seen and why a plan was chosen, once per request; replay and `explain` live on it."""

    decision_id: str
    request_id: str
    ts_ms: int
    facts: dict[str, Any]
    candidates: tuple[dict[str, Any], ...]
    rejected: tuple[tuple[str, str], ...] = ()
    chosen: str | None = None
    reason: str | None = None
    refusal: str | None = None
    budgets: tuple[dict[str, Any], ...] = ()
    health: dict[str, str] = {}
    seed: int | None = None
    propensity: float | None = None
    observed: dict[str, Any] | None = None
    """In `mode: observe`: what enforcing would have done."""
    policy_version: str | None = None
    price_version: str | None = None
    evidence_version: str | None = None
    strategy: dict[str, Any] | None = None
    """Where several models work on the request: its strategy, the calls that are planned, what is held for them."""


Line = Intent | Settlement | Adjustment | Decision


def decision_of(line: Line) -> Decision | None:
    """The decision that a line records: by itself (refusals), or with the intent that follows from it."""
    if isinstance(line, Intent):
        return line.decided
    return line if isinstance(line, Decision) else None
