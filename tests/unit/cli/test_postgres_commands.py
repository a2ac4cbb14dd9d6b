"""Every command that reads or writes the ledger, on PostgreSQL."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Bookkeeper

from bascule.cli.period import now_ms
from bascule.compose import open_store, read_document
from bascule.config.sources import Secrets


@pytest.fixture
def shared(place: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, its configuration naming the database by a variable."""
    monkeypatch.setenv("SHARED_DATABASE", postgres_url)
    file = place / "bascule.yaml"
    file.write_text(file.read_text() + "database: env:SHARED_DATABASE\n")
    return place


@pytest.fixture
def books(shared: Path, postgres_url: str) -> Iterator[Bookkeeper]:
    document = read_document(None, {})
    store = open_store(shared / "data", document.config, Secrets({"SHARED_DATABASE": postgres_url}))
    book = Bookkeeper(store)
    yield book
    book.journal.close(remove=True)
    store.database.close()


def test_keys_budgets_and_their_trail(run: Any, shared: Path) -> None:
    secret = run("keys", "create", "app", "--team", "web", "--json").json["secret"]
    assert secret.startswith("bsk-")
    assert run("budgets", "set", "team:web", "--limit-usd", "10", "--window", "day").code == 0
    assert [key["name"] for key in run("keys", "list", "--json").json] == ["ci", "app"]
    assert run("keys", "revoke", "app").code == 0
    assert [entry["action"] for entry in run("audit", "list", "--json").json] == [
        "key.create", "budget.set", "key.revoke",
    ]  # fmt: skip
    assert run("audit", "verify", "--json").json["holds"]
    assert not (shared / "data" / "ledger.sqlite3").exists()


def test_the_ledger_is_exported_corrected_verified_and_reported(run: Any, books: Bookkeeper) -> None:
    attempt = books.attempt(start=now_ms() - 7_200_000, cost=140_000, session_id="session-1")
    open_one = books.attempt(start=now_ms(), end=None)
    books.drain()
    rows = [json.loads(line) for line in run("ledger", "export").out.splitlines()]
    assert {row["attempt_id"]: row["kind"] for row in rows} == {attempt: "settle", open_one: "intent"}
    adjusted = run("ledger", "adjust", attempt, "--delta-usd", "0.5", "--reason", "an invoice")
    assert adjusted.code == 0, adjusted.err
    verdict = run("ledger", "verify", "--json").json
    assert (verdict["holds"], verdict["attempts"]) == (True, 2)
    report = run("report", "--json")
    assert report.code == 0, report.err
    (after,) = [json.loads(line) for line in run("ledger", "export").out.splitlines() if attempt in line]
    assert after["adjusted_nanousd"] == 500_000_000
    assert run("ledger", "compact").code == 0
    assert run("report", "--json").json["total"] == report.json["total"]


def test_outcomes_and_imports(run: Any, shared: Path, books: Bookkeeper) -> None:
    books.attempt(session_id="session-1")
    books.drain()
    assert run("outcome", "session-1", "merged").code == 0
    assert run("outcomes", "--json").code == 0
    line = {"attempt_id": "x1", "ts_start": "2026-11-20T12:00:00Z", "model": "small", "tokens_in": 10, "tokens_out": 5}
    (shared / "rows.jsonl").write_text(json.dumps(line) + "\n")
    done = run("import", "jsonl", "rows.jsonl", "--json")
    assert done.code == 0, done.err
    assert run("report", "--since", "2026-11-01", "--json").json["total"]["requests"] == 2


def test_doctor_says_what_it_found(run: Any, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def database() -> dict[str, str]:
        (found,) = [one for one in run("doctor", "--json").json["checks"] if one["name"] == "database"]
        return found

    assert database()["status"] == "ok"
    assert "schema version" in database()["what"]
    monkeypatch.setenv("SHARED_DATABASE", "postgresql://u:secret-of-mine@127.0.0.1:1/x")
    assert database()["status"] == "fail"
    assert "See whether it runs" in database()["what"]
    assert "secret-of-mine" not in str(database())
    monkeypatch.delenv("SHARED_DATABASE")
    assert "SHARED_DATABASE is not set" in database()["what"]


def test_a_file_can_be_checked_while_its_database_is_away(
    run: Any, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARED_DATABASE", "postgresql://u@127.0.0.1:1/x")
    found = run("check")
    assert found.code == 0
    assert "127.0.0.1:1" in found.err
