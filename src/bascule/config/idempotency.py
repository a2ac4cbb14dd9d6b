"""`idempotency`: what is remembered of requests that came with an Idempotency-Key."""

from typing import Annotated

from msgspec import Meta

from bascule.config.section import Count, Section


class Idempotency(Section, frozen=True, kw_only=True):
    """Requests that say by an `Idempotency-Key` that they are the same. See idempotency.md."""

    enabled: bool = True
    """Whether repeated requests are recognised; else the header is only written down."""
    ttl_s: Annotated[float, Meta(ge=60, le=2_592_000)] = 86_400.0
    """How long a key is remembered, from its first request on."""
    wait_s: Annotated[float, Meta(ge=0, le=3_600)] = 60.0
    """How long a repeated request waits for the answer to the first; then 409."""
    max_waiting: Count = 1_000
    """Requests that wait so, in each worker; one more gets its 409 at once."""
    store_wait_s: Annotated[float, Meta(gt=0, le=60)] = 0.2
    """The longest that a request waits for the store of keys; then 503."""
    max_rows: Count = 1_000_000
    """Keys remembered at once; beyond it a new one gets 503, since none may be forgotten before its time."""
    max_rows_per_key: Count = 100_000
    """Of these, by one virtual key."""
    max_answer_bytes: Count = 1024 * 1024
    """Of one answer; a longer one is delivered but not kept, and a repetition is told so."""
    max_bytes: Count = 64 * 1024 * 1024
    """Of all answers kept in memory, in each worker; the oldest make room."""
