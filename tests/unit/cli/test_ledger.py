import csv
import io
import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bascule.compose import open_store
from bascule.config.shape import Config
from bascule.decide.window import window_id
from bascule.model.entry import HeldScope
from bascule.model.money import Rates
from bascule.model.usage import Usage
from bascule.offline.rows import ATTEMPT_COLUMNS, REQUEST_COLUMNS
from bascule.testing.ledger import NOON_MS, an_import

EXACT = {"usage": Usage(tokens_in=10, tokens_out=0, source="reported"), "cost": 1_000,
         "settlement": {"rates": Rates(input=100_000, output=400_000)}}  # fmt: skip


def test_export_reads_store_and_tail(run: Any, book: Any, place: Path) -> None:
    book.attempt(request="req_a", no=1, cost=1)
    book.drain()
    book.attempt(request="req_a", no=2, role="retry", cost=2)
    book.attempt(request="req_b", model="big", cost=4)
    rows = [json.loads(line) for line in run("ledger", "export").out.splitlines()]
    assert [row["attempt_id"] for row in rows] == ["att_a.1", "att_a.2", "att_b.1"]
    assert list(rows[0]) == list(ATTEMPT_COLUMNS)
    requests = [json.loads(line) for line in run("ledger", "export", "--rows", "requests").out.splitlines()]
    assert [(row["request_id"], row["attempts"], row["cost_nanousd"]) for row in requests] == [
        ("req_a", 2, 3), ("req_b", 1, 4),
    ]  # fmt: skip
    assert list(requests[0]) == list(REQUEST_COLUMNS)
    for kind, count in (("attempts", 2), ("requests", 1)):
        found = run("ledger", "export", "--rows", kind, "--request", "req_a").out.splitlines()
        assert [json.loads(line)["request_id"] for line in found] == ["req_a"] * count
    written = run("ledger", "export", "--format", "csv", "--model", "big", "--out", "rows.csv")
    assert written.out == ""
    (row,) = csv.DictReader(io.StringIO((place / "rows.csv").read_text()))
    assert row["cost_usd"] == "0.000000004"
    assert run("ledger", "export", "--since", "2026-11-22").out == ""
    assert run("ledger", "export", "--format", "parquet", "--out", "rows.csv").code == 1
    assert (place / "rows.csv").read_text()
    assert run("ledger", "export", "--out", "missing/rows").code == 1


def test_verify(run: Any, book: Any, place: Path) -> None:
    book.attempt(**EXACT)
    book.attempt(**EXACT)
    book.drain()
    sound = run("ledger", "verify", "--json")
    assert sound.code == 0
    assert (sound.json["holds"], sound.json["attempts"], sound.json["findings"]) == (True, 2, [])
    with sqlite3.connect(place / "data" / "ledger.sqlite3") as database:
        database.execute("UPDATE attempts SET cost_nanousd = 1 WHERE attempt_id = 'att_0002.1'")
    broken = run("ledger", "verify")
    assert broken.code == 1
    assert "att_0002.1" in broken.err
    assert run("ledger", "verify", "--json").json["holds"] is False


def test_adjust_adds_a_line(run: Any, book: Any, place: Path) -> None:
    attempt_id = book.attempt(**EXACT)
    unpriced = book.attempt(cost=None, settlement={"rates": None})
    open_one = book.attempt(end=None)
    book.drain()
    made = run("ledger", "adjust", attempt_id, "--delta-usd", "-0.0000005", "--reason", "invoice", "--json")
    assert made.code == 0, made.err
    assert set(made.json) == {"adjustment_id", "attempt_id", "delta_usd", "cost_usd", "reason", "by"}
    assert made.json["cost_usd"] == "0.000000500"
    run("ledger", "adjust", unpriced, "--delta-usd", "2", "--reason", "invoice")
    rows = {row["attempt_id"]: row for row in map(json.loads, run("ledger", "export").out.splitlines())}
    assert (rows[attempt_id]["cost_nanousd"], rows[attempt_id]["adjusted_nanousd"]) == (500, -500)
    assert rows[unpriced]["cost_nanousd"] == 2_000_000_000
    assert run("ledger", "verify").code == 0
    assert run("report", "--json").json["total"]["cost_usd"] == "2.000000500"
    assert not list((place / "data" / "journal").glob("command-*"))
    entry, second = book.store.governance.audit()
    assert (entry.action, entry.target, entry.by, second.target) == (
        "ledger.adjust", attempt_id, made.json["by"], unpriced,
    )  # fmt: skip
    detail = {"adjustment_id": made.json["adjustment_id"], "delta_nanousd": -500, "reason": "invoice"}
    assert entry.detail == detail
    assert run("ledger", "adjust", open_one, "--delta-usd", "1", "--reason", "x").code == 1
    assert run("ledger", "adjust", "att_none", "--delta-usd", "1", "--reason", "x").code == 1


