"""An export of several replicas knows of what it cannot see."""

from pathlib import Path

import pytest

from bascule.storage.drainer import Drainer
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.ledger import PostgresLedger
from bascule.storage.postgres.watermarks import PostgresWatermarks
from bascule.storage.view import LedgerView
from bascule.testing.ledger import a_settlement, an_intent


class Replica:
    """The journal, drainer and view of one host."""

    def __init__(self, folder: Path, url: str, name: str) -> None:
        self.database = PostgresDatabase(url)
        self.ledger, marks = PostgresLedger(self.database), PostgresWatermarks(self.database)
        self.journal = JournalWriter(folder / name, f"{name}-0-a")
        self.drainer = Drainer(self.journal, self.ledger, interval_s=0.01, watermarks=marks)
        self.view = LedgerView(self.ledger, folder / name, marks)

    @property
    def names(self) -> list[str]:
        return [row.attempt_id for row in self.view.attempts()]


@pytest.fixture
def two(tmp_path: Path, postgres_url: str):
    pair = [Replica(tmp_path, postgres_url, name) for name in ("r1", "r2")]
    for one in pair:
        one.drainer.drain()
    yield pair
    for one in pair:
        one.drainer.close()
        one.database.close()


def test_the_journals_of_this_host_are_read_where_they_lie(two):
    here, _ = two
    here.journal.intent(an_intent(1))
    assert here.names == ["att-000001"]


def test_a_replica_that_drains_is_waited_for(two):
    here, there = two
    there.journal.intent(an_intent(1))
    there.journal.settle(a_settlement(1))
    there.drainer.start()
    assert here.view.unheard() == []
    assert here.names == ["att-000001"]


def test_a_replica_that_does_not_answer_is_named(two):
    here, there = two
    there.journal.intent(an_intent(1))
    assert here.view.unheard(within_s=0.05) == ["r2-0-a"]
    assert here.names == []
    there.drainer.start()
    assert here.view.unheard() == []


def test_a_replica_that_has_stopped_is_not_waited_for_and_one_that_stopped_with_lines_is(two):
    here, there = two
    there.journal.intent(an_intent(1))
    assert there.drainer.close()
    assert here.view.unheard(within_s=0.05) == ["r2-0-a"], "its attempt is open: it settles it when it starts again"
    assert here.names == ["att-000001"]


def test_a_replica_that_has_stopped_whole_is_not_waited_for(two):
    here, there = two
    there.journal.intent(an_intent(1))
    there.journal.settle(a_settlement(1))
    assert there.drainer.close()
    assert here.view.unheard(within_s=0.05) == []
    assert here.names == ["att-000001"]
