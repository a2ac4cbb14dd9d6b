"""Exports while the ledger is being written: every row that was acknowledged, once, whole."""

import threading
import time

import pytest

from bascule.model.row import EVERY_ROW, RowFilter
from bascule.storage.drainer import Drainer
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.memory.ledger import MemoryLedger
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.storage.view import LedgerView
from bascule.testing.ledger import NOON_MS, a_decision, a_settlement, an_adjustment, an_import, an_intent


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryLedger()
        return
    database = open_database(tmp_path)
    yield SqliteLedger(database)
    database.close()


@pytest.fixture
def journal(tmp_path):
    made = JournalWriter(tmp_path / "journal", "r-0-a")
    yield made
    made.close(remove=False)


@pytest.fixture
def view(store, tmp_path):
    return LedgerView(store, tmp_path / "journal")


def test_there_may_be_no_journal_at_all(view):
    assert list(view.attempts()) == []
    assert view.decisions("req") == []
    assert (view.filed(), view.damages()) == ({}, [])


def test_rows_are_there_before_they_are_drained(view, journal):
    journal.decision(a_decision(1))
    journal.intent(an_intent(1))
    assert [row.kind for row in view.attempts()] == ["intent"]
    journal.settle(a_settlement(1))
    journal.adjust(an_adjustment(1))
    (row,) = view.attempts()
    assert (row.kind, row.cost_nanousd, row.adjusted_nanousd) == ("settle", 27_005, 5)
    assert view.decisions("req-000001") == [a_decision(1)]
    journal.begin(a_decision(2), an_intent(2))
    assert view.decisions("req-000002") == [a_decision(2)]


@pytest.mark.parametrize("drained", range(9))
def test_it_does_not_matter_how_much_is_drained(view, journal, store, drained):
    other = JournalWriter(journal.directory, "r-1-b")
    lines = [an_intent(3), an_intent(1), a_settlement(3), an_adjustment(1), an_intent(2), a_decision(3)]
    for line in lines:
        {"Intent": journal.intent, "Settlement": journal.settle, "Decision": journal.decision}.get(
            type(line).__name__, journal.adjust
        )(line)
    journal.settle(a_settlement(1))
    other.adjust(an_adjustment(2, attempt_id="att-000003"))
    store.append("r-0-a", journal.take(drained))
    if drained % 2:
        store.append("r-1-b", other.take(1))
    rows = list(view.attempts())
    assert [(row.attempt_id[-1], row.kind, row.cost_nanousd) for row in rows] == [
        ("1", "settle", 27_005),
        ("2", "intent", None),
        ("3", "settle", 27_005),
    ]
    assert [row.attempt_id for row in view.attempts(by_request=True)] == [row.attempt_id for row in rows]
    assert len(view.decisions("req-000003")) == 1
    assert [row.attempt_id[-1] for row in view.attempts(RowFilter(since_ms=NOON_MS + 2))] == ["2", "3"]
    assert list(view.attempts(RowFilter(key="other"))) == []
    (one,) = view.attempts(RowFilter(attempt_id="att-000003"))
    assert (one.attempt_id, one.cost_nanousd) == ("att-000003", 27_005)
    other.close(remove=True)


def test_an_export_while_writing_and_draining_misses_and_doubles_nothing(tmp_path):
    database, reader = open_database(tmp_path), open_database(tmp_path)
    journal = JournalWriter(tmp_path / "journal", "r-0-a", segment_bytes=20_000)
    drainer = Drainer(journal, SqliteLedger(database), interval_s=0.001, group_lines=16)
    view = LedgerView(SqliteLedger(reader), tmp_path / "journal")
    acknowledged = 0
    stop = threading.Event()

    def work() -> None:
        nonlocal acknowledged
        number = 0
        while not stop.is_set():
            if journal.backlog > 2_000:
                time.sleep(0.001)  # the drainer has to be seen at work, not overrun
                continue
            number += 1
            journal.intent(an_intent(number))
            journal.settle(a_settlement(number))
            acknowledged = number

    drainer.start()
    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(12):
            before = acknowledged
            found = [int(row.attempt_id[4:]) for row in view.attempts() if row.kind == "settle"]
            assert len(found) == len(set(found))
            assert set(range(1, before + 1)) <= set(found)
    finally:
        stop.set()
        worker.join()
    assert drainer.close()
    assert len(list(view.attempts(EVERY_ROW))) == acknowledged
    database.close()
    reader.close()


def test_an_adjustment_may_be_drained_before_what_it_adjusts(view, journal, store):
    other = JournalWriter(journal.directory, "r-1-b")
    journal.intent(an_intent(1))
    journal.settle(a_settlement(1))
    other.adjust(an_adjustment(1))
    other.adjust(an_adjustment(2, attempt_id="att-000001"))
    store.append("r-1-b", other.take(1))
    (row,) = view.attempts()
    assert (row.cost_nanousd, row.adjusted_nanousd) == (27_010, 10)
    other.close(remove=True)


def test_imports_come_in_their_place_and_by_request_after_the_ledgers_own(tmp_path):
    store = MemoryLedger()
    view = LedgerView(store, tmp_path / "journal")
    journal = JournalWriter(tmp_path / "journal", "r-0-a")
    journal.intent(an_intent(2))
    Drainer(journal, store).drain()
    journal.intent(an_intent(4))
    store.imports.put([an_import(1), an_import(3, key="ci"), an_import(5)])

    def found(where=EVERY_ROW, by_request=False):
        return [(row.origin[0], int(row.attempt_id[-1])) for row in view.attempts(where, by_request=by_request)]

    assert found() == [("c", 1), ("g", 2), ("c", 3), ("g", 4), ("c", 5)]
    assert found(RowFilter(origin="gateway")) == [("g", 2), ("g", 4)]
    assert found(RowFilter(origin="claude-code")) == [("c", 1), ("c", 3), ("c", 5)]
    assert found(RowFilter(key="ci")) == [("g", 2), ("c", 3), ("g", 4)]
    assert found(by_request=True)[:2] == [("g", 2), ("g", 4)]
    journal.close(remove=False)
