"""May this key ask for this, now? Expiry and rate limits, as pure functions with the time as an argument.

Rates are leaky buckets: what a key has used drains at its limit per minute, and a request is let in while it fits
below the limit, so a burst may use a whole minute's share at once and no more. Only requests that are let in count.
"""

from msgspec import Struct

from bascule.model.errors import Refusal
from bascule.model.policy import KeyPolicy, RateLimit

IN_FLIGHT_RETRY_S = 1.0
"""When a slot comes free is not known; this is what a refused client is told to wait."""


class RateState(Struct, frozen=True):
    """What a key has used: requests and tokens that have not drained by `at_s` (monotonic), and those in flight."""

    requests: float = 0.0
    tokens: float = 0.0
    in_flight: int = 0
    at_s: float = 0.0


IDLE = RateState()


def key_problem(key: KeyPolicy, now_ms: int) -> Refusal | None:
    """A 401 where the key has expired."""
    if key.expires_ms is None or now_ms < key.expires_ms:
        return None
    return Refusal(
        kind="unauthenticated",
        message=f"Key {key.name!r} has expired. Ask for a new one, or have it rotated with `bascule keys rotate`.",
        code="invalid_api_key",
    )


def is_limited(limit: RateLimit) -> bool:
    return limit.rpm is not None or limit.tpm is not None or limit.in_flight is not None


def take(limit: RateLimit, state: RateState, tokens: int, now_s: float) -> RateState | Refusal:
    """Let one request of about `tokens` tokens in, or say when to come back. A refusal changes nothing.

    A request of more tokens than a whole minute's limit is let in once the bucket is empty, and then drains.
    """
    used = drained(limit, state, now_s)
    if limit.in_flight is not None and used.in_flight >= limit.in_flight:
        return Refusal(
            kind="rate_limited",
            message=f"This key is limited to {limit.in_flight} requests in flight. Try again when one has ended.",
            code="rate_limit_exceeded",
            retry_after_s=IN_FLIGHT_RETRY_S,
        )
    if limit.rpm is not None and used.requests + 1 > limit.rpm:
        return _refusal("requests per minute", limit.rpm, used.requests + 1 - limit.rpm)
    if limit.tpm is not None:
        asked = min(tokens, limit.tpm) if limit.tpm else 1
        if used.tokens + asked > limit.tpm:
            return _refusal("tokens per minute", limit.tpm, used.tokens + asked - limit.tpm)
    return RateState(used.requests + 1, used.tokens + tokens, used.in_flight + 1, used.at_s)


def give_back(limit: RateLimit, state: RateState, tokens: int, now_s: float) -> RateState:
    """Undo a `take`: the request was refused for another reason, so it has not counted."""
    used = drained(limit, state, now_s)
    return RateState(max(0.0, used.requests - 1), max(0.0, used.tokens - tokens), max(0, used.in_flight - 1), used.at_s)


def finish(limit: RateLimit, state: RateState, taken_tokens: int, actual_tokens: int | None, now_s: float) -> RateState:
    """The request has ended; its tokens are corrected to what it used (None: unknown, what was taken stands)."""
    used = drained(limit, state, now_s)
    tokens = used.tokens if actual_tokens is None else max(0.0, used.tokens + actual_tokens - taken_tokens)
    return RateState(used.requests, tokens, max(0, used.in_flight - 1), used.at_s)


def drained(limit: RateLimit, state: RateState, now_s: float) -> RateState:
    """The state at `now_s`. A clock that went back drains nothing."""
    past_s = now_s - state.at_s
    if past_s <= 0:
        return state
    requests = 0.0 if limit.rpm is None else max(0.0, state.requests - past_s * limit.rpm / 60)
    tokens = 0.0 if limit.tpm is None else max(0.0, state.tokens - past_s * limit.tpm / 60)
    return RateState(requests, tokens, state.in_flight, now_s)


def _refusal(what: str, limit: int, excess: float) -> Refusal:
    """A 429. `excess` is how much must drain first."""
    retry_after_s = max(0.001, excess * 60 / limit) if limit else 60.0
    return Refusal(
        kind="rate_limited",
        message=f"This key is limited to {limit} {what}. Try again in {retry_after_s:.3f} s.",
        code="rate_limit_exceeded",
        retry_after_s=retry_after_s,
    )
