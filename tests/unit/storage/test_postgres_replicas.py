"""Several replicas on one PostgreSQL: nothing is lost, forked or seen twice, and odd text is no poison."""

import threading
from collections.abc import Callable
from pathlib import Path

from bascule.model.row import EVERY_ROW
from bascule.offline.verify import verify_audit
from bascule.storage.drainer import Drainer
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.postgres.connect import PostgresDatabase, PostgresLimits
from bascule.storage.postgres.governance import PostgresGovernance
from bascule.storage.postgres.imports import PostgresImports
from bascule.storage.postgres.ledger import PostgresLedger
from bascule.storage.recover import recover
from bascule.storage.replica import replica_of
from bascule.testing.ledger import NOON_MS, a_settlement, an_adjustment, an_import, an_intent, chained

REPLICAS = 3


def at_once(work: Callable[[int], None]) -> None:
    failed: list[Exception] = []

    def run(number: int) -> None:
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 - told below, in the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(REPLICAS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_replicas_that_audit_at_once_make_one_trail(postgres_url, tmp_path: Path):
    def work(number: int) -> None:
        database = PostgresDatabase(postgres_url)
        governance = PostgresGovernance(database, tmp_path / f"anchor-{number}")
        for turn in range(20):
            governance.record(ts_ms=turn, by=f"r{number}", action="config.reload", target="x", detail={})
        database.close()

    at_once(work)
    database = PostgresDatabase(postgres_url)
    for number in range(REPLICAS):
        governance = PostgresGovernance(database, tmp_path / f"anchor-{number}")
        trail = list(governance.audit())
        assert [entry.seq for entry in trail] == list(range(1, 20 * REPLICAS + 1))
        assert verify_audit(trail, governance.audit_head()).findings == ()
        assert governance.revision() == 20 * REPLICAS
    database.close()


def test_replicas_that_drain_at_once_into_the_same_hours(postgres_url):
    def work(number: int) -> None:
        database = PostgresDatabase(postgres_url)
        ledger = PostgresLedger(database)
        names = range(number * 1000, number * 1000 + 200)
        lines = chained(
            f"r{number}-0-a",
            [line for name in names for line in (an_intent(name), a_settlement(name), an_adjustment(name))],
        )
        for start in range(0, len(lines), 30):
            ledger.append(f"r{number}-0-a", lines[start : start + 30])
            ledger.append(f"r{number}-0-a", lines[max(0, start - 7) : start + 10])  # as after a lost answer
        database.close()

    at_once(work)
    database = PostgresDatabase(postgres_url)
    with PostgresLedger(database).snapshot() as snapshot:
        found = list(snapshot.attempts(EVERY_ROW))
        assert len({row.attempt_id for row in found}) == len(found) == 200 * REPLICAS
        assert {(row.kind, row.cost_nanousd) for row in found} == {("settle", 27_005)}
        assert snapshot.strays() == []
    database.close()


def test_importers_at_once(postgres_url):
    def work(number: int) -> None:
        database = PostgresDatabase(postgres_url)
        PostgresImports(database).put([an_import(each, quality=20 + number) for each in range(300)])
        database.close()

    at_once(work)
    database = PostgresDatabase(postgres_url)
    with PostgresLedger(database).snapshot() as snapshot:
        assert len(list(snapshot.imported(EVERY_ROW))) == 300
    database.close()


def test_a_long_answer_comes_in_pages_and_may_be_left(postgres_url):
    database = PostgresDatabase(postgres_url, PostgresLimits(max_connections=1))
    ledger = PostgresLedger(database)
    ledger.append("r-0-a", chained("r-0-a", [an_intent(number) for number in range(4_500)]))
    with ledger.snapshot() as snapshot:
        rows = snapshot.attempts(EVERY_ROW)
        first = next(rows)
        assert snapshot.known_attempts([first.attempt_id]) == {first.attempt_id}
        assert sum(1 for _ in rows) == 4_499
        left = snapshot.attempts(EVERY_ROW)
        next(left)
    with ledger.snapshot() as snapshot:
        del left  # closing it must not touch the connection, which is another's by now
        assert sum(1 for _ in snapshot.attempts(EVERY_ROW)) == 4_500
    database.close()


def test_text_that_postgresql_cannot_keep_is_no_poison(postgres_url):
    database = PostgresDatabase(postgres_url)
    ledger = PostgresLedger(database)
    odd = an_intent(1, user="a\0b", tags={"feature": "x\0y"}, session_id="\0")
    ledger.append("r-0-a", chained("r-0-a", [odd, a_settlement(1)]))
    with ledger.snapshot() as snapshot:
        (row,) = snapshot.attempts(EVERY_ROW)
        assert (row.user, row.tags, row.session_id) == ("a\0b", {"feature": "x\0y"}, "\0")
    database.close()


def test_a_start_settles_what_this_replica_left_open_and_no_other_ones(postgres_url, tmp_path: Path):
    database = PostgresDatabase(postgres_url)
    ledger = PostgresLedger(database)
    here, there = replica_of(tmp_path / "here"), replica_of(tmp_path / "there")
    assert replica_of(tmp_path / "here") == here != there
    ledger.append(f"{here}-0-a", chained(f"{here}-0-a", [an_intent(1)]))
    ledger.append(f"{there}-0-a", chained(f"{there}-0-a", [an_intent(2)]))
    journals = tmp_path / "here" / "journal"
    journal = JournalWriter(journals, f"{here}-0-b")
    drainer = Drainer(journal, ledger)
    found = recover(journals, ledger, journal, drainer, NOON_MS, replica=here)
    assert found.settled == 1
    assert [one.intent.attempt_id for one in ledger.open_attempts()] == ["att-000002"]
    assert drainer.close()
    database.close()
