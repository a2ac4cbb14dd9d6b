"""Lines that are written together at the end of a round: what is there when, and what is lost when that fails."""

import os
from pathlib import Path

import pytest
from msgspec import structs

from bascule.model.entry import Line
from bascule.model.errors import LedgerUnavailable
from bascule.storage.journal import writer as writer_module
from bascule.storage.journal.read import Reading, read_chain
from bascule.storage.journal.segments import chain_id_of, segments_by_chain
from bascule.storage.journal.writer import JournalWriter
from bascule.testing.ledger import a_decision, a_settlement, an_adjustment, an_intent

CHAIN = chain_id_of("r", 0, "e1")


class Disk:
    """Stands in for `os` in the writer: counts, and fails as told."""

    def __init__(self, monkeypatch):
        self.short: int | None = None
        self.full = False
        self.writes = self.syncs = 0
        self.truncates = True
        monkeypatch.setattr(writer_module, "os", self)

    def __getattr__(self, name):
        return getattr(os, name)

    def write(self, fd, data):
        self.writes += 1
        if self.full:
            raise OSError(28, "No space left on device")
        return os.write(fd, data if self.short is None else data[: self.short])

    def fdatasync(self, fd):
        self.syncs += 1

    def ftruncate(self, fd, size):
        if not self.truncates:
            raise OSError(5, "Input/output error")
        os.ftruncate(fd, size)


