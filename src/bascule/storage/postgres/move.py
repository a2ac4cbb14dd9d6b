"""A ledger that began in SQLite, into PostgreSQL: table by table, as it is, in steps that may be cut short."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

from msgspec import Struct

from bascule.model.errors import StoreError
from bascule.storage.postgres.bounded import BoundedConnection, text_of
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.moving import MOVING
from bascule.storage.sqlite.connect import Database

STEP_ROWS = 10_000
"""Rows per transaction."""


class Table(Struct, frozen=True):
    """One table and what its rows are told apart by, in order; `counted`: PostgreSQL numbers the next ones."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    counted: bool = False


TABLES = (
    Table("chains", ("chain_no",), ("chain_no", "chain_id", "head_seq", "head_chain"), counted=True),
    Table("lines", ("line_no",), ("line_no", "kind", "attempt_id", "body", "chain")),
    Table(
        "attempts",
        ("intent_line",),
        (
            "intent_line", "settle_line", "attempt_id", "request_id", "ts_start_ms", "session_id", "key", "org",
            "team", "project", "user", "model", "tags", "held", "hold_nanousd", "cost_nanousd", "charged_nanousd",
        ),
    ),
    Table("adjustments", ("adjustment_id",), ("adjustment_id", "attempt_id", "ts_ms", "delta_nanousd", "reason", "by")),
    Table("decisions", ("request_id", "line_no"), ("request_id", "line_no")),
    Table("changed_hours", ("origin", "hour"), ("origin", "hour", "version")),
    Table("keys", ("key_id",), ("key_id", "name", "digest", "policy", "created_ms", "revoked_ms")),
    Table("budgets", ("scope", "window"), ("scope", "window", "budget", "created_ms")),
    Table("audit", ("seq",), ("seq", "body", "chain")),
    Table(
        "import_profiles",
        ("profile_no",),
        ("profile_no", "digest", "body", "source", "session_id", "key", "model"),
        counted=True,
    ),
    Table(
        "imported",
        ("row_no",),
        ("row_no", "source_id", "id_crc", "quality", "ts_start_ms", "request_crc", "profile_no", "body"),
        counted=True,
    ),
    Table(
        "outcomes",
        ("outcome_no",),
        ("outcome_no", "session_id", "request_id", "part", "work", "at_ms", "outcome", "score", "source", "note"),
        counted=True,
    ),
    Table("trials", ("trial_id",), ("trial_id", "route", "task", "challenger", "version", "body")),
    Table(
        "compared_pairs",
        ("pair_id",),
        (
            "pair_id", "trial_id", "request_id", "session_id", "enrolled_ms", "graded_ms", "difference", "grader",
            "label", "shadow_nanousd", "judge_nanousd",
        ),
    ),
    Table("counted_sessions", ("trial_id", "session_id"), ("trial_id", "session_id")),
    Table(
        "idempotency_keys",
        ("name",),
        (
            "name", "digest", "tenant", "request_id", "owner", "started_ms", "until_ms", "state", "attempt_id",
        ),
    ),
)  # fmt: skip
_BYTES = frozenset({"body", "digest"})

Track = Callable[[str], None]


def move(source: Database, target: PostgresDatabase, told: Track) -> dict[str, int]:
    """Copy what is not there yet; `told` hears of each step. Returns the rows of each table.

    Nobody may write to `source` meanwhile, and nobody serve from `target`. Raises StoreError, also where the target
    has a ledger of its own.
    """
    with source.translated(), closing(sqlite3.connect(f"file:{source.path}?mode=ro", uri=True)) as reading:
        identity = str(reading.execute("SELECT value FROM meta WHERE name = 'store_id'").fetchone()[0])
        _begin(target, identity)
        rows = {}
        for table in TABLES:
            for done in _copy(reading, target, table):
                told(f"{table.name}: {done}")
            rows[table.name] = int(reading.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0])  # noqa: S608
        with target.transaction() as connection:
            _end(reading, connection, identity, rows)
    return rows


