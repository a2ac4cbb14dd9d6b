"""Refusals, which are values, and exceptions, which are for broken promises.

BasculeError
├── ConfigError          the configuration is wrong; lists every problem at once
├── MalformedRequest     a client's body cannot be understood; becomes a 400
├── StoreError           the database cannot be read or written
│   └── StoreUnreachable it does not answer at the moment
└── LedgerUnavailable    the journal cannot take a line; new work is refused with 503
"""

from typing import Literal

from msgspec import Struct

RefusalKind = Literal[
    "malformed",  # 400
    "context_length",  # 400
    "unauthenticated",  # 401
    "budget_exhausted",  # 402
    "unpriceable",  # 402: no price or no bound where a budget applies
    "forbidden",  # 403
    "model_not_found",  # 404
    "route_not_found",  # 404
    "method_not_allowed",  # 405
    "conflict",  # 409
    "not_replayable",  # 409: the same request was sent, and its answer cannot be given again
    "too_large",  # 413
    "unsupported",  # 400: the target dialect has no word for what was asked
    "idempotency_mismatch",  # 422
    "rate_limited",  # 429
    "upstream_rejected",  # the upstream's own 4xx, its status kept
    "upstream_failed",  # 502
    "upstream_timeout",  # 504
    "overloaded",  # 503
    "unavailable",  # 503: ledger or store down
    "internal",  # 500
]

STATUS_OF: dict[RefusalKind, int] = {
    "malformed": 400,
    "context_length": 400,
    "unsupported": 400,
    "unauthenticated": 401,
    "budget_exhausted": 402,
    "unpriceable": 402,
    "forbidden": 403,
    "model_not_found": 404,
    "route_not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "not_replayable": 409,
    "too_large": 413,
    "idempotency_mismatch": 422,
    "rate_limited": 429,
    "upstream_rejected": 400,
    "upstream_failed": 502,
    "upstream_timeout": 504,
    "overloaded": 503,
    "unavailable": 503,
    "internal": 500,
}


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a request is not served, said once and rendered in the client's dialect."""

    kind: RefusalKind
    message: str
    """For a person: what is wrong, where, and what to do. Never holds a secret."""
    code: str | None = None
    """Machine code in the field's words, e.g. `context_length_exceeded`, `insufficient_quota`."""
    param: str | None = None
    status: int = 0
    """HTTP status; 0 takes the kind's own."""
    retry_after_s: float | None = None
    spent: bool = False
    """Trying again is over: it was done here, or makes no sense. A client that does it too would multiply it."""
    needed_nanousd: int | None = None
    left_nanousd: int | None = None
    scope: str | None = None

    @property
    def http_status(self) -> int:
        return self.status or STATUS_OF[self.kind]


class BasculeError(Exception):
    """Root of our exceptions. The message names the place and the remedy."""


class Problem(Struct, frozen=True):
    """One mistake in a configuration file: where it is, what is wrong, how to mend it."""

    where: str
    """`file:line:column` where known, else the path in the document."""
    what: str
    remedy: str


class ConfigError(BasculeError):
    """The configuration is wrong. Carries every problem that was found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{p.where}: {p.what}. {p.remedy}" for p in problems))


class MalformedRequest(BasculeError):
    """A client's body cannot be understood. `param` is the path of the offending field."""

    def __init__(self, message: str, param: str | None = None) -> None:
        self.param = param
        super().__init__(message)


class Untranslatable(BasculeError):
    """A client's body is right, but another dialect has no word for a part of it that must not be lost.

    `param` is the path of that part.
    """

    def __init__(self, message: str, param: str) -> None:
        self.param = param
        super().__init__(message)


class StoreError(BasculeError):
    """The database cannot be opened, read or written."""


class StoreUnreachable(StoreError):
    """The database does not answer, or not yet: worth trying again without changing anything."""


class LedgerUnavailable(BasculeError):
    """The journal cannot take a line (disk full, queue full). New work must be refused."""
