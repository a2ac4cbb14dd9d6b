"""Data of every release opens, reads, verifies and recovers with this version."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bascule.compose import open_store
from bascule.config.shape import Config
from bascule.model.policy import Budget
from bascule.offline.rows import documents
from bascule.offline.verify import verify_audit, verify_ledger
from bascule.ports import Spent
from bascule.storage.drainer import Drainer
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.keys import KeyRing, open_pepper
from bascule.storage.recover import recover
from bascule.testing.ledger import NOON_MS

FIXTURES = Path(__file__).parent.parent / "fixtures"
RELEASES = sorted(FIXTURES.glob("release-*"))
LATER_MS = NOON_MS + 3_600_000


@pytest.fixture(params=RELEASES, ids=lambda path: path.name)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of one release's folder, with rights as the release left them."""
    copy = tmp_path / "release"
    shutil.copytree(request.param, copy)
    (copy / "data" / "pepper").chmod(0o600)
    return copy


def test_there_is_a_fixture() -> None:
    assert RELEASES


def test_rows_read_as_the_release_read_them(release: Path) -> None:
    store = open_store(release / "data", Config())
    expected: list[dict[str, Any]] = json.loads((release / "rows.json").read_text())
    found = [json.loads(json.dumps(row)) for row in documents(store.view, "attempts")]
    assert len(found) == len(expected)
    for new, old in zip(found, expected, strict=True):
        assert {name: new.get(name) for name in old} == old
    store.database.close()


def test_ledger_and_audit_verify(release: Path) -> None:
    store = open_store(release / "data", Config())
    assert verify_ledger(store.view).holds
    assert verify_audit(store.governance.audit(), store.governance.audit_head()).holds
    store.database.close()


def test_keys_are_still_recognised(release: Path) -> None:
    store = open_store(release / "data", Config())
    ring = KeyRing(open_pepper(store.data_dir), store.governance)
    key = ring.lookup((release / "key-of-a-fixture.txt").read_bytes())
    assert key is not None
    assert (key.name, key.team) == ("kept", "platform")
    assert [budget.scope for budget in store.governance.budgets()] == ["team:platform"]
    store.database.close()


def test_budgets_have_spent_what_they_were_charged(release: Path) -> None:
    """Of what the store has, 40 rows cost 27,000 nano-USD, one is corrected by 5, and one was charged its hold."""
    store = open_store(release / "data", Config())
    budget = Budget(scope="key:ci", limit_nanousd=0, window="day")
    assert store.ledger.spent([budget], NOON_MS) == {("key:ci", "2026-11-21"): Spent(40 * 27_000 + 5 + 1_000_000, 0)}
    store.database.close()


def test_what_was_open_is_settled_at_its_hold(release: Path) -> None:
    store = open_store(release / "data", Config())
    journal = JournalWriter(store.journals, "local-0-upgrade")
    drainer = Drainer(journal, store.ledger)
    found = recover(store.journals, store.ledger, journal, drainer, LATER_MS)
    assert (found.settled, found.damages) == (1, ())
    rows = {row["attempt_id"]: row for row in documents(store.view, "attempts")}
    assert rows["att-000044"]["cost_nanousd"] == rows["att-000044"]["hold_nanousd"]
    assert rows["att-000043"]["cost_nanousd"] == 27_000
    assert drainer.close()
    store.database.close()
