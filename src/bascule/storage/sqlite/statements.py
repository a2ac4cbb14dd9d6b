"""The statements of this store, and those that take many rows."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from bascule.storage.named_sql import named_sql


def statements(file_name: str) -> dict[str, str]:
    """The statements of one of the `.sql` files beside this one, by name."""
    return named_sql(__package__, file_name)


def with_rows(sql: str, columns: int, rows: int) -> str:
    """The statement with its `:rows` replaced by `rows` tuples of `columns` placeholders.

    One statement for many rows: the database then works through all of them without coming back to Python, and so
    without fighting the event loop for the interpreter lock at every row.
    """
    one = "(" + ",".join("?" * columns) + ")"
    return sql.replace(":rows", ",".join([one] * rows))


_SIZES = (1_000, 100, 10, 1)
"""Rows per statement: few sizes, so that each is prepared once and kept."""


def insert_all(connection: sqlite3.Connection, sql: str, columns: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement with `:rows` over all rows, many at a time."""
    start = 0
    for size in _SIZES:
        text = with_rows(sql, columns, size)
        while len(rows) - start >= size:
            connection.execute(text, [value for row in rows[start : start + size] for value in row])
            start += size
