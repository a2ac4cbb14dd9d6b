"""Outcomes of sessions in SQLite."""

from collections.abc import Sequence

from bascule.model.session_outcome import SessionOutcome
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.statements import statements


class SqliteOutcomes:
    """Implements `ports.OutcomeStore`. Every call has a connection of its own, so any thread may make it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("outcomes.sql")

    def add(self, outcomes: Sequence[SessionOutcome]) -> None:
        if not outcomes:
            return
        with self._database.separately() as connection:
            connection.executemany(
                self._sql["add"],
                [
                    (o.session_id, o.request_id, o.part, o.work, o.at_ms, o.outcome, o.score, o.source, o.note)
                    for o in outcomes
                ],
            )

    def all(self, session_id: str | None = None) -> list[SessionOutcome]:
        return self._read("all", {"session_id": session_id})

    def current(self) -> list[SessionOutcome]:
        return self._read("current", {})

    def _read(self, name: str, given: dict[str, str | None]) -> list[SessionOutcome]:
        with self._database.reading() as connection:
            return [
                SessionOutcome(
                    session_id=session_id,
                    request_id=request_id,
                    part=part,
                    work=work,
                    at_ms=at_ms,
                    outcome=outcome,
                    score=score,
                    source=source,
                    note=note,
                )
                for session_id, request_id, part, work, at_ms, outcome, score, source, note in connection.execute(
                    self._sql[name], given
                )
            ]
