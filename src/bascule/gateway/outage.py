"""What the log says while the journal takes no lines: one line when that begins and one when it is over."""

import logging

log = logging.getLogger("bascule.ledger")


class Outage:
    """Whether the ledger is down, and how many lines it has refused since. Of one event loop."""

    __slots__ = ("_refused",)

    def __init__(self) -> None:
        self._refused = 0

    def refused(self, what: str, error: Exception, request_id: str) -> None:
        """`what` was not written. With thousands of requests a second only the first is worth a line."""
        self._refused += 1
        if self._refused == 1:
            log.error("%s: %s (said once until it is over)", what, error, extra={"request_id": request_id})

    def is_over(self) -> None:
        """A line was taken."""
        if self._refused:
            log.warning("the ledger takes lines again; %d were refused meanwhile", self._refused)
            self._refused = 0
