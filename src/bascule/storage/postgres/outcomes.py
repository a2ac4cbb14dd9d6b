"""Outcomes of sessions in PostgreSQL."""

from collections.abc import Sequence

from bascule.model.session_outcome import SessionOutcome
from bascule.storage.postgres.bounded import text_of
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.statements import statements

_FIELDS = ("session_id", "request_id", "part", "work", "at_ms", "outcome", "score", "source", "note")


class PostgresOutcomes:
    """Implements `ports.OutcomeStore`, for any thread."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._sql = statements("outcomes.sql")

    def add(self, outcomes: Sequence[SessionOutcome]) -> None:
        if not outcomes:
            return
        rows = [[text_of(getattr(outcome, name)) for name in _FIELDS] for outcome in outcomes]
        with self._database.transaction() as connection, connection.cursor() as cursor:
            cursor.executemany(self._sql["add"], rows)

    def all(self, session_id: str | None = None) -> list[SessionOutcome]:
        return self._read("all", {"session_id": text_of(session_id)})

    def current(self) -> list[SessionOutcome]:
        return self._read("current", {})

    def _read(self, name: str, given: dict[str, str | None]) -> list[SessionOutcome]:
        with self._database.reading() as connection:
            found = connection.execute(self._sql[name], given).fetchall()
        return [SessionOutcome(**dict(zip(_FIELDS, values, strict=True))) for values in found]
