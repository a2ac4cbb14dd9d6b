"""Outcomes of sessions in a list. Says the same as SQLite's, which one contract suite proves."""

from collections.abc import Sequence

from bascule.model.errors import StoreError
from bascule.model.session_outcome import SessionOutcome


class MemoryOutcomes:
    """Implements `ports.OutcomeStore`."""

    def __init__(self) -> None:
        self._said: list[SessionOutcome] = []

    def add(self, outcomes: Sequence[SessionOutcome]) -> None:
        for each in outcomes:
            if each.session_id is None and each.request_id is None:
                raise StoreError("an outcome needs a session or a request that it is of")
        self._said += outcomes

    def all(self, session_id: str | None = None) -> list[SessionOutcome]:
        return [each for each in self._said if session_id is None or each.session_id == session_id]

    def current(self) -> list[SessionOutcome]:
        last: dict[tuple[str | None, str | None, str | None, str], SessionOutcome] = {}
        for each in self._said:
            last.pop(each.subject, None)
            last[each.subject] = each
        return [each for each in last.values() if each.outcome is not None or each.score is not None]
