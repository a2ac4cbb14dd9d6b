"""The append-only record of attempts."""

from typing import Protocol

from bascule.model.entry import Adjustment, Decision, Intent, Settlement


class Journal(Protocol):
    """The append-only record that makes an attempt billable.

    A line is safe when the call returns, or, where the journal writes in groups, before anything leaves that is sent
    in the same round of the event loop. Should that write fail, `Upstream.send` says so and nothing has left.
    """

    def intent(self, line: Intent) -> None:
        """Raises LedgerUnavailable; nothing may then be dispatched."""
        ...

    def begin(self, decision: Decision, intent: Intent) -> None:
        """Both in one line. Raises LedgerUnavailable; neither is then in the journal."""
        ...

    def settle(self, line: Settlement) -> None:
        """Raises LedgerUnavailable; the line then waits in memory and goes before the next one. Should the process
        end first, the attempt is open and recovery settles it at its hold."""
        ...

    def adjust(self, line: Adjustment) -> None: ...

    def decision(self, line: Decision) -> None: ...
