"""Workers that open one database file together."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bascule.model.errors import StoreError
from bascule.storage.sqlite import connect
from bascule.storage.sqlite.connect import Database


@contextmanager
def written_by_another(path: Path) -> Iterator[sqlite3.Connection]:
    """Between BEGIN and COMMIT of another's first write to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE first (x)")
        yield other


def test_a_switch_to_the_write_ahead_log_waits_for_the_other_who_writes(tmp_path):
    database = Database(tmp_path / "new.sqlite3", "process")
    pauses: list[float] = []
    with written_by_another(database.path) as other:

        def pause(for_s: float) -> None:
            pauses.append(for_s)
            if len(pauses) == 3:
                other.execute("COMMIT")

        database.use_write_ahead_log(pause)
    assert len(pauses) == 3
    assert database.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_it_waits_no_longer_than_for_any_other_lock(tmp_path):
    database = Database(tmp_path / "new.sqlite3", "process")
    pauses: list[float] = []
    with (
        written_by_another(database.path),
        pytest.raises(StoreError, match=r"locked.*Another process holds it"),
    ):
        database.use_write_ahead_log(pauses.append)
    assert sum(pauses) == pytest.approx(connect.BUSY_TIMEOUT_S)
    database.close()


def test_where_no_write_ahead_log_can_be_it_says_so(tmp_path, monkeypatch):
    database = Database(tmp_path / "new.sqlite3", "process")
    monkeypatch.setattr(database, "connection", sqlite3.connect(":memory:"))
    with pytest.raises(StoreError, match=r"stays in mode memory.*Move data_dir"):
        database.use_write_ahead_log()
