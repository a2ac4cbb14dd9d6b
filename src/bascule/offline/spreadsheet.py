"""Cells of CSV, which people open in spreadsheets. Names in them come from clients."""

from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_cell(value: Any) -> Any:
    """`value`, behind an apostrophe where a spreadsheet would take its text for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return "'" + value
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
