"""Crashes: whatever point a process dies at, the next start finds every line once and settles what is open."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.model.entry import Intent, Line, Settlement
from bascule.model.errors import LedgerUnavailable, StoreError
from bascule.model.row import EVERY_ROW, AttemptRow
from bascule.ports import LedgerStore
from bascule.storage.drainer import Drainer
from bascule.storage.journal.read import Reading, read_chain
from bascule.storage.journal.segments import FileLock, segments_by_chain
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.memory.ledger import MemoryLedger
from bascule.storage.recover import LOCK_FILE, Recovery, recover
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.testing.ledger import NOON_MS, a_decision, a_settlement, an_adjustment, an_intent

LATER_MS = NOON_MS + 60_000


def restart(directory: Path, store: LedgerStore, epoch: str) -> tuple[Recovery, Drainer, JournalWriter]:
    journal = JournalWriter(directory, f"r-0-{epoch}")
    drainer = Drainer(journal, store)
    return recover(directory, store, journal, drainer, LATER_MS, wait_s=0.2), drainer, journal


def rows(store: LedgerStore) -> dict[str, AttemptRow]:
    with store.snapshot() as snapshot:
        found = list(snapshot.attempts(EVERY_ROW))
    assert len({row.attempt_id for row in found}) == len(found)
    return {row.attempt_id: row for row in found}


def whole(store: LedgerStore) -> bool:
    """Every chain from its first line to its head, without a repeat."""
    with store.snapshot() as snapshot:
        for chain_id, head in snapshot.heads().items():
            lines = list(snapshot.chain(chain_id))
            if [line.seq for line in lines] != list(range(1, head.seq + 1)) or lines[-1].chain != head.chain:
                return False
            if any(line.kind.startswith("repeat") for line in lines):
                return False
    return True


def write(directory: Path, lines: list[Line], segment_bytes: int = 1 << 20) -> None:
    """A run that dies after these lines."""
    journal = JournalWriter(directory, "r-0-dead", segment_bytes=segment_bytes)
    for line in lines:
        match line:
            case Intent():
                journal.intent(line)
            case Settlement():
                journal.settle(line)
    journal.close(remove=False)


def traffic(count: int) -> list[Line]:
    """Attempts that overlap: each settles after the next has begun, and the last stays open."""
    lines: list[Line] = []
    for number in range(1, count + 1):
        lines.append(an_intent(number))
        if number > 1:
            lines.append(a_settlement(number - 1))
    return lines


def test_open_attempts_are_settled_at_their_hold_and_flagged(tmp_path):
    write(tmp_path, traffic(3))
    store = MemoryLedger()
    found, drainer, _ = restart(tmp_path, store, "new")
    assert (found.chains, found.lines, found.settled, found.unpriced) == (("r-0-dead",), 5, 1, 0)
    row = rows(store)["att-000003"]
    assert (row.kind, row.recovered, row.usage_source, row.cost_nanousd) == ("settle", True, "estimated", 1_000_000)
    assert row.ts_end_ms == LATER_MS
    assert rows(store)["att-000001"].cost_nanousd == 27_000
    assert not list(tmp_path.glob("r-0-dead*"))
    assert drainer.close()
    assert not list(tmp_path.glob("*.jsonl"))


def test_an_unknown_hold_leaves_the_cost_unknown_and_a_cache_hit_costs_nothing(tmp_path):
    write(tmp_path, [an_intent(1, hold_nanousd=None), an_intent(2, hold_nanousd=None, role="cache", attempt_no=0)])
    store = MemoryLedger()
    found, _, _ = restart(tmp_path, store, "new")
    assert (found.settled, found.unpriced) == (2, 1)
    assert rows(store)["att-000001"].cost_nanousd is None
    assert "hold_unknown" in rows(store)["att-000001"].usage_flags
    assert rows(store)["att-000002"].cost_nanousd == 0


def test_a_living_writer_is_left_alone(tmp_path):
    other = JournalWriter(tmp_path, "r-1-alive")
    other.intent(an_intent(1))
    store = MemoryLedger()
    store.append("r-1-alive", other.take(1))
    other.intent(an_intent(2))
    found, _, _ = restart(tmp_path, store, "new")
    assert (found.chains, found.settled) == ((), 0)
    assert rows(store)["att-000001"].kind == "intent"
    other.close(remove=False)
    again, _, _ = restart(tmp_path, store, "newer")
    assert again.settled == 2


def test_open_attempts_whose_journal_is_gone_are_settled_too(tmp_path):
    dead = JournalWriter(tmp_path, "r-1-dead")
    dead.intent(an_intent(1))
    store = MemoryLedger()
    store.append("r-1-dead", dead.take(1))
    dead.close(remove=True)
    found, _, _ = restart(tmp_path, store, "new")
    assert found.settled == 1


def test_only_one_process_recovers_at_a_time(tmp_path):
    write(tmp_path, traffic(2))
    guard = FileLock.acquire(tmp_path / LOCK_FILE)
    assert guard is not None
    with pytest.raises(StoreError, match="has been recovering"):
        restart(tmp_path, MemoryLedger(), "new")
    guard.release()


@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 1), segment_bytes=st.sampled_from([1500, 4000, 1 << 20]), drained=st.integers(0, 11))
def test_a_journal_cut_at_any_byte_loses_only_what_never_returned(cut, segment_bytes, drained):
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        write(directory, traffic(6), segment_bytes)
        whole_lines = list(read_chain("r-0-dead", segments_by_chain(directory)["r-0-dead"], Reading()))
        last = segments_by_chain(directory)["r-0-dead"][-1]
        size = last.stat().st_size
        os.truncate(last, int(cut * size))
        expected = list(read_chain("r-0-dead", segments_by_chain(directory)["r-0-dead"], Reading()))
        assert whole_lines[: len(expected)] == expected
        store = MemoryLedger()
        store.append("r-0-dead", expected[:drained])
        found, _, _ = restart(directory, store, "new")
        intents = {line.line.attempt_id for line in expected if isinstance(line.line, Intent)}
        settled = {line.line.attempt_id for line in expected if isinstance(line.line, Settlement)}
        after = rows(store)
        assert set(after) == intents
        assert {row.attempt_id for row in after.values() if row.recovered} == intents - settled
        assert all(row.kind == "settle" for row in after.values())
        assert found.damages == ()
        assert len(found.torn) <= 1
        assert whole(store)


class Dying:
    """A store that dies at its nth call, before or after doing what was asked."""

    def __init__(self, inner: LedgerStore, at: int, before: bool) -> None:
        self._inner = inner
        self._left = at
        self._before = before

    def __getattr__(self, name):
        found = getattr(self._inner, name)

        def call(*args):
            self._left -= 1
            if self._left == 0 and self._before:
                raise Killed
            result = found(*args)
            if self._left == 0:
                raise Killed
            return result

        return call


class Killed(BaseException):
    pass


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_crash_during_recovery_is_recovered_from(tmp_path, at, before):
    write(tmp_path, traffic(5), segment_bytes=1500)
    database = open_database(tmp_path)
    store = SqliteLedger(database)
    journal = JournalWriter(tmp_path, "r-0-second")
    dying = Dying(store, at, before)
    with contextlib.suppress(Killed):
        recover(tmp_path, dying, journal, Drainer(journal, dying), LATER_MS)
    journal.close(remove=False)
    third, _, _ = restart(tmp_path, store, "third")
    after = rows(store)
    assert sorted(after) == [f"att-00000{number}" for number in range(1, 6)]
    assert [row.attempt_id for row in after.values() if row.recovered] == ["att-000005"]
    assert all(row.kind == "settle" for row in after.values())
    assert third.damages == ()
    assert whole(store)
    database.close()


def test_damage_in_the_middle_is_reported_and_its_file_kept(tmp_path):
    write(tmp_path, traffic(4))
    (segment,) = segments_by_chain(tmp_path)["r-0-dead"]
    lines = segment.read_bytes().splitlines(keepends=True)
    lines[2] = b"garbage\n"
    segment.write_bytes(b"".join(lines))
    store = MemoryLedger()
    found, _, _ = restart(tmp_path, store, "new")
    assert [damage.where for damage in found.damages] == [f"{segment.name}:3", f"{segment.name}:4"]
    assert [path.name for path in (tmp_path / "damaged").iterdir()] == [segment.name]
    assert len(rows(store)) == 4
    again, _, _ = restart(tmp_path, store, "newer")
    assert again.damages == ()


CHILD = """
import sys
from pathlib import Path
from bascule.storage.drainer import Drainer
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.testing.ledger import a_settlement, an_intent
data_dir = Path(sys.argv[1])
journal = JournalWriter(data_dir / "journal", "r-0-child", segment_bytes=40_000)
drainer = Drainer(journal, SqliteLedger(open_database(data_dir)), interval_s=0.002)
drainer.start()
number = 0
while True:
    number += 1
    journal.intent(an_intent(number))
    print("i", number, flush=True)
    if number % 7:
        journal.settle(a_settlement(number))
        print("s", number, flush=True)
