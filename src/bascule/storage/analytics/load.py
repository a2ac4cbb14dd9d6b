"""Rows into the table `attempts`, and the table into a Parquet segment.

Rows go through a temporary file of JSON Lines, which DuckDB reads with all of its threads: inserting them one by one
takes a hundred times as long.
"""

import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from bascule.model.row import AttemptRow
from bascule.storage.analytics.connect import connect
from bascule.storage.analytics.schema import STAGED, derive_sql, quoted, statements, sums_sql, table_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH_ROWS = 50_000
"""What is held in memory and on disk at a time, about a kilobyte each."""

_encoder = msgspec.json.Encoder()


def create_table(connection: "DuckDBPyConnection", table: str = "attempts") -> None:
    """An empty table of attempts."""
    connection.execute(table_sql(table))


def load_rows(
    connection: "DuckDBPyConnection", rows: Iterable[AttemptRow], temporary: Path, table: str = "attempts"
) -> int:
    """Add rows, in any order; returns how many. `temporary` is a folder that exists.

    Rows of one request may come apart: then they are found together when they are reported.
    """
    path = temporary / f"{table}.jsonl"
    source = f"read_json({_literal(path)}, format = 'newline_delimited', columns = {_columns()})"
    statement = f"INSERT INTO {quoted(table)} {derive_sql(source)}"
    found, count = iter(rows), 0
    while batch := list(islice(found, BATCH_ROWS)):
        path.write_bytes(_encoder.encode_lines(batch))
        try:
            connection.execute(statement)
        finally:
            path.unlink()
        count += len(batch)
    return count


class Written(Struct, frozen=True):
    """What is in a segment."""

    rows: int
    empty: tuple[str, ...] = ()
    """Columns without a value."""


def write_segment(rows: Iterable[AttemptRow], path: Path) -> Written:
    """Write rows as one Parquet file, and their sums as another beside it. Raises AnalyticsMissing, OSError.

    Without rows no file is made.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".segment-") as folder:
        temporary = Path(folder)
        with connect(temporary) as connection:
            create_table(connection)
            count = load_rows(connection, rows, temporary)
            if not count:
                return Written(0)
            made = temporary / "made.parquet"
            written = copy_to_parquet(connection, "attempts", made)
            sums_path(made).replace(sums_path(path))
            made.replace(path)
    return written


def copy_to_parquet(connection: "DuckDBPyConnection", table: str, path: Path) -> Written:
    """All rows of a table of attempts, in the order in which reports read them best, and their sums beside them."""
    text = statements("copy")
    connection.execute(text["rows"].format(table=quoted(table), path=_literal(path)))
    sums = sums_sql(quoted(table))
    connection.execute(text["sums"].format(sums=sums, path=_literal(sums_path(path))))
    ((rows,),) = connection.execute(text["count"].format(table=quoted(table))).fetchall()
    empty = connection.execute(text["empty_columns"].format(path=_literal(path))).fetchall()
    return Written(rows, tuple([name for (name,) in empty]))


def sums_path(path: Path) -> Path:
    """Where the sums of a segment lie."""
    return path.with_suffix(".sums.parquet")


def _columns() -> str:
    return "{" + ", ".join([f"{quoted(name)}: '{kind}'" for name, kind in STAGED.items()]) + "}"


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
