"""`report --bridge` over stored rows: the causes that the months were made with, in every form."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from bascule import compose
from bascule.cli import group
from bascule.model.imported import Imported
from bascule.model.row import AttemptRow
from bascule.offline.bridge import CAUSES
from bascule.testing.months import Pair, pair, rows

MONTHS = ("2026-09", "2026-10")


def imported(found: Iterator[AttemptRow]) -> Iterator[Imported]:
    for row in found:
        named = structs.replace(row, kind="import", origin="jsonl", attempt_id=f"jsonl:{row.attempt_id}")
        yield Imported(source="jsonl", source_id=row.attempt_id, row=named, quality=30)


def stored(months: Pair, folder: Path) -> str:
    """The configuration of a ledger with both months."""
    config = folder / "bascule.yaml"
    config.write_text(f"data_dir: {folder}/data\n")
    document = compose.read_document(str(config), {})
    store = compose.open_store(compose.data_dir_of(document), document.config)
    store.imports.put(imported(rows(months.before, 2026, 9)))
    store.imports.put(imported(rows(months.after(), 2026, 10)))
    store.imports.close()
    return str(config)


def run(*words: str) -> str:
    result = CliRunner().invoke(group, ["report", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("seed", [3, 9, 14, 20])
def test_known_causes_come_out_of_the_store_again(seed: int, tmp_path: Path) -> None:
    months = pair(seed)
    config = stored(months, tmp_path)
    document = json.loads(run("--bridge", *MONTHS, "-c", config, "--json"))
    known = months.parts()
    parts = {part["cause"]: round(float(part["usd"]) * 1e9) for part in document["parts"]}
    for cause, nanousd in parts.items():
        assert nanousd == pytest.approx(known.get(cause, 0), rel=0.01, abs=1e7), (months.name, cause)
    bills = [sum(row.cost_nanousd or 0 for row in rows(world, 2026, 9)) for world in (months.before, months.after())]
    assert [document[side]["cost_usd"] for side in ("before", "after")] == [f"{bill / 1e9:.9f}" for bill in bills]
    assert sum(parts.values()) == bills[1] - bills[0]
    assert (document["before"]["users"], document["after"]["users"]) == (months.before.users, months.after().users)


def test_every_form_tells_the_same(tmp_path: Path) -> None:
    config = stored(pair(14), tmp_path)

    def asked(form: str) -> str:
        return run("--bridge", *MONTHS, "-c", config, "--format", form)

    document = json.loads(asked("json"))
    table, text = asked("table"), asked("md")
    cents = [re.findall(r"(-?\+?[\d,]+\.\d\d)(?=\s)", line)[0] for line in table.splitlines()[1:12]]
    numbers = [round(float(cell.replace(",", "")) * 100) for cell in cents]
    assert numbers[0] + sum(numbers[1:10]) == numbers[10]
    for part in document["parts"]:
        assert part["cause"].replace("_", " ") in table
        assert part["cause"].replace("_", " ") in text
    assert len(asked("csv").splitlines()) == 1 + len(document["parts"])
    page = asked("html")
    assert page.count("<svg") == 1
    assert "sessions per user" in page
    asked("svg")
    picture = tmp_path / "bridge.png"
    run("--bridge", *MONTHS, "-c", config, "--format", "png", "--out", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_span_must_be_one(tmp_path: Path) -> None:
    words = ["report", "--bridge", "2026-09", "soon", "-c", stored(pair(1), tmp_path)]
    result = CliRunner().invoke(group, words)
    assert result.exit_code == 2
    assert "'soon' is no moment" in result.output


def test_a_bill_of_which_nothing_is_known_has_no_change(tmp_path: Path) -> None:
    config = tmp_path / "bascule.yaml"
    config.write_text(f"data_dir: {tmp_path}/data\n")
    document = compose.read_document(str(config), {})
    store = compose.open_store(compose.data_dir_of(document), document.config)
    world = structs.replace(pair(1).before, unpriced=tuple(pair(1).before.rates), adjusted_nanousd=0)
    store.imports.put(imported(rows(world, 2026, 10)))
    store.imports.close()
    told = run("--bridge", *MONTHS, "-c", str(config))
    assert "Change unknown at list price." in told
    assert "Nothing is recorded for 2026-09." in told
    assert "█" not in told
    document = json.loads(run("--bridge", *MONTHS, "-c", str(config), "--json"))
    assert document["change_usd"] is None
    assert {part["cause"]: part["usd"] for part in document["parts"]} == dict.fromkeys(CAUSES)
    assert {part["share"] for part in document["parts"]} == {None}
    (waste,) = [part for part in document["parts"] if part["cause"] == "retries"]
    assert waste["after"] is None
    assert (document["before"]["attempts"], document["before"]["cost_usd"]) == (0, "0.000000000")
    assert document["after"]["attempts"] == document["after"]["unknown_costs"] > 0
    page = run("--bridge", *MONTHS, "-c", str(config), "--format", "html")
    assert "<svg" not in page
    assert "Nothing is recorded for 2026-09." in page
    drawn = CliRunner().invoke(group, ["report", "--bridge", *MONTHS, "-c", str(config), "--format", "svg"])
    assert (drawn.exit_code, drawn.stdout) == (1, "")
    # Its bill is none, which is known; of the change nothing is.
    assert re.findall(r"\b0\.00\b", told) == ["0.00"]
    back = run("--bridge", *reversed(MONTHS), "-c", str(config))
    assert "Change unknown" in back
    assert re.findall(r"\b0\.00\b", back) == ["0.00"]
    assert "<b>unknown</b><span>change, USD</span>" in run("--bridge", *MONTHS, "-c", str(config), "--format", "html")
    assert run("--bridge", "2026-07", "2026-08", "-c", str(config)) == "Nothing is recorded for 2026-07 and 2026-08.\n"