def _begin(target: PostgresDatabase, identity: str) -> None:
    with target.transaction() as connection:
        found = connection.execute("SELECT value FROM meta WHERE name = %s", (MOVING,)).fetchone()
        if found is not None and found[0] == identity:
            return
        own = connection.execute("SELECT value FROM meta WHERE name = 'store_id'").fetchone()
        if own is not None and own[0] == identity:
            raise StoreError(f"PostgreSQL at {target.place} has this ledger already; start the gateways with it")
        for table in ("chains", "keys", "audit", "imported", "outcomes"):
            if connection.execute(f"SELECT 1 FROM {table} LIMIT 1".encode()).fetchone() is not None:  # noqa: S608
                raise StoreError(
                    f"PostgreSQL at {target.place} has a ledger of its own (rows in {table}), and two cannot be made "
                    "one. Move into an empty database"
                )
        connection.execute("INSERT INTO meta (name, value) VALUES (%s, %s)", (MOVING, identity))


def _copy(reading: sqlite3.Connection, target: PostgresDatabase, table: Table) -> Iterator[int]:
    """How many rows are there after each step."""
    quoted = ", ".join(f'"{column}"' for column in table.columns)
    key = ", ".join(f'"{column}"' for column in table.key)
    last, done = _last(target, table, key)
    places = ", ".join("?" * len(table.key))
    beyond = "" if last is None else f"WHERE ({key}) > ({places})"
    rows = reading.execute(f'SELECT {quoted} FROM "{table.name}" {beyond} ORDER BY {key}', last or ())  # noqa: S608
    while step := rows.fetchmany(STEP_ROWS):
        copy_in = f'COPY "{table.name}" ({quoted}) FROM STDIN'.encode()
        with target.transaction() as connection, connection.cursor() as cursor, cursor.copy(copy_in) as copying:
            for row in step:
                copying.write_row([_value(name, value) for name, value in zip(table.columns, row, strict=True)])
        done += len(step)
        yield done


def _last(target: PostgresDatabase, table: Table, key: str) -> tuple[tuple[object, ...] | None, int]:
    """The last row of the table that is there, and how many are."""
    down = ", ".join(f'"{column}" DESC' for column in table.key)
    with target.reading() as connection:
        sql = f'SELECT {key} FROM "{table.name}" ORDER BY {down} LIMIT 1'  # noqa: S608
        last = connection.execute(sql.encode()).fetchone()
        counted = connection.execute(f'SELECT count(*) FROM "{table.name}"'.encode()).fetchone()  # noqa: S608
    return last, 0 if counted is None else int(counted[0])


def _value(column: str, value: object) -> object:
    if column in _BYTES and isinstance(value, str):
        return value.encode()  # SQLite keeps what it was given
    return text_of(value)


def _end(reading: sqlite3.Connection, connection: BoundedConnection, identity: str, rows: dict[str, int]) -> None:
    """Everything is there: the same number of rows, the next numbers, the settings, and its identity."""
    for table in TABLES:
        found = connection.execute(f'SELECT count(*) FROM "{table.name}"'.encode()).fetchone()  # noqa: S608
        if found is None or found[0] != rows[table.name]:
            raise StoreError(
                f"{table.name} has {found and found[0]} rows there and {rows[table.name]} here; move again"
            )
        if table.counted:
            (column,) = table.key
            sql = (
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column}'), "  # noqa: S608
                f"coalesce(max({column}), 0) + 1, false) FROM {table.name}"
            )
            connection.execute(sql.encode())
    settings = reading.execute("SELECT name, value FROM meta").fetchall()
    for name, value in settings:
        connection.execute(
            "INSERT INTO meta (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, text_of(value)),
        )
    connection.execute("DELETE FROM meta WHERE name = %s AND value = %s", (MOVING, identity))
