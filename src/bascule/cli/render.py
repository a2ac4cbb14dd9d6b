"""Tables as CSV and Markdown. Cells are text that was written elsewhere: each form escapes its own way."""

import csv
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

from bascule.cli.showing import showable
from bascule.offline.spreadsheet import as_cell


def csv_text(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows with these columns (RFC 4180); unknown is empty. What a spreadsheet would take for a formula is quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if (value := row.get(column)) is None else as_cell(value) for column in columns])
    return out.getvalue()


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [_markdown_row(columns), _markdown_row(["---"] * len(columns)), *[_markdown_row(row) for row in rows]]
    return "\n".join(lines) + "\n"


def _markdown_row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join([_markdown_cell(cell) for cell in cells]) + " |"


def _markdown_cell(value: Any) -> str:
    if value is None:
        return "-"
    text = html.escape(showable(str(value)), quote=False).replace("\\", "\\\\").replace("|", "\\|")
    return " ".join(text.split())
