"""Imported rows into SQLite, in groups."""

import sqlite3
from collections.abc import Iterable
from itertools import islice

import msgspec

from bascule.model.imported import ImportCounts, Imported
from bascule.ports import HourOf
from bascule.storage.import_merge import ImportName, Packed, Reading, changed_hours, merged, packed_of
from bascule.storage.packed import profile_of
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.statements import insert_all, statements

GROUP_ROWS = 25_000
"""Rows per transaction: writers beside it, the drainer's first, wait for no more than that."""
CACHE_KIB = 65_536
"""Of the index on checksums, which every group goes all over."""
MAX_PROFILES = 50_000
"""That are remembered; more are looked up again."""

_encode = msgspec.json.Encoder().encode


class SqliteImports:
    """Implements `ports.ImportStore`. Used by one thread at a time; several may put into one database."""

    def __init__(self, database: Database) -> None:
        self._beside = database
        self._own: Database | None = None
        self._sql = statements("imports.sql")
        self._profiles: dict[bytes, int] = {}

    def put(self, rows: Iterable[Imported]) -> ImportCounts:
        new = replaced = same = 0
        remaining = iter(rows)
        while group := [packed_of(each) for each in islice(remaining, GROUP_ROWS)]:
            counts = self._put(group)
            new, replaced, same = new + counts.new, replaced + counts.replaced, same + counts.same
        return ImportCounts(new=new, replaced=replaced, same=same)

    def close(self) -> None:
        if self._own is not None:
            self._own.close()
            self._own = None

    def _database(self) -> Database:
        """A connection of its own, so that the drainer's is never in the middle of an import."""
        if self._own is None:
            self._own = Database(self._beside.path, self._beside.durability)
            with self._own.translated():
                self._own.connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        return self._own

    def _put(self, group: list[Packed]) -> ImportCounts:
        if len(self._profiles) > MAX_PROFILES:
            self._profiles = {}
        try:
            with self._database().transaction() as connection:
                return _Merge(connection, group).write(self._profiles)
        except BaseException:
            self._profiles = {}  # numbers of this transaction's profiles are no numbers any more
            raise


class _Merge:
    """One group against what is there."""

    def __init__(self, connection: sqlite3.Connection, group: list[Packed]) -> None:
        self._connection = connection
        self._sql = statements("imports.sql")
        self._group = group
        self._crcs = {each.name: each.crc for each in group}
        self._places: dict[ImportName, int] = {}
        self._before: dict[ImportName, Reading] = {}
        given = _encode(list(self._crcs.values())).decode()
        for row_no, source, source_id, *values in connection.execute(self._sql["found"], (given,)):
            name = (source, source_id)
            if name in self._crcs:
                self._places[name] = row_no
                self._before[name] = tuple(values)

    def write(self, profiles: dict[bytes, int]) -> ImportCounts:
        after, counts = merged(self._group, self._before, lambda each: self._profile_no(each, profiles))
        fresh = []
        for name, reading in after.items():
            if name in self._before:
                self._connection.execute(self._sql["replace"], (*reading, self._places[name]))
            else:
                fresh.append((name[1], self._crcs[name], *reading))
        insert_all(self._connection, self._sql["insert"], 7, fresh)
        raise_hours(self._connection, changed_hours(self._before, after))
        return counts

    def _profile_no(self, each: Packed, profiles: dict[bytes, int]) -> int:
        number = profiles.get(each.shared)
        if number is None:
            row = each.row
            digest, body = profile_of(row)
            given = (digest, body, row.origin, row.session_id, row.key, row.model)
            self._connection.execute(self._sql["insert_profile"], given)
            number = int(self._connection.execute(self._sql["profile_no"], (digest,)).fetchone()[0])
            profiles[each.shared] = number
        return number


def raise_hours(connection: sqlite3.Connection, hours: Iterable[HourOf]) -> None:
    """These hours were written to, in the caller's transaction."""
    insert_all(connection, statements("imports.sql")["raise_hours"], 3, [(*hour, 1) for hour in hours])
