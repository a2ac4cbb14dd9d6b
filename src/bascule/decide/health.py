"""Is an endpoint worth trying? Consecutive failures open it for a while; a 429 cools it for as long as it asks.

Small on purpose: after `OPEN_S` everybody may try again, and one failure opens it anew. Only what the endpoint did
counts; a client's own mistakes (400, content filter, a client that left) tell nothing about it.
"""

from typing import Literal

from msgspec import Struct

from bascule.model.outcome import ErrorClass

Status = Literal["ok", "cooling", "open"]

FAILURES_TO_OPEN = 5
OPEN_S = 10.0
COOLING_S = 2.0
QUOTA_COOLING_S = 60.0
LONGEST_COOLING_S = 60.0
"""A Retry-After beyond this is not believed."""

_FAILURES: frozenset[str] = frozenset(
    {
        "overloaded",
        "server_error",
        "timeout_connect",
        "timeout_first_byte",
        "timeout_idle",
        "timeout_total",
        "connect",
        "reset",
        "truncated",
        "protocol",
        "auth",
    }
)


class HealthState(Struct, frozen=True):
    """What is remembered of one endpoint. Times are monotonic seconds."""

    failures: int = 0
    """In a row."""
    open_until_s: float | None = None
    cooling_until_s: float | None = None


HEALTHY = HealthState()


def observe(
    state: HealthState, outcome: ErrorClass | Literal["ok"], now_s: float, retry_after_s: float | None = None
) -> HealthState:
    """The state after an attempt ended with `outcome`."""
    if outcome == "ok":
        return state if state is HEALTHY else HEALTHY
    if outcome in ("rate_limited", "quota_exhausted"):
        return HealthState(state.failures, state.open_until_s, _cool(state, outcome, now_s, retry_after_s))
    if outcome not in _FAILURES:
        return state
    failures = state.failures + 1
    open_until_s = now_s + OPEN_S if failures >= FAILURES_TO_OPEN else state.open_until_s
    cooling_until_s = state.cooling_until_s
    if retry_after_s is not None:
        cooling_until_s = _cool(state, outcome, now_s, retry_after_s)
    return HealthState(failures, open_until_s, cooling_until_s)


def status(state: HealthState, now_s: float) -> Status:
    """`open`: it keeps failing, do not try. `cooling`: it asked for a pause. `ok`: try."""
    if state.open_until_s is not None and now_s < state.open_until_s:
        return "open"
    if state.cooling_until_s is not None and now_s < state.cooling_until_s:
        return "cooling"
    return "ok"


def _cool(state: HealthState, outcome: str, now_s: float, retry_after_s: float | None) -> float:
    if retry_after_s is None:
        retry_after_s = QUOTA_COOLING_S if outcome == "quota_exhausted" else COOLING_S
    until_s = now_s + min(LONGEST_COOLING_S, max(0.0, retry_after_s))
    return until_s if state.cooling_until_s is None else max(until_s, state.cooling_until_s)
