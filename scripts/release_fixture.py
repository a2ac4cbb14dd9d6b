"""Make `tests/fixtures/release-VERSION`: a data directory as this version leaves it, to prove later migrations on.

Run once per release: `.venv/bin/python scripts/release_fixture.py`. Refuses to overwrite a fixture that is there.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

from bascule import __version__
from bascule.compose import Store, open_store
from bascule.config.shape import Config
from bascule.gateway.books import NOTHING_CONSUMED
from bascule.model.policy import Budget, KeyPolicy
from bascule.model.usage import NO_USAGE, Usage
from bascule.offline.rows import documents
from bascule.storage.drainer import Drainer
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.keys import create_key, open_pepper, revoke_key
from bascule.testing.ledger import NOON_MS, a_decision, a_settlement, an_adjustment, an_intent

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures"

SEEN = Usage(tokens_in=100, tokens_out=20, source="estimated")
"""Of a stream that broke off: under a strict budget its whole hold is charged."""


def fill(store: Store, secret_file: Path) -> None:
    """Settled, failed, adjusted, cached and open attempts; keys, a budget and their audit trail; a journal tail."""
    journal = JournalWriter(store.journals, "local-0-fixture")
    drainer = Drainer(journal, store.ledger)
    journal.decision(a_decision(1))
    for number in range(1, 41):
        journal.intent(an_intent(number, session_id=f"session-{number % 5}"))
        journal.settle(a_settlement(number))
    journal.intent(an_intent(41))
    journal.settle(a_settlement(41, status=529, error_class="overloaded", usage=NO_USAGE, rates=None, cost_nanousd=0))
    journal.adjust(an_adjustment(1))
    journal.intent(an_intent(42, role="cache", attempt_no=0, provider=None, hold_nanousd=0, held=()))
    journal.settle(a_settlement(42, usage=NOTHING_CONSUMED, rates=None, cost_nanousd=0, cache="exact"))
    journal.intent(an_intent(45))
    journal.settle(a_settlement(45, usage=SEEN, charged_nanousd=1_000_000))
    drainer.drain()
    hasher = open_pepper(store.data_dir)
    made = create_key(store.governance, hasher, KeyPolicy(name="kept", team="platform"), by="release", now_ms=NOON_MS)
    create_key(store.governance, hasher, KeyPolicy(name="gone"), by="release", now_ms=NOON_MS)
    revoke_key(store.governance, "gone", by="release", now_ms=NOON_MS + 1)
    budget = Budget(scope="team:platform", limit_nanousd=5_000_000_000, window="month")
    store.governance.set_budget(budget, by="release", now_ms=NOON_MS)
    secret_file.write_text(made.secret)
    journal.intent(an_intent(43))
    journal.settle(a_settlement(43))
    journal.intent(an_intent(44))
    journal.close(remove=False)


def main() -> None:
    folder = FIXTURES / f"release-{__version__}"
    if folder.exists():
        sys.exit(f"{folder} is there; a release's fixture is never made again")
    data_dir = folder / "data"
    data_dir.mkdir(parents=True)
    store = open_store(data_dir, Config())
    fill(store, folder / "key-of-a-fixture.txt")
    rows = list(documents(store.view, "attempts"))
    (folder / "rows.json").write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
    store.ledger.make_durable()
    store.database.close()
    for leftover in (*data_dir.glob("*-wal"), *data_dir.glob("*-shm"), *(data_dir / "journal").glob("*.lock")):
        leftover.unlink()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256((folder / "rows.json").read_bytes()).hexdigest()[:12]
    print(f"{folder.name}: {len(rows)} rows, {size} bytes, rows {digest}")
    shutil.rmtree(folder / "data" / "__pycache__", ignore_errors=True)


if __name__ == "__main__":
    main()
