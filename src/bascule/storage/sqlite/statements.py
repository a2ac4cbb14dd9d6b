"""Named SQL: each `.sql` file beside this one holds statements under `-- name: …` lines."""

import sqlite3
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

_NAME = "-- name:"


@cache
def statements(file_name: str) -> dict[str, str]:
    """The statements of one file by name. Raises ValueError where a name occurs twice or has no text."""
    text = files(__package__).joinpath(file_name).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        if line.startswith(_NAME):
            name = line.removeprefix(_NAME).strip()
            if name in found:
                raise ValueError(f"{file_name}: two statements are named {name}")
            current = found[name] = []
        elif current is not None and not line.startswith("--"):
            current.append(line)
    named = {name: "\n".join(lines).strip() for name, lines in found.items()}
    empty = [name for name, sql in named.items() if not sql]
    if empty:
        raise ValueError(f"{file_name}: no statement under {', '.join(empty)}")
    return named


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
