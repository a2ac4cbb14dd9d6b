"""One model call as a log tells of it, before it is priced."""

from msgspec import Struct

from bascule.model.row import AttemptRow
from bascule.model.usage import Usage

FINAL = 30
"""Quality of a reading: the provider's final usage, and it agrees with the content."""
PLAUSIBLE = 20
"""Nothing says that the usage is final, but it agrees with the content."""
ESTIMATED = 10
"""The recorded usage cannot be right; the output is estimated from the content."""
UNKNOWN = 0
"""Neither recorded nor to be estimated."""


class Observed(Struct, kw_only=True, gc=False):
    """A call and its usage. Times are milliseconds since the Unix epoch; None is unknown."""

    source_id: str
    """Names the call within its source: the same wherever a copy of its line lies."""
    quality: int
    usage: Usage
    model: str | None
    """As the log has it."""
    maker: str | None
    """Who serves it as far as the log tells (see `sellers`); None: the name must say."""
    ts_start_ms: int
    ts_end_ms: int | None = None
    session_id: str | None = None
    agent_id: str | None = None
    parent_id: str | None = None
    upstream_request_id: str | None = None
    cwd: str | None = None
    branch: str | None = None
    pr: str | None = None
    tags: dict[str, str] = {}
    finish_reason: str | None = None
    version: str | None = None
    """Of the program that wrote the log."""
    recorded_out: int | None = None
    """Output tokens as recorded, where the usage's own are an estimate."""


class Given(Struct, frozen=True, gc=False):
    """A row that its source has as a whole, priced or not; its origin is the source."""

    source_id: str
    quality: int
    row: AttemptRow
