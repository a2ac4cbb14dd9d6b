"""Sealed answers to requests with an Idempotency-Key in PostgreSQL, so that any replica can give them again."""

from typing import Any

from bascule.model.content import Subject
from bascule.storage.postgres.bounded import text_of
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.statements import statements


class PostgresReplies:
    """Implements `stores.SharedReplies`, for any thread. What is deleted is in the server's files until it vacuums."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._sql = statements("replies.sql")

    def put(self, name: bytes, sealed: bytes, *, until_ms: int, subject: Subject) -> None:
        told = {"name": name, "sealed": sealed, "until_ms": until_ms, **_whose(subject)}
        self._change("put", told)

    def get(self, name: bytes, now_ms: int) -> bytes | None:
        with self._database.reading() as connection:
            row = connection.execute(self._sql["get"], {"name": name, "now_ms": now_ms}).fetchone()
        return None if row is None else bytes(row[0])

    def erase(self, subject: Subject) -> int:
        return self._change("erase", _whose(subject))

    def end(self, now_ms: int) -> int:
        return self._change("end", {"now_ms": now_ms})

    def _change(self, name: str, told: dict[str, Any]) -> int:
        with self._database.transaction() as connection:
            return connection.execute(self._sql[name], told).rowcount


def _whose(subject: Subject) -> dict[str, str | None]:
    return {"user": text_of(subject.user), "session_id": text_of(subject.session_id)}
