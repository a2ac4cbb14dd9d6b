"""Imported rows into PostgreSQL, in groups."""

from collections.abc import Iterable
from itertools import islice

from bascule.model.imported import ImportCounts, Imported
from bascule.ports import HourOf
from bascule.storage.import_merge import ImportName, Packed, Reading, changed_hours, merged, packed_of
from bascule.storage.packed import profile_of
from bascule.storage.postgres.bounded import BoundedConnection, text_of
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.locks import IMPORTING, take
from bascule.storage.postgres.statements import statements

GROUP_ROWS = 10_000
"""Rows per transaction: other importers wait for no more than that; readers and drainers wait for none."""


class PostgresImports:
    """Implements `ports.ImportStore`, for any thread."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def put(self, rows: Iterable[Imported]) -> ImportCounts:
        new = replaced = same = 0
        remaining = iter(rows)
        while group := [packed_of(each) for each in islice(remaining, GROUP_ROWS)]:
            with self._database.transaction() as connection:
                take(connection, IMPORTING)
                counts = _put(connection, group)
            new, replaced, same = new + counts.new, replaced + counts.replaced, same + counts.same
        return ImportCounts(new=new, replaced=replaced, same=same)

    def close(self) -> None:
        """Connections are the database's."""


def _put(connection: BoundedConnection, group: list[Packed]) -> ImportCounts:
    sql = statements("imports.sql")
    crcs = {each.name: each.crc for each in group}
    places: dict[ImportName, int] = {}
    before: dict[ImportName, Reading] = {}
    found = connection.execute(sql["found"], {"crcs": list(set(crcs.values()))}, binary=True)
    for row_no, source, source_id, *values in found:
        name = (source, source_id)
        if name in crcs:
            places[name] = row_no
            before[name] = tuple(values)
    profiles: dict[bytes, int] = {}
    after, counts = merged(group, before, lambda each: _profile_no(connection, each, profiles))
    fresh = [(name[1], crcs[name], *reading) for name, reading in after.items() if name not in before]
    better = [(*reading, places[name]) for name, reading in after.items() if name in before]
    for statement, rows in (("insert", fresh), ("replace", better)):
        if rows:
            connection.execute(sql[statement], [list(column) for column in zip(*rows, strict=True)])
    raise_hours(connection, changed_hours(before, after))
    return counts


def _profile_no(connection: BoundedConnection, each: Packed, profiles: dict[bytes, int]) -> int:
    number = profiles.get(each.shared)
    if number is None:
        row = each.row
        digest, body = profile_of(row)
        given = {
            "digest": digest, "body": body, "source": row.origin, "session_id": text_of(row.session_id),
            "key": text_of(row.key), "model": text_of(row.model),
        }  # fmt: skip
        found = connection.execute(statements("imports.sql")["profile_number"], given).fetchone()
        assert found is not None
        number = profiles[each.shared] = int(found[0])
    return number


def raise_hours(connection: BoundedConnection, hours: Iterable[HourOf]) -> None:
    """These hours were written to, in the caller's transaction."""
    sorted_hours = sorted(hours)
    if sorted_hours:
        columns = [[origin for origin, _ in sorted_hours], [hour for _, hour in sorted_hours]]
        connection.execute(statements("imports.sql")["raise_hours"], columns)
