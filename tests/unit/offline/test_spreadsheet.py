"""Cells of CSV that nobody's program takes for something else."""

import csv
import io

import pytest

from bascule.cli.render import csv_text
from bascule.offline.spreadsheet import as_cell


@pytest.mark.parametrize("text", ["a\r=1", "a\r\n=1", "\r", "\r=1", "a\nb"])
def test_no_cell_begins_a_row(text: str) -> None:
    written = csv_text([{"a": text, "b": "x"}], ["a", "b"])
    assert "\r" not in written
    rows = list(csv.reader(io.StringIO(written)))
    assert len(rows) == 2
    assert rows[1][1] == "x"


@pytest.mark.parametrize(("value", "cell"), [("=1+1", "'=1+1"), ("-1.5", "-1.5"), ("a", "a"), (3, 3), (None, None)])
def test_a_formula_is_text_and_a_number_a_number(value: object, cell: object) -> None:
    assert as_cell(value) == cell
