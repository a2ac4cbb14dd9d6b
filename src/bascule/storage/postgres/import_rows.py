"""Imported rows out of PostgreSQL, as ledger rows are read."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from bascule.model.row import AttemptRow, RowFilter
from bascule.ports import HourOf
from bascule.storage.packed import checksum, template_of, unpacked
from bascule.storage.postgres.bounded import BoundedConnection, text_of
from bascule.storage.postgres.statements import statements
from bascule.storage.postgres.streamed import streamed

MAX_PROFILES = 50_000
"""That are remembered; more are read again."""
_AGES_H = 1 << 40
"""Hours that lie beyond every row."""

_PROFILES = "profile_no IN (SELECT profile_no FROM import_profiles WHERE {} = %({})s)"
_CLAUSE_OF = {
    "since_ms": "ts_start_ms >= %(since_ms)s",
    "until_ms": "ts_start_ms < %(until_ms)s",
    "key": _PROFILES.format('"key"', "key"),
    "session_id": _PROFILES.format("session_id", "session_id"),
    "model": _PROFILES.format("model", "model"),
    "origin": _PROFILES.format("source", "origin"),
}
_request_crc = itemgetter(4)
_started = attrgetter("ts_start_ms")
_name = attrgetter("attempt_id")
_names = attrgetter("request_id", "attempt_id")


class ImportedRows:
    """Reads inside a transaction of the caller's."""

    def __init__(self, connection: BoundedConnection) -> None:
        self._connection = connection
        self._sql = statements("imports.sql")
        self._templates: dict[int, AttemptRow] = {}

    def rows(self, where: RowFilter, *, by_request: bool = False) -> Iterator[AttemptRow]:
        """As `ports.LedgerSnapshot.imported`."""
        if where.attempt_id is not None:
            return self._one(where, where.attempt_id)
        found = self._of_requests(where) if by_request else self._in_time(where)
        if where.request_id is not None:
            found = (row for row in found if row.request_id == where.request_id)
        return found if where.names_imports else (row for row in found if row.restates is None)

    def counts(self) -> dict[str, int]:
        return dict(self._connection.execute(self._sql["counts"]).fetchall())

    def hour_versions(self, since_hour: int | None, until_hour: int | None) -> dict[HourOf, int]:
        given = {
            "since_hour": -_AGES_H if since_hour is None else since_hour,
            "until_hour": _AGES_H if until_hour is None else until_hour,
        }
        found = self._connection.execute(self._sql["hour_versions"], given)
        return {(origin, hour): version for origin, hour, version in found}

    def _query(self, name: str, where: RowFilter) -> Iterator[tuple[Any, ...]]:
        given = {field: text_of(value) for field in _CLAUSE_OF if (value := getattr(where, field)) is not None}
        clauses = " AND ".join(_CLAUSE_OF[field] for field in given) or "TRUE"
        if where.request_id is not None:
            clauses += " AND request_crc = %(request_crc)s"
            given["request_crc"] = checksum(where.request_id)
        return streamed(self._connection, self._sql[name].replace(":where", clauses), given)

    def _in_time(self, where: RowFilter) -> Iterator[AttemptRow]:
        """In the order of their start, and of their ids where that is the same."""
        found = (self._row(*values) for values in self._query("rows", where))
        for _, together in groupby(found, key=_started):
            yield from sorted(together, key=_name)

    def _of_requests(self, where: RowFilter) -> Iterator[AttemptRow]:
        """Requests come in the order of a checksum; those that share it are told apart here."""
        for _, together in groupby(self._query("rows_by_request", where), key=_request_crc):
            yield from sorted([self._row(*values[:4]) for values in together], key=_names)

    def _one(self, where: RowFilter, attempt_id: str) -> Iterator[AttemptRow]:
        found = self._connection.execute(self._sql["found"], {"crcs": [checksum(attempt_id)]}, binary=True).fetchall()
        for _, _, source_id, _, ts_start_ms, profile_no, body, _ in found:
            row = self._row(source_id, ts_start_ms, profile_no, body)
            if where.admits(row):
                yield row

    def _row(self, source_id: str, ts_start_ms: int, profile_no: int, body: bytes) -> AttemptRow:
        template = self._templates.get(profile_no)
        if template is None:
            if len(self._templates) > MAX_PROFILES:
                self._templates = {}
            profile = self._connection.execute(self._sql["profile"], {"profile_no": profile_no}, binary=True).fetchone()
            assert profile is not None
            template = self._templates[profile_no] = template_of(profile[0])
        return unpacked(template, source_id, ts_start_ms, body)
