"""`ledger verify`: silent on sound books, live ones too, and naming the row wherever they were touched."""

import pytest

from bascule.model.usage import Usage
from bascule.offline.verify import verify_ledger
from bascule.storage.journal.segments import segments_by_chain
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.memory.ledger import MemoryLedger
from bascule.storage.recover import settled_at_hold
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.storage.view import LedgerView
from bascule.testing.ledger import NOON_MS, a_decision, a_settlement, an_adjustment, an_intent, chained


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def books(database, tmp_path):
    """Two drained chains, and a third of which two lines are drained and two are not."""
    store = SqliteLedger(database)
    store.append("r-0-a", chained("r-0-a", [an_intent(1), a_settlement(1), a_decision(1), an_adjustment(1)]))
    store.append("r-0-b", chained("r-0-b", [an_intent(2), an_intent(3), settled_at_hold(an_intent(3), NOON_MS)]))
    journal = JournalWriter(tmp_path / "journal", "r-0-c")
    journal.intent(an_intent(4))
    journal.settle(a_settlement(4))
    journal.intent(an_intent(5))
    store.append("r-0-c", journal.take(2))
    journal.settle(a_settlement(5))
    yield LedgerView(store, tmp_path / "journal")
    journal.close(remove=False)


def found(books) -> list[str]:
    return [f"{finding.where}: {finding.what}" for finding in verify_ledger(books).findings]


def test_sound_books(books):
    verdict = verify_ledger(books)
    assert verdict.findings == ()
    assert verdict.holds
    assert (verdict.chains, verdict.lines, verdict.attempts) == (3, 11, 4)


def test_the_memory_store_gives_evidence_too(tmp_path):
    store = MemoryLedger()
    store.append("r-0-a", chained("r-0-a", [an_intent(1), a_settlement(1), an_intent(2), a_settlement(9)]))
    assert found(LedgerView(store, tmp_path)) == ["attempt att-000009: has a line (settle) and is in no report"]


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE lines SET body = replace(body, 'ann', 'eve') WHERE kind = 'intent' AND attempt_id = 'att-000001'",
         "chain r-0-a line 1: does not hang"),
        ("DELETE FROM lines WHERE attempt_id = 'att-000003' AND kind = 'intent'", "chain r-0-b line 3: follows line 1"),
        ("DELETE FROM lines WHERE kind = 'adjust'", "chain r-0-a line 4: the chain was anchored at line 4 and ends at"),
        ("UPDATE lines SET line_no = line_no + 8 WHERE kind = 'decision'", "chain r-0-a line 11: follows line 4"),
        ("UPDATE lines SET kind = 'decision' WHERE kind = 'adjust'", "chain r-0-a line 4: is filed as decision"),
        ("UPDATE lines SET body = x'00' WHERE kind = 'adjust'", "chain r-0-a line 4: does not hang"),
        ("UPDATE attempts SET cost_nanousd = 1 WHERE attempt_id = 'att-000001'",
         "attempt att-000001: is kept with cost_nanousd 1 where its lines say 27000"),
        ("UPDATE attempts SET charged_nanousd = 0 WHERE attempt_id = 'att-000001'",
         "attempt att-000001: is kept with charged_nanousd 0 where its lines say None"),
        ("UPDATE attempts SET \"key\" = 'other' WHERE attempt_id = 'att-000002'",
         "attempt att-000002: is kept with key"),
        ("UPDATE attempts SET settle_line = NULL WHERE attempt_id = 'att-000001'",
         "attempt att-000001: is kept with settled False"),
        ("DELETE FROM attempts WHERE attempt_id = 'att-000002'", "attempt att-000002: has a line (intent) and is"),
        ("DELETE FROM chains WHERE chain_id = 'r-0-a'", "chain number 1: has 4 lines"),
        ("UPDATE attempts SET intent_line = 99 WHERE attempt_id = 'att-000001'",
         "attempt att-000001: is reported from other lines than its own"),
        ("UPDATE attempts SET settle_line = intent_line WHERE attempt_id = 'att-000001'",
         "attempt att-000001: is reported from other lines than its own"),
        ("UPDATE chains SET head_chain = 'x' WHERE chain_id = 'r-0-b'",
         "chain r-0-b line 3: is not the line that was anchored"),
    ],
)  # fmt: skip
def test_whatever_is_bent_is_named(books, database, sql, named):
    database.connection.execute(sql)
    assert any(finding.startswith(named) for finding in found(books)), found(books)


def test_a_journal_that_differs_from_the_store_is_named(books, tmp_path):
    (segment,) = segments_by_chain(tmp_path / "journal")["r-0-c"]
    segment.write_bytes(segment.read_bytes().replace(b'"ann"', b'"eve"'))
    assert [finding.split(":")[0] for finding in found(books)] == ["chain r-0-c line 1", "chain r-0-c line 3"]


def test_a_journal_line_that_is_gone_is_named(books, tmp_path):
    (segment,) = segments_by_chain(tmp_path / "journal")["r-0-c"]
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([*lines[:2], lines[3]]))
    assert found(books) == ["chain r-0-c line 4: follows line 2: lines between them are missing"]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"cost_nanousd": 27_001}, "costs 27001 nano-USD where its usage at its rates costs 27000"),
        ({"cost_nanousd": None}, "costs None nano-USD where"),
        ({"rates": None}, "there are no rates"),
        ({"rates": None, "cost_nanousd": 1_000_000}, None),
        ({"rates": None, "cost_nanousd": 0}, None),
        ({"rates": None, "cost_nanousd": None}, None),
        ({"usage": Usage(tokens_in=0, tokens_out=0, source="reported"), "cost_nanousd": 0}, None),
    ],
)
def test_a_cost_must_follow_from_usage_and_rates(tmp_path, changes, wrong):
    store = MemoryLedger()
    store.append("r-0-a", chained("r-0-a", [an_intent(1), a_settlement(1, **changes)]))
    findings = found(LedgerView(store, tmp_path))
    assert len(findings) == (wrong is not None)
    assert wrong is None or wrong in findings[0]


def test_a_second_settlement_is_named(tmp_path):
    store = MemoryLedger()
    store.append("r-0-a", chained("r-0-a", [an_intent(1), a_settlement(1), a_settlement(1, cost_nanousd=5)]))
    assert found(LedgerView(store, tmp_path)) == ["chain r-0-a line 3: is a second settle of attempt att-000001"]


@pytest.mark.parametrize(("charged", "fault"), [(27_000, False), (1_000_000, False), (26_999, True)])
def test_budgets_are_charged_no_less_than_the_cost(tmp_path, charged, fault):
    store = MemoryLedger()
    store.append("r-0-a", chained("r-0-a", [an_intent(1), a_settlement(1, charged_nanousd=charged)]))
    findings = found(LedgerView(store, tmp_path))
    assert bool(findings) is fault
    assert not findings or "less than its cost" in findings[0]
