"""The journal: whole lines or none, refusals that leave nothing behind, a chain that goes on."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from bascule.model.chain import chain_start, decode_chained, next_chain
from bascule.model.entry import decision_of
from bascule.model.errors import LedgerUnavailable, StoreError
from bascule.storage.journal import writer as writer_module
from bascule.storage.journal.read import Reading, read_chain
from bascule.storage.journal.segments import FileLock, chain_id_of, lock_chain, segments_by_chain
from bascule.storage.journal.writer import JournalWriter
from bascule.testing.ledger import a_decision, a_settlement, an_adjustment, an_intent

CHAIN = chain_id_of("r", 0, "e1")


@pytest.fixture
def journal(tmp_path):
    made = JournalWriter(tmp_path, CHAIN)
    yield made
    made.close(remove=False)


def read(directory: Path, chain_id: str = CHAIN) -> tuple[list, Reading]:
    reading = Reading()
    lines = list(read_chain(chain_id, segments_by_chain(directory).get(chain_id, []), reading))
    return lines, reading


def text(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in segments_by_chain(directory).get(CHAIN, []))


def test_a_line_is_on_disk_when_the_call_returns(journal, tmp_path):
    journal.intent(an_intent(1))
    envelope = msgspec.json.decode(text(tmp_path))
    assert envelope["seq"] == 1
    assert envelope["line"]["type"] == "intent"
    assert envelope["chain"] == next_chain(chain_start(CHAIN), msgspec.json.encode(an_intent(1)))


def test_what_is_written_is_read_back(journal, tmp_path):
    journal.intent(an_intent(1, user='odd "\\\n\u2028 é😀'))
    journal.decision(a_decision(1))
    journal.settle(a_settlement(1))
    journal.adjust(an_adjustment(1))
    lines, reading = read(tmp_path)
    assert [line.line for line in lines] == [
        an_intent(1, user='odd "\\\n\u2028 é😀'),
        a_decision(1),
        a_settlement(1),
        an_adjustment(1),
    ]
    assert lines == journal.take(10)
    assert (reading.torn, reading.damages) == ([], [])


def test_segments_rotate_and_the_chain_goes_on(tmp_path):
    journal = JournalWriter(tmp_path, CHAIN, segment_bytes=1500)
    for number in range(1, 11):
        journal.intent(an_intent(number))
    names = [path.name for path in segments_by_chain(tmp_path)[CHAIN]]
    assert len(names) > 3
    assert names[0] == f"{CHAIN}-000000000001.jsonl"
    lines, reading = read(tmp_path)
    assert [line.seq for line in lines] == list(range(1, 11))
    assert reading.damages == []
    assert [path.name for path, _ in journal.closed_segments] == names[:-1]
    journal.close(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_one_chain_has_one_writer(journal, tmp_path, monkeypatch):
    monkeypatch.setattr(writer_module, "_LOCK_WAIT_S", 0.02)
    with pytest.raises(StoreError, match="another process"):
        JournalWriter(tmp_path, CHAIN)
    journal.intent(an_intent(1))
    journal.close(remove=False)
    with pytest.raises(StoreError, match="already has lines"):
        JournalWriter(tmp_path, CHAIN)
    assert lock_chain(tmp_path, CHAIN) is not None


def test_a_lock_on_a_file_that_was_removed_is_no_lock(tmp_path):
    first = FileLock.acquire(tmp_path / "x.lock")
    assert first is not None
    assert FileLock.acquire(tmp_path / "x.lock") is None
    first.release(remove=True)
    first.release(remove=True)
    second = FileLock.acquire(tmp_path / "x.lock")
    assert second is not None
    assert FileLock.acquire(tmp_path / "x.lock") is None
    second.release()


@pytest.mark.parametrize("name", ["a/b", "", "é", "a b"])
def test_names_that_cannot_be_files_are_refused(name):
    with pytest.raises(ValueError, match="cannot name a journal"):
        chain_id_of("r", 0, name + "/" * (name == ""))


class Disk:
    """Stands in for `os` in the writer: the next calls fail as told."""

    def __init__(self, monkeypatch):
        self.short: int | None = None
        self.write_error: int | None = None
        self.sync_error: int | None = None
        self.truncate_error: int | None = None
        self.synced = 0
        monkeypatch.setattr(writer_module, "os", self)

    def __getattr__(self, name):
        return getattr(os, name)

    def write(self, fd, data):
        if self.short is not None:
            return os.write(fd, data[: self.short])
        if self.write_error is not None:
            raise OSError(self.write_error, os.strerror(self.write_error))
        return os.write(fd, data)

    def fdatasync(self, fd):
        self.synced += 1
        if self.sync_error is not None:
            raise OSError(self.sync_error, os.strerror(self.sync_error))

    def ftruncate(self, fd, size):
        if self.truncate_error is not None:
            raise OSError(self.truncate_error, os.strerror(self.truncate_error))
        os.ftruncate(fd, size)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_refuses_work_until_a_write_succeeds(journal, tmp_path, monkeypatch, code):
    disk = Disk(monkeypatch)
    journal.intent(an_intent(1))
    disk.write_error = code
    for number in (2, 3):
        with pytest.raises(LedgerUnavailable, match=os.strerror(code)):
            journal.intent(an_intent(number))
    disk.write_error = None
    journal.intent(an_intent(4))
    lines, reading = read(tmp_path)
    assert [line.line.attempt_id for line in lines] == ["att-000001", "att-000004"]
    assert reading.damages == []


def test_a_short_write_leaves_nothing_behind(journal, tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    journal.intent(an_intent(1))
    before = text(tmp_path)
    disk.short = 100
    with pytest.raises(LedgerUnavailable, match="only 100 of"):
        journal.intent(an_intent(2))
    assert text(tmp_path) == before
    assert journal.backlog == 1


def begun(number: int):
    """What `begin` writes."""
    return structs.replace(an_intent(number), decided=a_decision(number))


def test_a_decision_and_its_intent_are_one_line_and_both_or_neither(journal, tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    journal.begin(a_decision(1), an_intent(1))
    before = text(tmp_path)
    for disk.short in (100, len(before) - 1):
        with pytest.raises(LedgerUnavailable):
            journal.begin(a_decision(2), an_intent(2))
        assert text(tmp_path) == before
    disk.short = None
    journal.begin(a_decision(3), an_intent(3))
    lines, reading = read(tmp_path)
    assert [line.line for line in lines] == [begun(1), begun(3)]
    assert [decision_of(line.line) for line in lines] == [a_decision(1), a_decision(3)]
    assert lines == journal.take(10)
    assert reading.damages == []


def test_where_the_torn_line_cannot_be_cut_the_chain_goes_on_in_a_new_segment(journal, tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    journal.intent(an_intent(1))
    disk.short, disk.truncate_error = 100, errno.EIO
    with pytest.raises(LedgerUnavailable):
        journal.intent(an_intent(2))
    disk.short = disk.truncate_error = None
    journal.intent(an_intent(3))
    lines, reading = read(tmp_path)
    assert [line.line.attempt_id for line in lines] == ["att-000001", "att-000003"]
    assert reading.damages == []
    assert [damage.what for damage in reading.torn] == ["unfinished line of 100 bytes"]


def test_a_settlement_that_cannot_be_written_goes_before_the_next_line(journal, tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    journal.intent(an_intent(1))
    journal.intent(an_intent(2))
    disk.write_error = errno.ENOSPC
    for number in (1, 2):
        with pytest.raises(LedgerUnavailable):
            journal.settle(a_settlement(number))
    with pytest.raises(LedgerUnavailable):
        journal.intent(an_intent(3))
    assert journal.unwritten == 2
    disk.write_error = None
    journal.intent(an_intent(4))
    assert journal.unwritten == 0
    lines, _ = read(tmp_path)
    assert [line.line for line in lines][2:] == [a_settlement(1), a_settlement(2), an_intent(4)]


def test_a_full_backlog_refuses_new_work_and_takes_what_was_let_in(tmp_path):
    journal = JournalWriter(tmp_path, CHAIN, max_backlog_lines=2)
    journal.intent(an_intent(1))
    journal.intent(an_intent(2))
    with pytest.raises(LedgerUnavailable, match="limit 2"):
        journal.intent(an_intent(3))
    with pytest.raises(LedgerUnavailable, match="limit 2"):
        journal.decision(a_decision(3))
    journal.settle(a_settlement(1))
    assert len(journal.take(2)) == 2
    assert journal.backlog == 3
    with pytest.raises(LedgerUnavailable):
        journal.intent(an_intent(3))
    journal.drained()
    journal.intent(an_intent(3))
    assert journal.backlog == 2
    journal.close(remove=True)


def test_with_durability_power_an_intent_is_flushed_before_the_call_returns(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    journal = JournalWriter(tmp_path, CHAIN, durability="power")
    journal.intent(an_intent(1))
    assert disk.synced == 1
    journal.settle(a_settlement(1))
    assert disk.synced == 1
    disk.sync_error = errno.EIO
    with pytest.raises(LedgerUnavailable):
        journal.intent(an_intent(2))
    disk.sync_error = None
    journal.intent(an_intent(3))
    lines, _ = read(tmp_path)
    assert [line.line.attempt_id[-1] for line in lines] == ["1", "1", "3"]
    journal.close(remove=True)


def test_with_durability_power_nothing_of_a_closed_segment_is_left_unflushed(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    journal = JournalWriter(tmp_path, CHAIN, durability="power", segment_bytes=1_000)
    journal.intent(an_intent(1))
    while len(segments_by_chain(tmp_path)[CHAIN]) == 1:
        journal.settle(a_settlement(1))
        flushed = disk.synced
    assert flushed == 2  # the intent, and the settlements behind it when the segment was closed
    journal.close(remove=True)


def test_where_a_flush_failed_the_chain_goes_on_in_a_new_segment_and_the_doubt_is_said(tmp_path, monkeypatch, caplog):
    disk = Disk(monkeypatch)
    journal = JournalWriter(tmp_path, CHAIN, durability="power")
    journal.intent(an_intent(1))
    journal.settle(a_settlement(1))
    journal.decision(a_decision(2))
    disk.sync_error = errno.EIO
    with pytest.raises(LedgerUnavailable):
        journal.intent(an_intent(2))
    (said,) = [record.getMessage() for record in caplog.records]
    assert "lines 2 to 3" in said
    assert "000000000001.jsonl" in said
    disk.sync_error = None
    journal.intent(an_intent(3))
    names = [path.name for path in segments_by_chain(tmp_path)[CHAIN]]
    assert [name[-18:] for name in names] == ["000000000001.jsonl", "000000000004.jsonl"]
    lines, reading = read(tmp_path)
    assert [line.seq for line in lines] == [1, 2, 3, 4]
    assert lines[-1].line == an_intent(3)
    assert (reading.torn, reading.damages) == ([], [])
    journal.close(remove=True)


LIMITED = """
import resource, sys
from pathlib import Path
from bascule.model.errors import LedgerUnavailable
from bascule.storage.journal.writer import JournalWriter
from bascule.testing.ledger import an_intent, a_settlement
journal = JournalWriter(Path(sys.argv[1]), "r-0-e1")
journal.intent(an_intent(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (2500, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
refused = 0
for number in range(2, 12):
    try:
        journal.intent(an_intent(number))
    except LedgerUnavailable:
        refused += 1
try:
    journal.settle(a_settlement(1))
except LedgerUnavailable:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
journal.intent(an_intent(99))
print(refused)
"""


def test_a_real_limit_of_the_operating_system(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    refused = int(done.stdout)
    lines, reading = read(tmp_path)
    assert 0 < refused < 10
    assert len(lines) == 12 - refused + 1
    assert [line.line for line in lines[-2:]] == [a_settlement(1), an_intent(99)]
    assert (reading.torn, reading.damages) == ([], [])


def test_a_changed_line_is_damage_and_the_rest_is_read(journal, tmp_path):
    for number in range(1, 5):
        journal.intent(an_intent(number))
    (segment,) = segments_by_chain(tmp_path)[CHAIN]
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(lines[0] + lines[1].replace(b'"ann"', b'"eve"') + b"\x00garbage\n" + lines[3])
    found, reading = read(tmp_path)
    assert [line.seq for line in found] == [1, 2, 4]
    assert [damage.where.rpartition(":")[2] for damage in reading.damages] == ["2", "3", "4"]


def test_blocks_of_zeros_at_the_end_are_a_torn_line(journal, tmp_path):
    journal.intent(an_intent(1))
    (segment,) = segments_by_chain(tmp_path)[CHAIN]
    with segment.open("ab") as stream:
        stream.write(b"\x00" * 50 + b"\n")
    found, reading = read(tmp_path)
    assert len(found) == 1
    assert (len(reading.torn), reading.damages) == (1, [])


def test_reading_after_a_head_skips_what_is_known(tmp_path):
    journal = JournalWriter(tmp_path, CHAIN, segment_bytes=1500)
    for number in range(1, 11):
        journal.intent(an_intent(number))
    lines = journal.take(10)
    segments = segments_by_chain(tmp_path)[CHAIN]
    segments[0].write_bytes(b"not looked at\n")
    for seq in (5, 6, 10):
        reading = Reading()
        head = msgspec.structs.replace(journal.head, seq=seq, chain=lines[seq - 1].chain)
        assert list(read_chain(CHAIN, segments, reading, head)) == lines[seq:]
        assert reading.damages == []
    journal.close(remove=True)


def test_decode_chained_gives_the_very_bytes(journal, tmp_path):
    journal.intent(an_intent(1))
    line = decode_chained(text(tmp_path).rstrip(b"\n"))
    assert line.body == msgspec.json.encode(an_intent(1))


def test_what_the_store_has_not_is_told_until_it_has(journal):
    for number in range(1, 6):
        journal.intent(an_intent(number))
    assert [line.seq for line in journal.take(2)] == [1, 2]
    assert sorted(line.seq for line in journal.undrained()) == [1, 2, 3, 4, 5]
    assert journal.backlog == 5
    journal.drained()
    assert [line.seq for line in journal.undrained()] == [3, 4, 5]
    journal.take(10)
    journal.drained()
    assert journal.undrained() == []
