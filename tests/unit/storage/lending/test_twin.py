"""A gateway that finds another one under its own replica's name."""

from pathlib import Path

import pytest

from bascule.model.errors import StoreError
from bascule.ports import Holder
from bascule.storage.journal.segments import lock_chain
from bascule.storage.lending.twin import LISTENING_S, judge_only
from bascule.storage.memory.leases import MemoryLeases

REPLICA = "r0123456789ab"
DEAD = f"{REPLICA}-0-dead"


class Enrolled(MemoryLeases):
    """Holders with their terms, and what happens in each pause."""

    def __init__(self, **terms: int) -> None:
        super().__init__()
        self.terms = terms
        self.pauses: list[float] = []
        self.prolonged: set[str] = set()
        self.replica = REPLICA

    def holders(self) -> list[Holder]:
        return [Holder(name, self.replica, until_ms) for name, until_ms in self.terms.items()]

    def pause(self, for_s: float) -> None:
        self.pauses.append(for_s)
        if sum(self.pauses) >= 1:  # a heartbeat
            for name in self.prolonged & self.terms.keys():
                self.terms[name] += 1_000


def test_where_nobody_is_enrolled_nothing_is_waited_for(tmp_path: Path) -> None:
    store = Enrolled()
    judge_only(store, tmp_path, REPLICA, store.pause)
    assert store.pauses == []


def test_the_dead_are_silent(tmp_path: Path) -> None:
    store = Enrolled(**{DEAD: 5_000})
    judge_only(store, tmp_path, REPLICA, store.pause)
    assert sum(store.pauses) == pytest.approx(LISTENING_S)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_lives_is_named_with_the_remedy(tmp_path: Path) -> None:
    store = Enrolled(**{DEAD: 5_000, f"{REPLICA}-0-other": 9_000})
    store.prolonged = {f"{REPLICA}-0-other"}
    with pytest.raises(StoreError, match=rf"serves as the replica {REPLICA}.*is a copy.*remove its file 'replica'"):
        judge_only(store, tmp_path, REPLICA, store.pause)
    assert sum(store.pauses) == pytest.approx(1)


def test_workers_of_this_host_are_no_copy(tmp_path: Path) -> None:
    store = Enrolled(**{f"{REPLICA}-1-sibling": 5_000})
    store.prolonged = {f"{REPLICA}-1-sibling"}
    lock = lock_chain(tmp_path, f"{REPLICA}-1-sibling")
    assert lock is not None
    judge_only(store, tmp_path, REPLICA, store.pause)
    assert store.pauses == []
    lock.release()


def test_other_replicas_are_no_copy(tmp_path: Path) -> None:
    store = Enrolled(other=5_000)
    store.replica, store.prolonged = "rba9876543210", {"other"}
    judge_only(store, tmp_path, REPLICA, store.pause)
    assert store.pauses == []


def test_one_that_ends_meanwhile_is_no_copy(tmp_path: Path) -> None:
    store = Enrolled(**{DEAD: 5_000})

    def pause(for_s: float) -> None:
        store.terms.clear()

    judge_only(store, tmp_path, REPLICA, pause)
