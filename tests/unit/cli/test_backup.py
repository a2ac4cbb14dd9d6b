"""`bascule backup`, as its user sees it."""

from pathlib import Path
from typing import Any

import pytest


def test_an_archive_is_made_verified_and_put_back(run: Any, place: Path) -> None:
    run("keys", "create", "one")
    done = run("backup", "create", "--out", "a.tar.gz")
    assert done.code == 0, done.err
    assert f"of {(place / 'data').absolute()}" in done.out
    assert "all of it holds" in run("backup", "verify", "a.tar.gz").out
    assert run("backup", "restore", "a.tar.gz", "--to", "back").code == 0
    assert (place / "back" / "pepper").read_bytes() == (place / "data" / "pepper").read_bytes()


@pytest.mark.parametrize("shared", [False, True])
def test_a_directory_that_no_gateway_served_from_is_no_backup(run: Any, place: Path, shared: bool) -> None:
    """A stray one, as segments, prices or a command without -c leave it behind."""
    stray = place / ".bascule"
    stray.mkdir()
    (stray / "prices.json").write_text("{}")
    database = "database: postgresql://ann@db.example.com/bascule\n" if shared else ""
    (place / "other.yaml").write_text(database + "data_dir: .bascule\nproviders: {ollama: {}}\n")
    done = run("backup", "create", "-c", "other.yaml", "--out", "a.tar.gz")
    assert done.code == 1
    assert str(stray) in done.err
    assert ("replica" if shared else "ledger.sqlite3") in done.err
    assert "with -c" in done.err
    assert not (place / "a.tar.gz").exists()


def test_a_replicas_archive_says_that_the_ledger_is_elsewhere(run: Any, place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "replica").write_text("r0123456789ab\n")
    (place / "data" / "audit.anchor").write_text("4:" + "ab" * 32 + "\n")
    config = place / "bascule.yaml"
    config.write_text(config.read_text() + "database: postgresql://ann@db.example.com/bascule\n")
    done = run("backup", "create", "--out", "a.tar.gz")
    assert done.code == 0, done.err
    assert "pg_dump" in done.err
    verified = run("backup", "verify", "a.tar.gz")
    assert verified.code == 0, verified.err
    assert "in PostgreSQL" in verified.out
    assert "all of it holds" not in verified.out, "what is not in the archive was not looked at"
    assert run("backup", "verify", "a.tar.gz", "--json").json["holds"] is None