"""


@pytest.mark.parametrize("lines_seen", [1, 40, 700])
def test_kill_9_of_a_writing_process(tmp_path, lines_seen):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    acknowledged = [child.stdout.readline() for _ in range(lines_seen)]
    child.send_signal(signal.SIGKILL)
    acknowledged += child.stdout.readlines()
    child.wait(10)
    child.stdout.close()
    acknowledged = [line for line in acknowledged if line.endswith("\n")]
    begun = {int(line[2:]) for line in acknowledged if line[0] == "i"}
    settled = {int(line[2:]) for line in acknowledged if line[0] == "s"}

    database = open_database(tmp_path)
    store = SqliteLedger(database)
    found, drainer, _ = restart(tmp_path / "journal", store, "new")
    after = {int(attempt_id[4:]): row for attempt_id, row in rows(store).items()}
    # What the child said is there; at most the one line that it could not say any more is there besides.
    assert begun <= set(after)
    assert len(set(after) - begun) <= 1
    exact = {number for number, row in after.items() if not row.recovered}
    assert settled <= exact
    assert len(exact - settled) <= 1
    assert all(row.cost_nanousd == 1_000_000 for row in after.values() if row.recovered)
    assert found.damages == ()
    assert whole(store)
    assert drainer.close()
    assert not list((tmp_path / "journal").glob("*.jsonl"))
    database.close()


class Failing(MemoryLedger):
    failing = False

    def append(self, chain_id, lines):
        if self.failing:
            raise StoreError("database is locked")
        super().append(chain_id, lines)


def wait_for(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_drainer_keeps_lines_while_the_store_fails_and_catches_up(tmp_path):
    store = Failing()
    store.failing = True
    journal = JournalWriter(tmp_path, "r-0-a", max_backlog_lines=5)
    drainer = Drainer(journal, store, interval_s=0.002, group_lines=2)
    drainer.start()
    for number in range(1, 6):
        journal.intent(an_intent(number))
    wait_for(lambda: drainer.last_error is not None)
    assert drainer.last_error == "database is locked"
    assert drainer.backlog == 5
    with pytest.raises(LedgerUnavailable):
        journal.intent(an_intent(6))
    store.failing = False
    wait_for(lambda: drainer.backlog == 0 and drainer.last_error is None)
    journal.intent(an_intent(6))
    assert drainer.close()
    assert len(rows(store)) == 6


def test_a_drainer_that_cannot_finish_leaves_the_journal_for_the_next_start(tmp_path):
    store = Failing()
    journal = JournalWriter(tmp_path, "r-0-a")
    drainer = Drainer(journal, store, interval_s=0.002)
    journal.intent(an_intent(1))
    journal.settle(a_settlement(1))
    store.failing = True
    assert not drainer.close(timeout_s=0.05)
    store.failing = False
    found, _, _ = restart(tmp_path, store, "b")
    assert (found.lines, found.settled) == (2, 0)
    assert rows(store)["att-000001"].cost_nanousd == 27_000


def test_segments_go_when_they_are_drained_and_settled(tmp_path):
    store = MemoryLedger()
    journal = JournalWriter(tmp_path, "r-0-a", segment_bytes=1500)
    drainer = Drainer(journal, store)
    for number in range(1, 5):
        journal.intent(an_intent(number))
    for number in range(2, 5):
        journal.settle(a_settlement(number))
    journal.adjust(an_adjustment(2))
    journal.decision(a_decision(1))
    before = len(segments_by_chain(tmp_path)["r-0-a"])
    drainer.drain()
    assert len(segments_by_chain(tmp_path)["r-0-a"]) == before
    journal.settle(a_settlement(1))
    drainer.drain()
    assert len(segments_by_chain(tmp_path)["r-0-a"]) <= 2
    assert drainer.close()
    assert [row.kind for row in rows(store).values()] == ["settle"] * 4
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_a_dead_journal_put_back_changes_nothing(tmp_path):
    write(tmp_path, traffic(3))
    kept = tmp_path / "kept"
    kept.mkdir()
    for path in tmp_path.glob("r-0-dead-*"):
        shutil.copy(path, kept)
    store = MemoryLedger()
    restart(tmp_path, store, "b")
    before = rows(store)
    for path in kept.iterdir():
        shutil.copy(path, tmp_path)
    found, _, _ = restart(tmp_path, store, "c")
    assert (found.lines, found.settled) == (0, 0)
    assert rows(store) == before


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_that_was_removed_under_its_gateway_is_told_and_made_anew_from_the_journal(tmp_path, replaced):
    database = open_database(tmp_path / "data")
    _, drainer, journal = restart(tmp_path / "journal", SqliteLedger(database), "a")
    journal.intent(an_intent(1))
    drainer.drain()
    database.path.unlink()
    if replaced:
        database.path.write_bytes(b"")
    journal.settle(a_settlement(1))
    with pytest.raises(StoreError, match="removed or replaced"):
        drainer.drain()
    assert not drainer.close(timeout_s=0), "the journal is all that there is"
    database.close()
    anew = SqliteLedger(open_database(tmp_path / "data"))
    restart(tmp_path / "journal", anew, "b")
    [row] = rows(anew).values()
    assert (row.cost_nanousd, row.recovered) == (a_settlement(1).cost_nanousd, False)
