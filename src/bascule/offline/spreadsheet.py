"""Cells of CSV, which people open in spreadsheets. Names in them come from clients."""

from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_cell(value: Any) -> Any:
    """`value`, behind an apostrophe where a spreadsheet would take its text for a formula.

    A carriage return alone is not quoted by `csv` and would begin a row: every end of a line is made a line feed.
    """
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    return "'" + value if value.startswith(_FORMULA) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
