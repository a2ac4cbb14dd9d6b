"""One suite over every authority of several workers: in memory, in SQLite, in PostgreSQL."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bascule.decide.lease import Need, Report
from bascule.model.errors import StoreError
from bascule.ports import Counted, Exchanged, Holder, LeaseStore
from bascule.storage.memory.leases import MemoryLeases
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.leases import PostgresLeases
from bascule.storage.sqlite.leases import SqliteLeases, forget_leases

NOW = 1_000_000
TERM = 10_000
KEY, TEAM = ("key:k", "2026-11"), ("team:t", "2026-11")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def leases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LeaseStore]:
    if request.param == "memory":
        yield MemoryLeases()
        return
    if request.param == "postgres":
        database = PostgresDatabase(request.getfixturevalue("postgres_url"))
        yield PostgresLeases(database)
        database.close()
        return
    store = SqliteLeases(tmp_path)
    yield store
    store.shut()


class Worker:
    """Says what it is told to, in turns."""

    def __init__(self, leases: LeaseStore, name: str) -> None:
        self._leases = leases
        self._name = name
        self.turn = 0
        leases.enrol(self.holder())

    def holder(self, now_ms: int = NOW) -> Holder:
        return Holder(self._name, "here", now_ms + TERM)

    def say(self, *counted: Counted, needs: tuple[Need, ...] = (), now_ms: int = NOW) -> Exchanged:
        self.turn += 1
        return self._leases.exchange(self.holder(now_ms), self.turn, counted, needs, now_ms)


def told(counter: tuple[str, str] = KEY, limit: int | None = 100, opening: int | None = 0, **more: int) -> Counted:
    values = {"settled_nanousd": 0, "held_nanousd": 0, "ceiling_nanousd": 0, **more}
    return Counted(counter, Report(limit_nanousd=limit, **values), opening)


def need(amount: int, *accounts: int) -> Need:
    return Need(amount_nanousd=amount, accounts=accounts or (0,))


def test_what_is_granted_to_one_is_not_granted_to_another(leases: LeaseStore) -> None:
    one, other = Worker(leases, "one"), Worker(leases, "other")
    first = one.say(told(), needs=(need(70),))
    assert first.verdicts[0].is_granted
    assert first.standings[0] is not None
    assert first.standings[0].ceiling_nanousd == 70
    second = other.say(told(), needs=(need(31),))
    assert not second.verdicts[0].is_granted
    assert second.standings[0] is not None
    assert second.standings[0].idle_elsewhere_nanousd == 70
    assert other.say(told(), needs=(need(30),)).verdicts[0].is_granted


def test_an_account_that_is_missing_is_said_to_be_and_nothing_is_done(leases: LeaseStore) -> None:
    one = Worker(leases, "one")
    answer = one.say(told(opening=None), told(TEAM, opening=5), needs=(need(1),))
    assert answer.standings == (None, None)
    assert answer.verdicts == ()
    assert leases.counters() == []


def test_an_account_opens_at_what_was_spent_before(leases: LeaseStore) -> None:
    one = Worker(leases, "one")
    assert not one.say(told(opening=95), needs=(need(6),)).verdicts[0].is_granted
    assert one.say(told(opening=0), needs=(need(5),)).verdicts[0].is_granted


def test_a_need_is_served_in_all_of_its_accounts_or_in_none(leases: LeaseStore) -> None:
    one, other = Worker(leases, "one"), Worker(leases, "other")
    one.say(told(TEAM), needs=(need(60),))
    answer = other.say(told(KEY), told(TEAM), needs=(need(50, 0, 1), need(40, 0, 1)))
    assert [verdict.is_granted for verdict in answer.verdicts] == [False, True]
    assert [standing and standing.ceiling_nanousd for standing in answer.standings] == [40, 40]


def test_what_lies_idle_is_asked_back_and_a_refusal_waits_for_the_answer(leases: LeaseStore) -> None:
    one, other = Worker(leases, "one"), Worker(leases, "other")
    one.say(told(), needs=(need(90),))
    verdict = other.say(told(), needs=(need(50),)).verdicts[0]
    assert not verdict.is_granted
    assert not verdict.is_final
    heard = one.say(told(ceiling_nanousd=90, held_nanousd=20)).standings[0]
    assert heard is not None
    assert heard.recall == verdict.recalls[0] == 1
    one.say(told(ceiling_nanousd=20, held_nanousd=20, answered=heard.recall))
    again = Need(amount_nanousd=50, accounts=(0,), recalls=verdict.recalls)
    assert other.say(told(), needs=(again,)).verdicts[0].is_granted


def test_a_refusal_is_final_when_all_have_answered(leases: LeaseStore) -> None:
    one, other = Worker(leases, "one"), Worker(leases, "other")
    one.say(told(), needs=(need(90),))
    verdict = other.say(told(), needs=(need(50),)).verdicts[0]
    one.say(told(ceiling_nanousd=60, held_nanousd=60, answered=verdict.recalls[0]))
    again = Need(amount_nanousd=50, accounts=(0,), recalls=verdict.recalls)
    answer = other.say(told(), needs=(again,)).verdicts[0]
    assert answer.is_final
    assert not answer.is_granted


def test_saying_it_again_changes_nothing(leases: LeaseStore) -> None:
    one = Worker(leases, "one")
    one.say(told(), needs=(need(40),))
    report = told(ceiling_nanousd=40, settled_nanousd=30, held_nanousd=10)
    first = one.say(report)
    assert one.say(report) == first
    [seen] = leases.standings([KEY], NOW)
    assert seen is not None
    assert (seen.settled_elsewhere_nanousd, seen.held_elsewhere_nanousd, seen.idle_elsewhere_nanousd) == (30, 10, 0)


def test_an_exchange_that_another_has_overtaken_is_refused(leases: LeaseStore) -> None:
    one = Worker(leases, "one")
    one.say(told(), needs=(need(40),))
    one.say(told(ceiling_nanousd=40))
    one.turn = 0
    with pytest.raises(StoreError, match="enrolled"):
        one.say(told(), needs=(need(1),))


def test_a_dead_workers_share_stays_taken_until_it_is_closed(leases: LeaseStore) -> None:
    dead, other = Worker(leases, "dead"), Worker(leases, "other")
    dead.say(told(), needs=(need(90),))
    dead.say(told(ceiling_nanousd=90, settled_nanousd=10, held_nanousd=20))
    later = NOW + 2 * TERM
    assert not other.say(told(), needs=(need(11),), now_ms=later).verdicts[0].is_granted
    [seen] = leases.standings([KEY], later)
    assert seen is not None
    assert (seen.settled_elsewhere_nanousd, seen.held_elsewhere_nanousd) == (90, 0)  # no hold is open for ever
    assert not leases.close("dead", {TEAM: 30})  # the account that it is about is not among them
    assert leases.close("dead", {KEY: 30})
    assert other.say(told(), needs=(need(70),), now_ms=later).verdicts[0].is_granted
    assert (
        not other.say(told(ceiling_nanousd=70, held_nanousd=70), needs=(need(1),), now_ms=later).verdicts[0].is_granted
    )
    assert leases.close("dead", {KEY: 30})  # which was done already
    with pytest.raises(StoreError, match="enrolled"):
        dead.say(told())


def test_accounts_are_opened_once_and_only_while_nobody_has_ended(leases: LeaseStore) -> None:
    Worker(leases, "one")
    assert leases.open({KEY: 7}, ["one"])
    assert leases.open({KEY: 9, TEAM: 1}, ["one"])
    found = leases.standings([KEY, TEAM], NOW)
    assert [standing and standing.settled_elsewhere_nanousd for standing in found] == [7, 1]
    assert leases.close("one", dict.fromkeys(leases.counters(), 0))
    assert not leases.open({("org:o", "total"): 3}, ["one"])
    assert ("org:o", "total") not in leases.counters()


def test_windows_that_are_over_are_forgotten(leases: LeaseStore) -> None:
    Worker(leases, "one").say(told(), told(("key:k", "total")))
    leases.forget(["2026-11"])
    assert leases.counters() == [("key:k", "total")]


def test_a_counter_that_nothing_limits_is_only_counted(leases: LeaseStore) -> None:
    one = Worker(leases, "one")
    answer = one.say(told(limit=None, settled_nanousd=500), needs=(need(10**12),))
    assert answer.verdicts[0].is_granted
    [seen] = leases.standings([KEY], NOW)
    assert seen is not None
    assert seen.settled_elsewhere_nanousd == 500


def test_workers_at_once_are_never_granted_more_than_there_is(
    request: pytest.FixtureRequest, leases: LeaseStore, tmp_path: Path
) -> None:
    """Each with a connection of its own, as processes have."""
    Worker(leases, "first").say(told(limit=1_000))
    granted: list[int] = []

    def work(name: str) -> None:
        own = SqliteLeases(tmp_path) if isinstance(leases, SqliteLeases) else leases
        worker = Worker(own, name)
        ceiling = 0
        for _ in range(40):
            answer = worker.say(told(limit=1_000, ceiling_nanousd=ceiling, held_nanousd=ceiling), needs=(need(7),))
            assert answer.standings[0] is not None
            ceiling = answer.standings[0].ceiling_nanousd
        granted.append(ceiling)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 994


def test_a_file_that_is_begun_anew_knows_nobody(tmp_path: Path) -> None:
    store = SqliteLeases(tmp_path)
    Worker(store, "one").say(told())
    store.shut()
    forget_leases(tmp_path)
    fresh = SqliteLeases(tmp_path)
    assert fresh.holders() == []
    assert fresh.counters() == []
    fresh.shut()
