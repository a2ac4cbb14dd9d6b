"""Imported rows into SQLite, in groups."""

import sqlite3
from collections.abc import Iterable
from itertools import islice

import msgspec

from bascule.model.errors import BasculeError
from bascule.model.imported import ImportCounts, Imported, import_id
from bascule.model.row import AttemptRow
from bascule.ports import HOUR_MS, HourOf
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.packed import checksum, own_part, profile_of, shared_part
from bascule.storage.sqlite.statements import insert_all, statements

GROUP_ROWS = 25_000
"""Rows per transaction: writers beside it, the drainer's first, wait for no more than that."""
CACHE_KIB = 65_536
"""Of the index on checksums, which every group goes all over."""
MAX_PROFILES = 50_000
"""That are remembered; more are looked up again."""

_encode = msgspec.json.Encoder().encode

Reading = tuple[int, int, int, bytes, int]
"""As it is to be kept, or as it is: quality, ts_start_ms, profile_no, own part, checksum of the request's id."""
_Packed = tuple[str, str, int, int, AttemptRow, bytes, bytes, int]


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
        while group := [_packed(each) for each in islice(remaining, GROUP_ROWS)]:
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

    def _put(self, group: list[_Packed]) -> ImportCounts:
        if len(self._profiles) > MAX_PROFILES:
            self._profiles = {}
        try:
            with self._database().transaction() as connection:
                merge = _Merge(connection, group)
                counts = merge.all(group, self._profiles)
                merge.write()
                return counts
        except BaseException:
            self._profiles = {}  # numbers of this transaction's profiles are no numbers any more
            raise


class _Merge:
    """One group against what is there."""

    def __init__(self, connection: sqlite3.Connection, group: list[_Packed]) -> None:
        self._connection = connection
        self._sql = statements("imports.sql")
        self._crcs = {(source, source_id): crc for source, source_id, crc, *_ in group}
        self._places: dict[tuple[str, str], int] = {}
        self._before: dict[tuple[str, str], Reading] = {}
        self._after: dict[tuple[str, str], Reading] = {}
        given = _encode(list(self._crcs.values())).decode()
        for row_no, source, source_id, *values in connection.execute(self._sql["found"], (given,)):
            name = (source, source_id)
            if name in self._crcs:
                self._places[name] = row_no
                self._before[name] = tuple(values)

    def all(self, group: list[_Packed], profiles: dict[bytes, int]) -> ImportCounts:
        """Decide about every reading in turn."""
        new = replaced = same = 0
        before, after = self._before, self._after
        for source, source_id, _, quality, row, shared, own, request_crc in group:
            profile_no = profiles.get(shared)
            if profile_no is None:
                profile_no = profiles[shared] = self._profile_no(row)
            reading = (quality, row.ts_start_ms, profile_no, own, request_crc)
            name = (source, source_id)
            known = after.get(name) or before.get(name)
            if known is None:
                new += 1
            elif known[0] > quality or known == reading:
                same += 1
                continue
            else:
                replaced += 1
            after[name] = reading
        return ImportCounts(new=new, replaced=replaced, same=same)

    def write(self) -> None:
        hours: set[HourOf] = set()
        fresh = []
        for name, reading in self._after.items():
            source, source_id = name
            hours.add((source, reading[1] // HOUR_MS))
            known = self._before.get(name)
            if known is None:
                fresh.append((source_id, self._crcs[name], *reading))
            else:
                hours.add((source, known[1] // HOUR_MS))
                self._connection.execute(self._sql["replace"], (*reading, self._places[name]))
        insert_all(self._connection, self._sql["insert"], 7, fresh)
        raise_hours(self._connection, hours)

    def _profile_no(self, row: AttemptRow) -> int:
        digest, body = profile_of(row)
        given = (digest, body, row.origin, row.session_id, row.key, row.model)
        self._connection.execute(self._sql["insert_profile"], given)
        return int(self._connection.execute(self._sql["profile_no"], (digest,)).fetchone()[0])


def raise_hours(connection: sqlite3.Connection, hours: Iterable[HourOf]) -> None:
    """These hours were written to, in the caller's transaction."""
    insert_all(connection, statements("imports.sql")["raise_hours"], 3, [(*hour, 1) for hour in hours])


def _packed(each: Imported) -> _Packed:
    row, source, source_id = each.row, each.source, each.source_id
    name = import_id(source, source_id)
    if row.kind != "import" or row.origin != source or row.attempt_id != name or row.held:
        raise BasculeError(
            f"{row.attempt_id!r} is no imported row of {source!r}: it needs kind 'import', origin {source!r}, "
            f"attempt_id {name!r}, and holds nothing"
        )
    crc = checksum(name)
    request_crc = crc if row.request_id == name else checksum(row.request_id)
    return source, source_id, crc, each.quality, row, shared_part(row), own_part(row), request_crc