def imported(place: Path, **changes: Any) -> None:
    store = open_store(place / "data", Config())
    assert (
        store.imports.put([an_import(1, **changes), an_import(2, source="codex", request_id="r", **changes)]).new == 2
    )
    store.imports.close()
    store.database.close()


def test_what_was_imported_is_exported_and_proves_nothing(run: Any, book: Any, place: Path) -> None:
    book.attempt(**EXACT)
    book.drain()
    imported(place)
    rows = [json.loads(line) for line in run("ledger", "export").out.splitlines()]
    assert [(row["kind"], row["origin"]) for row in rows] == [
        ("settle", "gateway"), ("import", "claude-code"), ("import", "codex"),
    ]  # fmt: skip
    assert [row["charged_nanousd"] for row in rows] == [1_000, None, None]
    requests = [json.loads(line) for line in run("ledger", "export", "--rows", "requests").out.splitlines()]
    assert sorted(row["origin"] for row in requests) == ["claude-code", "codex", "gateway"]
    sound = run("ledger", "verify")
    assert (sound.code, sound.out.splitlines()[-1]) == (0, "2 imported rows are no proof and were left out")
    assert run("ledger", "verify", "--json").json["imported"] == 2
    refused = run("ledger", "adjust", "codex:msg-000002", "--delta-usd", "1", "--reason", "invoice")
    assert refused.code == 1
    assert "no attempt" in refused.err


def test_what_was_imported_touches_no_budget(run: Any, book: Any, place: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    day, month = window_id("day", now_ms), window_id("month", now_ms)
    book.attempt(**EXACT, start=now_ms, held=(HeldScope("key:ci", day), HeldScope("team:platform", month)))
    book.drain()
    before = [(budget["scope"], budget["settled_usd"]) for budget in run("budgets", "show", "--json").json]
    assert before == [("key:ci", "0.000001000"), ("team:platform", "0.000001000")]
    imported(place, key="ci", team="platform", ts_start_ms=now_ms)
    assert [(budget["scope"], budget["settled_usd"]) for budget in run("budgets", "show", "--json").json] == before


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bascule.cli.ledger.now_ms", lambda: NOON_MS + 24 * 3_600_000)


@pytest.mark.usefixtures("tomorrow")
def test_compact(run: Any, book: Any, place: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra `analytics` is not installed")
    book.attempt(**EXACT)
    book.attempt(end=None)
    book.drain()
    imported(place)
    assert run("ledger", "compact", "--until", "2026-11-20", "--json").json["written"] == []
    before = run("ledger", "compact", "--until", "yesterday or so")
    assert (before.code, "--until" in before.err) == (2, True)
    done = run("ledger", "compact", "--json")
    assert done.code == 0, done.err
    assert [(one["origin"], one["day"], one["rows"]) for one in done.json["written"]] == [
        ("claude-code", "2026-11-21", 1), ("codex", "2026-11-21", 1),
    ]  # fmt: skip
    assert all((place / "data" / "segments" / one["file"]).stat().st_size for one in done.json["written"])
    assert done.json["open_hours"] == ["2026-11-21T12:00:00Z"]
    again = run("ledger", "compact")
    assert again.out.startswith("0 rows in 0 new files")
    assert again.out.rstrip().endswith("2 unchanged")
    assert "1 hours wait" in again.err


@pytest.mark.usefixtures("tomorrow")
def test_without_duckdb_compact_says_what_to_install(
    run: Any, book: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(place)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    refused = run("ledger", "compact")
    assert refused.code == 2
    assert "pip install 'bascule[analytics]'" in refused.err


def test_wrong_use(run: Any, book: Any) -> None:
    attempt_id = book.attempt()
    assert run("ledger", "adjust", attempt_id, "--delta-usd", "1").code == 2
    assert run("ledger", "adjust", attempt_id, "--delta-usd", "1", "--reason", " ").code == 2
    assert run("ledger", "adjust", attempt_id, "--delta-usd", "0", "--reason", "x").code == 2
    assert run("ledger", "adjust", attempt_id, "--delta-usd", "x", "--reason", "x").code == 2
    assert run("ledger", "export", "--rows", "lines").code == 2
    assert run("ledger", "export", "--until", "x").code == 2
