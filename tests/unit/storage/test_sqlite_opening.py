"""Workers that open one database file together."""

import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from bascule.model.errors import StoreError
from bascule.storage.sqlite import connect
from bascule.storage.sqlite.connect import Database, open_database
from bascule.storage.sqlite.leases import SqliteLeases

ROUNDS, TOGETHER = 40, 4


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


@pytest.mark.real
@pytest.mark.parametrize(
    "open_", [lambda data_dir: SqliteLeases(data_dir).shut(), lambda data_dir: open_database(data_dir).close()]
)
def test_workers_that_make_a_file_together_all_have_it(tmp_path: Path, open_: Callable[[Path], None]):
    fork = multiprocessing.get_context("fork")

    def worker(data_dir: Path, together: Barrier, said: "Queue[str]") -> None:
        together.wait()
        try:
            open_(data_dir)
            said.put("opened")
        except StoreError as error:
            said.put(str(error))

    for number in range(ROUNDS):
        data_dir = tmp_path / str(number)
        data_dir.mkdir()
        together, said = fork.Barrier(TOGETHER), fork.Queue()
        workers = [fork.Process(target=worker, args=(data_dir, together, said)) for _ in range(TOGETHER)]
        for each in workers:
            each.start()
        assert [said.get(timeout=60) for _ in workers] == ["opened"] * TOGETHER
        for each in workers:
            each.join()
