"""Promise 9 at the very start: workers that make the files of a new data directory together all come to serve."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from tests.promises.conftest import Figure

from bascule.model.errors import StoreError
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.leases import FILE_NAME as LEASES
from bascule.storage.sqlite.leases import SqliteLeases

pytestmark = pytest.mark.real

WORKERS = 4
FILES: dict[str, Callable[[Path], None]] = {
    "leases": lambda data_dir: SqliteLeases(data_dir).shut(),
    "ledger": lambda data_dir: open_database(data_dir).close(),
}


@pytest.mark.promise(9, fault="a worker opens a database file while another writes its first page", limit="it waits")
def test_a_worker_waits_for_the_first_write_of_another(tmp_path: Path, figure: Figure) -> None:
    with closing(sqlite3.connect(tmp_path / LEASES, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE first (x)")
        over = threading.Timer(0.3, other.execute, ["COMMIT"])
        over.start()
        FILES["leases"](tmp_path)
        over.join()
    figure("locked out", 0)


@pytest.mark.promise(9, fault="4 workers make one database file together", limit="none is locked out")
@pytest.mark.parametrize("file", FILES)
def test_workers_that_start_together_all_start(tmp_path: Path, figure: Figure, full: bool, file: str) -> None:
    fork = multiprocessing.get_context("fork")

    def worker(data_dir: Path, together: Barrier, said: "Queue[str]") -> None:
        together.wait()
        try:
            FILES[file](data_dir)
            said.put("")
        except StoreError as error:
            said.put(str(error))

    found: list[str] = []
    rounds = 400 if full else 40
    for number in range(rounds):
        data_dir = tmp_path / str(number)
        data_dir.mkdir()
        together, said = fork.Barrier(WORKERS), fork.Queue()
        workers = [fork.Process(target=worker, args=(data_dir, together, said)) for _ in range(WORKERS)]
        for each in workers:
            each.start()
        found += [said.get(timeout=60) for _ in workers]
        for each in workers:
            each.join()
    figure("starts", len(found))
    figure("locked out", sum(map(bool, found)))
    assert not [one for one in found if one]
