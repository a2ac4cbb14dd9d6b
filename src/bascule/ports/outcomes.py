"""What became of sessions' work."""

from collections.abc import Sequence
from typing import Protocol

from bascule.model.session_outcome import SessionOutcome


class OutcomeStore(Protocol):
    """What became of sessions' work, as it was said. Append-only. Raises StoreError."""

    def add(self, outcomes: Sequence[SessionOutcome]) -> None:
        """Take statements, all or none. Each names a session or a request."""
        ...

    def all(self, session_id: str | None = None) -> list[SessionOutcome]:
        """Everything that was ever said, in that order."""
        ...

    def current(self) -> list[SessionOutcome]:
        """The last statement of each source about each thing, in the order said; what was taken back is left out."""
        ...