@pytest.fixture
def disk(monkeypatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def due() -> list[int]:
    return []


@pytest.fixture
def journal(tmp_path, disk, due):
    made = JournalWriter(tmp_path, CHAIN)
    made.write_in_groups(lambda: due.append(1))
    yield made
    made.close(remove=False)


def begun(number: int):
    """What `begin` writes."""
    return structs.replace(an_intent(number), decided=a_decision(number))


def lines(directory: Path) -> list:
    reading = Reading()
    found = list(read_chain(CHAIN, segments_by_chain(directory)[CHAIN], reading))
    assert reading.damages == []
    return [line.line for line in found]


def test_a_group_is_one_write_asked_for_once(journal, tmp_path, disk, due):
    journal.begin(a_decision(1), an_intent(1))
    journal.begin(a_decision(2), an_intent(2))
    journal.settle(a_settlement(1))
    journal.decision(a_decision(3))
    assert (disk.writes, len(due), journal.backlog, lines(tmp_path)) == (0, 1, 4, [])
    journal.write_group()
    journal.write_group()
    assert disk.writes == 1
    expected = [begun(1), begun(2), a_settlement(1), a_decision(3)]
    assert lines(tmp_path) == expected
    assert [line.line for line in journal.take(10)] == expected
    journal.settle(a_settlement(2))
    assert len(due) == 2


@pytest.mark.parametrize("kind", ["intent", "adjust", "undrained", "no more groups"])
def test_what_cannot_wait_comes_behind_the_group(journal, tmp_path, kind):
    journal.begin(a_decision(1), an_intent(1))
    behind: list[Line]
    match kind:
        case "intent":
            journal.intent(an_intent(2))
            behind = [an_intent(2)]
        case "adjust":
            journal.adjust(an_adjustment(1))
            behind = [an_adjustment(1)]
        case "undrained":
            assert [line.line for line in journal.undrained()] == [begun(1)]
            behind = []
        case _:
            journal.write_in_groups(None)
            journal.settle(a_settlement(1))
            behind = [a_settlement(1)]
    assert lines(tmp_path) == [begun(1), *behind]


def test_an_intent_that_could_not_be_written_was_never_there(journal, tmp_path, disk):
    journal.intent(an_intent(1))
    journal.begin(a_decision(2), an_intent(2))
    journal.settle(a_settlement(1))
    disk.full = True
    with pytest.raises(LedgerUnavailable, match="No space left"):
        journal.write_group()
    assert journal.unwritten == 1
    disk.full = False
    journal.settle(a_settlement(2))
    journal.begin(a_decision(3), an_intent(3))
    journal.write_group()
    assert lines(tmp_path) == [an_intent(1), a_settlement(1), begun(3)]


def test_an_attempt_begun_and_settled_in_a_lost_group_leaves_no_trace(journal, tmp_path, disk):
    journal.begin(a_decision(1), an_intent(1))
    journal.settle(a_settlement(1))
    disk.full = True
    with pytest.raises(LedgerUnavailable):
        journal.write_group()
    assert (journal.unwritten, journal.backlog) == (0, 0)
    disk.full = False
    journal.intent(an_intent(2))
    assert lines(tmp_path) == [an_intent(2)]


def test_while_settlements_wait_no_group_is_written_before_them(journal, tmp_path, disk):
    journal.intent(an_intent(1))
    journal.settle(a_settlement(1))
    disk.full = True
    with pytest.raises(LedgerUnavailable):
        journal.write_group()
    journal.begin(a_decision(2), an_intent(2))
    with pytest.raises(LedgerUnavailable):
        journal.write_group()
    assert journal.unwritten == 1
    disk.full = False
    journal.begin(a_decision(3), an_intent(3))
    journal.write_group()
    assert lines(tmp_path) == [an_intent(1), a_settlement(1), begun(3)]


def test_who_sends_at_the_end_of_the_round_is_told_of_an_earlier_failure(journal, tmp_path, disk):
    journal.begin(a_decision(1), an_intent(1))
    disk.full = True
    with pytest.raises(LedgerUnavailable):
        journal.intent(an_intent(2))
    assert journal.undrained() == []
    disk.full = False
    journal.begin(a_decision(3), an_intent(3))
    with pytest.raises(LedgerUnavailable, match="No space left"):
        journal.write_group()
    journal.settle(a_settlement(1))
    journal.settle(a_settlement(3))
    journal.write_group()
    assert lines(tmp_path) == [begun(3), a_settlement(3)]


def test_of_a_torn_group_that_cannot_be_cut_away_the_whole_lines_stay(journal, tmp_path, disk):
    """Its requests are refused all the same; the attempt that stays open is settled at its end like any other."""
    journal.intent(an_intent(0))
    journal.begin(a_decision(1), an_intent(1))
    journal.settle(a_settlement(0))
    journal.begin(a_decision(2), an_intent(2))
    disk.short, disk.truncates = len(_as_written(tmp_path, begun(1))) + 10, False
    with pytest.raises(LedgerUnavailable):
        journal.write_group()
    disk.short, disk.truncates = None, True
    assert journal.unwritten == 1
    journal.settle(a_settlement(1))
    journal.settle(a_settlement(2))
    journal.write_group()
    assert lines(tmp_path) == [an_intent(0), begun(1), a_settlement(0), a_settlement(1)]


def _as_written(directory: Path, line) -> bytes:
    other = JournalWriter(directory / "other", CHAIN)
    other.intent(line)
    (segment,) = segments_by_chain(directory / "other")[CHAIN]
    other.close(remove=False)
    return segment.read_bytes()


def test_a_line_that_cannot_be_encoded_is_its_own_request_s_trouble(journal, tmp_path):
    journal.begin(a_decision(1), an_intent(1))
    with pytest.raises(UnicodeEncodeError):
        journal.settle(a_settlement(1, finish_reason="\ud800"))
    journal.write_group()
    assert lines(tmp_path) == [begun(1)]


def test_a_full_backlog_counts_what_waits(tmp_path, disk):
    journal = JournalWriter(tmp_path, CHAIN, max_backlog_lines=1)
    journal.write_in_groups(lambda: None)
    journal.begin(a_decision(1), an_intent(1))
    with pytest.raises(LedgerUnavailable, match="limit 1"):
        journal.begin(a_decision(2), an_intent(2))
    with pytest.raises(LedgerUnavailable, match="limit 1"):
        journal.decision(a_decision(3))
    journal.settle(a_settlement(1))
    journal.write_group()
    assert len(lines(tmp_path)) == 2
    journal.close(remove=True)


def test_with_durability_power_a_group_with_an_intent_is_one_flush(tmp_path, disk):
    journal = JournalWriter(tmp_path, CHAIN, durability="power")
    journal.write_in_groups(lambda: None)
    journal.begin(a_decision(1), an_intent(1))
    journal.begin(a_decision(2), an_intent(2))
    journal.write_group()
    assert disk.syncs == 1
    journal.settle(a_settlement(1))
    journal.write_group()
    assert disk.syncs == 1
    journal.close(remove=True)
