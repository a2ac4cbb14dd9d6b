"""The database file itself: migrations, damage, locks, and what people with an SQL prompt see."""

import sqlite3
from pathlib import Path

import pytest

from bascule.model.chain import KIND_OF
from bascule.model.errors import StoreError
from bascule.model.policy import Budget
from bascule.model.row import EVERY_ROW
from bascule.ports import Holder, Spent
from bascule.storage.projection import intent_columns
from bascule.storage.sqlite import connect
from bascule.storage.sqlite.connect import FILE_NAME, Database, migrate, migrations, open_database, schema_version
from bascule.storage.sqlite.governance import SqliteGovernance
from bascule.storage.sqlite.leases import SqliteLeases, forget_leases
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.storage.sqlite.statements import statements, with_rows
from bascule.testing.ledger import NOON_MS, a_settlement, an_adjustment, an_intent, chained


def filled(database: Database) -> SqliteLedger:
    store = SqliteLedger(database)
    store.append("r-0-a", chained("r-0-a", [an_intent(1), a_settlement(1), an_intent(2), an_adjustment(1)]))
    return store


def test_migrations_are_numbered_without_a_gap():
    assert [number for number, _, _ in migrations()] == list(range(1, len(migrations()) + 1))


def filled_by_version_1(database: Database) -> None:
    """What `filled` writes, in the statements of that time."""
    with database.transaction() as connection:
        connection.execute("INSERT INTO chains VALUES (1, 'r-0-a', 4, 'link')")
        for line in chained("r-0-a", [an_intent(1), a_settlement(1), an_intent(2), an_adjustment(1)]):
            values = ((1 << 40) + line.seq, KIND_OF[type(line.line)], line.line.attempt_id, line.body, line.chain)
            connection.execute("INSERT INTO lines (line_no, kind, attempt_id, body, chain) VALUES (?,?,?,?,?)", values)
        for intent, settled in ((an_intent(1), (1 + (1 << 40) + 1, 27_000)), (an_intent(2), (None, None))):
            number = int(intent.attempt_id[-1]) * 2 - 1
            values = ((1 << 40) + number, *intent_columns(intent), *settled)
            connection.execute(
                "INSERT INTO attempts (intent_line, attempt_id, request_id, ts_start_ms, session_id, key, org, team,"
                " project, user, model, hold_nanousd, tags, held, settle_line, cost_nanousd)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                values,
            )
        adjusted = an_adjustment(1)
        connection.execute(
            "INSERT INTO adjustments VALUES (?,?,?,5,'invoice','ann')",
            (adjusted.adjustment_id, adjusted.attempt_id, adjusted.ts_ms),
        )


def test_a_database_of_version_1_is_brought_up_to_date_with_its_rows(tmp_path):
    (tmp_path / "other").mkdir()
    fresh = open_database(tmp_path / "other")
    with filled(fresh).snapshot() as snapshot:
        rows = list(snapshot.attempts(EVERY_ROW))
    fresh.close()
    old = Database(tmp_path / FILE_NAME, "process")
    migrate(old, up_to=1)
    assert schema_version(old) == 1
    filled_by_version_1(old)
    old.close()
    with pytest.raises(StoreError, match="no such table"):
        SqliteGovernance(Database(tmp_path / FILE_NAME, "process")).keys()
    new = open_database(tmp_path)
    assert schema_version(new) == len(migrations())
    with SqliteLedger(new).snapshot() as snapshot:
        assert list(snapshot.attempts(EVERY_ROW)) == rows
        budget = Budget(scope="key:ci", limit_nanousd=0, window="day")
        assert snapshot.spent([budget], NOON_MS) == {("key:ci", "2026-11-21"): Spent(27_005, 1_000_000)}
        assert [joined.kept.charged_nanousd for joined in snapshot.joined()] == [None, None]
    assert SqliteGovernance(new).keys() == []
    new.close()


def test_a_migration_that_fails_leaves_the_version_before(tmp_path, monkeypatch):
    open_database(tmp_path).close()
    steps = migrations()
    bad = (len(steps) + 1, "9999_bad.sql", "CREATE TABLE extra (x);\nCREATE TABLE meta (y);\n")
    monkeypatch.setattr(connect, "migrations", lambda: [*steps, bad])
    with pytest.raises(StoreError, match="already exists"):
        open_database(tmp_path)
    monkeypatch.undo()
    database = open_database(tmp_path)
    assert schema_version(database) == len(steps)
    with pytest.raises(sqlite3.OperationalError):
        database.connection.execute("SELECT * FROM extra")
    database.close()


