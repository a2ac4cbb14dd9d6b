"""What became of one upstream attempt, in classes that retry and health decisions read."""

from typing import Literal

from msgspec import Struct

ErrorClass = Literal[
    "rate_limited",  # 429 that passes
    "quota_exhausted",  # 429 or 402 that does not
    "overloaded",  # 503, 529, overloaded_error
    "server_error",  # other 5xx
    "timeout_connect",
    "timeout_first_byte",
    "timeout_idle",
    "timeout_total",
    "connect",  # refused, DNS, TLS
    "reset",  # cut before or in the middle
    "truncated",  # ended without the provider's own terminal event
    "protocol",  # not the dialect: HTML, bad JSON, bad SSE
    "too_large",
    "bad_request",
    "context_length",
    "content_filter",
    "auth",  # 401 or 403: our credential
    "not_found",
    "unsupported",
    "cancelled",  # by us: drain limit, hold reached
    "client_gone",
]


class Fault(Struct, frozen=True, kw_only=True):
    """How an attempt failed."""

    error_class: ErrorClass
    message: str
    """The provider's own words where it has any, bounded and redacted."""
    status: int | None = None
    code: str | None = None
    param: str | None = None
    retry_after_s: float | None = None
    maybe_billed: bool = False
    """True where the provider may bill although it failed: bytes were sent and no error status came back."""


class AttemptRecord(Struct, frozen=True, kw_only=True):
    """One line of the history that `next_step` reads."""

    attempt_no: int
    candidate: int
    """Index into the plan's candidates."""
    credential: int = 0
    """Which of its provider's."""
    hedge: bool = False
    """Begun beside another, in case that one stays silent."""
    started_s: float
    ended_s: float | None = None
    fault: Fault | None = None
    content_forwarded: bool = False
