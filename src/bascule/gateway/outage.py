"""What the log says while the journal takes no lines: one line when that begins and one when it is over."""

import logging
from collections.abc import Callable

RECENT_MS = 10_000
"""How long a refusal makes the gateway unready. Not longer: without traffic it would never learn that it is over."""

log = logging.getLogger("bascule.ledger")


class Outage:
    """Whether the ledger is down, and how many lines it has refused since. Of one event loop."""

    __slots__ = ("_last_ms", "_now_ms", "_refused")

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._last_ms: int | None = None
        self._refused = 0

    @property
    def is_recent(self) -> bool:
        """A line was refused within the last RECENT_MS."""
        return self._last_ms is not None and self._now_ms() - self._last_ms < RECENT_MS

    def refused(self, what: str, error: Exception, request_id: str) -> None:
        """`what` was not written. With thousands of requests a second only the first is worth a line."""
        self._refused += 1
        self._last_ms = self._now_ms()
        if self._refused == 1:
            log.error("%s: %s (said once until it is over)", what, error, extra={"request_id": request_id})

    def is_over(self) -> None:
        """A line was taken."""
        if self._refused:
            log.warning("the ledger takes lines again; %d were refused meanwhile", self._refused)
            self._refused = 0