def test_a_newer_database_is_refused(tmp_path):
    database = open_database(tmp_path)
    database.connection.execute("INSERT INTO schema_versions VALUES (999, 'future')")
    database.close()
    with pytest.raises(StoreError, match=r"version 999.*Upgrade bascule"):
        open_database(tmp_path)


@pytest.mark.parametrize("content", [b"this is not a database, and long enough to have a header" * 100])
def test_a_file_that_is_no_database_is_refused_with_a_remedy(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StoreError, match=r"not a database.*restore it from a backup"):
        open_database(tmp_path)


def test_a_damaged_page_is_a_store_error(tmp_path):
    database = open_database(tmp_path)
    store = SqliteLedger(database)
    lines = [line for number in range(1, 200) for line in (an_intent(number), a_settlement(number))]
    store.append("r-0-a", chained("r-0-a", lines))
    store.make_durable()
    database.close()
    path = tmp_path / FILE_NAME
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(StoreError, match="restore it from a backup"):  # noqa: PT012
        damaged = open_database(tmp_path)
        with SqliteLedger(damaged).snapshot() as snapshot:
            list(snapshot.attempts(EVERY_ROW))


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        open_database(tmp_path / "file" / "data")


def test_a_database_that_another_holds_is_a_store_error(tmp_path, monkeypatch):
    monkeypatch.setattr(connect, "BUSY_TIMEOUT_S", 0.02)
    database, other = open_database(tmp_path), open_database(tmp_path)
    with other.transaction(), pytest.raises(StoreError, match=r"locked.*Another process holds it"):
        filled(database)
    assert filled(database).heads()["r-0-a"].seq == 4
    database.close()
    other.close()


def test_a_full_disk_is_a_store_error_and_nothing_half_written(tmp_path):
    database = open_database(tmp_path)
    store = filled(database)
    pages = database.connection.execute("PRAGMA page_count").fetchone()[0]
    database.connection.execute(f"PRAGMA max_page_count = {pages}")
    many = chained("r-0-b", [an_intent(number) for number in range(10, 500)])
    with pytest.raises(StoreError, match="Free space"):
        store.append("r-0-b", many)
    assert set(store.heads()) == {"r-0-a"}
    database.connection.execute("PRAGMA max_page_count = 100000")
    store.append("r-0-b", many)
    assert store.heads()["r-0-b"].seq == 490
    database.close()


def test_leases_that_were_removed_lend_nothing_more(tmp_path):
    """A worker that is started then makes a new file, and its authority is another."""
    leases = SqliteLeases(tmp_path)
    leases.enrol(Holder("first", "here", NOON_MS))
    forget_leases(tmp_path)
    SqliteLeases(tmp_path).shut()
    with pytest.raises(StoreError, match="removed or replaced"):
        leases.exchange(Holder("first", "here", NOON_MS), 1, [], [], NOON_MS)
    leases.shut()


def test_files_are_for_their_owner(tmp_path):
    database = open_database(tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    assert (tmp_path / "data" / FILE_NAME).stat().st_mode & 0o077 == 0
    database.close()


def test_durability_power_flushes_every_commit(tmp_path):
    process = open_database(tmp_path)
    assert process.connection.execute("PRAGMA synchronous").fetchone() == (1,)
    power = open_database(tmp_path, "power")
    assert power.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert power.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    process.close()
    power.close()


def test_the_view_for_people_says_what_rows_say(tmp_path):
    database = open_database(tmp_path)
    store = filled(database)
    found = database.connection.execute("SELECT * FROM ledger_rows ORDER BY attempt_id")
    names = [column[0] for column in found.description]
    settled, opened = (dict(zip(names, values, strict=True)) for values in found)
    with store.snapshot() as snapshot:
        first, second = snapshot.attempts(EVERY_ROW)
    plain = set(names) - {"tags", "rates", "cost_nanousd", "stream"}
    assert {name: settled[name] for name in plain} == {
        **{name: getattr(first, name) for name in plain},
        "recovered": 0,
        "saved_nanousd": 33_000,
    }
    assert (settled["cost_nanousd"], first.cost_nanousd) == (27_000, 27_005)
    assert (opened["kind"], opened["cost_nanousd"], second.kind) == ("intent", None, "intent")
    database.close()


def test_statements_have_names(tmp_path: Path):
    assert set(statements("ledger.sql")) >= {"insert_lines", "insert_attempts", "settle_attempts", "spent"}
    assert with_rows("VALUES :rows", 2, 3) == "VALUES (?,?),(?,?),(?,?)"
