"""Ledger rows to a stream: JSON Lines or CSV, one row at a time, however many there are."""

import csv
from collections.abc import Iterable, Sequence
from typing import IO, Any, Literal

import msgspec

from bascule.model.errors import BasculeError
from bascule.offline.rows import Document
from bascule.offline.spreadsheet import as_cell

Format = Literal["jsonl", "csv", "parquet"]


def export(rows: Iterable[Document], columns: Sequence[str], form: Format, out: IO[str]) -> int:
    """Write the rows and say how many there were. `out` is text, opened with newline="".

    In CSV the first line names the columns, an absent value is empty, true and false are words, objects and lists are
    JSON text, and text that a spreadsheet would take for a formula is behind an apostrophe. Raises BasculeError for
    `parquet`, which this release does not write.
    """
    if form == "parquet":
        raise BasculeError(
            "this release does not write Parquet; export jsonl and let DuckDB convert it: "
            "duckdb -c \"COPY (FROM 'rows.jsonl') TO 'rows.parquet'\""
        )
    return _jsonl(rows, out) if form == "jsonl" else _csv(rows, columns, out)


def _jsonl(rows: Iterable[Document], out: IO[str]) -> int:
    encode = msgspec.json.Encoder().encode
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007  the count is what is returned
        out.write(encode(row).decode())
        out.write("\n")
    return count


def _csv(rows: Iterable[Document], columns: Sequence[str], out: IO[str]) -> int:
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        writer.writerow([_cell(row[name]) for name in columns])
    return count


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return as_cell(value)
