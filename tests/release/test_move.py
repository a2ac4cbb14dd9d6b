"""Data of every release moves from SQLite into PostgreSQL, and reads there as it read here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.release.test_upgrade import RELEASES

from bascule.compose import open_store
from bascule.config.load import load_file
from bascule.model.errors import StoreError
from bascule.model.policy import Budget
from bascule.offline.rows import documents
from bascule.offline.verify import verify_ledger
from bascule.storage.keys import KeyRing, open_pepper
from bascule.storage.postgres import move as moving
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.open import open_postgres
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.imports import SqliteImports
from bascule.testing.ledger import NOON_MS, an_import

LEFT_OUT = {"meta", "schema_versions"}
"""Taken over one by one, and the target's own."""


@pytest.fixture(params=RELEASES, ids=lambda path: path.name)
def release(request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str) -> Path:
    copy = tmp_path / "release"
    shutil.copytree(request.param, copy)
    (copy / "data" / "pepper").chmod(0o600)
    (copy / "bascule.yaml").write_text(f"data_dir: data\ndatabase: {postgres_url}\n")
    return copy


def run(release: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bascule", *arguments, "-c", str(release / "bascule.yaml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_every_table_is_moved(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    named = {name for (name,) in database.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert named - LEFT_OUT == {table.name for table in moving.TABLES}
    for table in moving.TABLES:
        info = database.connection.execute(f'PRAGMA table_info("{table.name}")')
        assert sorted(name for _, name, *_ in info) == sorted(table.columns), table.name
    database.close()


def test_a_release_moves_whole(release: Path) -> None:
    database = open_database(release / "data")
    imports = SqliteImports(database)
    imports.put([an_import(number) for number in range(50)])
    imports.close()
    database.close()
    done = run(release, "ledger", "move", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    store = open_store(release / "data", load_file(release / "bascule.yaml").config)
    old = {row["attempt_id"]: row for row in json.loads((release / "rows.json").read_text())}
    new = {row["attempt_id"]: json.loads(json.dumps(row)) for row in documents(store.view, "attempts")}
    assert len(new) == rows["attempts"] + rows["imported"] == len(old) + 50
    differing = {
        attempt_id
        for attempt_id, row in old.items()
        if {name: new[attempt_id].get(name) for name in row if name not in ("held",)}
        != {name: value for name, value in row.items() if name not in ("held",)}
    }
    assert differing == {row["attempt_id"] for row in old.values() if row["kind"] == "intent"}, "settled at their hold"
    assert verify_ledger(store.view).holds
    ring = KeyRing(open_pepper(store.data_dir), store.governance, shared=True)
    assert ring.lookup((release / "key-of-a-fixture.txt").read_bytes()) is not None
    budget = Budget(scope="key:ci", limit_nanousd=0, window="day")
    assert store.ledger.spent([budget], NOON_MS)[("key:ci", "2026-11-21")].held_nanousd == 0
    more = store.imports.put([an_import(number) for number in range(60)])
    assert (more.new, more.same) == (10, 50)
    store.database.close()
    again = run(release, "ledger", "move")
    assert again.returncode == 1
    assert "has this ledger already" in again.stderr


def test_a_move_that_breaks_off_goes_on(release: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "STEP_ROWS", 7)
    source, target = open_database(release / "data"), PostgresDatabase(postgres_url)

    class BrokenOff(Exception):
        pass

    for limit in (3, 5, 8):
        steps: list[str] = []

        def break_off(step: str, steps: list[str] = steps, limit: int = limit) -> None:
            steps.append(step)
            if len(steps) == limit:
                raise BrokenOff

        with pytest.raises(BrokenOff):
            moving.move(source, target, break_off)
        with pytest.raises(StoreError, match="ledger move"):
            open_postgres(postgres_url, target.limits, release / "data")
    rows = moving.move(source, target, print)
    here = source.connection
    with target.reading() as connection:
        for table in ("lines", "attempts", "audit"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (rows[table],)
        links = "SELECT line_no, chain FROM lines ORDER BY line_no"
        assert connection.execute(links).fetchall() == here.execute(links).fetchall()
    source.close()
    target.close()


def test_two_ledgers_are_not_made_one(release: Path, tmp_path: Path) -> None:
    assert run(release, "ledger", "move").returncode == 0
    other = tmp_path / "other"
    open_database(other / "data").close()
    shutil.copy(release / "bascule.yaml", other)
    done = run(other, "ledger", "move")
    assert done.returncode == 1
    assert "ledger of its own" in done.stderr
