"""Tells when the ledger falls behind or stops: looked at every second beside the requests."""

from typing import Protocol

from bascule.gateway.outage import Outage
from bascule.gateway.recurring import Recurring
from bascule.gateway.telling import Tell
from bascule.model.alert import Alert, EventName, FieldValue
from bascule.ports import Clock

LOOK_EVERY_S = 1.0


class Draining(Protocol):
    """What of a drainer is looked at."""

    @property
    def backlog(self) -> int: ...

    @property
    def last_error(self) -> str | None: ...


class LedgerWatch:
    """`start` and `stop` on the event loop."""

    def __init__(self, *, drainer: Draining, outage: Outage, clock: Clock, tell: Tell) -> None:
        self._drainer = drainer
        self._outage = outage
        self._clock = clock
        self._tell = tell
        self._down = False
        self._looking = Recurring(self._look, LOOK_EVERY_S)
        self.backlog_share = 1.0
        """Of `max_lines`: so many waiting lines are told of."""
        self.max_lines = 0

    def start(self) -> None:
        self._looking.start()

    async def stop(self) -> None:
        await self._looking.stop()

    async def _look(self) -> None:
        self.look()

    def look(self) -> None:
        """Tell of what is wrong now; the windows of alerts see that it is not told every second."""
        lines, down = self._drainer.backlog, self._drainer.last_error is not None
        if down:
            self._say("store_down", "the ledger's store does not take lines", backlog_lines=lines)
        elif self._down:
            self._say("store_recovered", "the ledger's store takes lines again", backlog_lines=lines)
        self._down = down
        if lines > self.backlog_share * self.max_lines:
            summary = f"{lines} ledger lines wait for the store; beyond {self.max_lines} new requests get 503"
            self._say("ledger_backlog", summary, backlog_lines=lines, max_lines=self.max_lines)
        if self._outage.is_recent:
            self._say("journal_refusing", "the journal takes no lines, so new requests get 503")

    def _say(self, event: EventName, summary: str, **fields: FieldValue) -> None:
        self._tell(Alert(event=event, scope="gateway", ts_ms=self._clock.now_ms(), summary=summary, fields=fields))
