"""One suite over every store of trials and compared pairs."""

import sqlite3
from pathlib import Path

import pytest
from msgspec import structs

from bascule.decide.evidence.enrolment import Counted
from bascule.decide.promotion.step import demoted
from bascule.decide.promotion.trial import Rules, Trial, TrialKey, trial_id, with_session
from bascule.model.errors import StoreError
from bascule.offline.verify import verify_audit
from bascule.ports import ComparedPair, EvidenceStore, Governance
from bascule.storage.memory.evidence import MemoryEvidence
from bascule.storage.memory.governance import MemoryGovernance
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.evidence import PostgresEvidence
from bascule.storage.postgres.governance import PostgresGovernance
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.evidence import SqliteEvidence
from bascule.storage.sqlite.governance import SqliteGovernance

RULES = Rules()
KEY = TrialKey(route="auto", task="chat", incumbent="big", challenger="small", fingerprint="f")
TRIAL = Trial(key=KEY, since_ms=7)
NAME = trial_id(KEY)
SESSION = Counted(session_id="s1", began_ms=1, pairs=1, missing=0, for_promotion=0.5, for_demotion=0.5)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "memory":
        governance = MemoryGovernance()
        yield MemoryEvidence(governance), governance
        return
    if request.param == "postgres":
        database = PostgresDatabase(request.getfixturevalue("postgres_url"))
        kept = PostgresGovernance(database, tmp_path / "audit.anchor")
        yield PostgresEvidence(database, kept), kept
        database.close()
        return
    file = open_database(tmp_path)
    known = SqliteGovernance(file)
    yield SqliteEvidence(file, known), known
    file.close()


@pytest.fixture
def store(stores: tuple[EvidenceStore, Governance]) -> EvidenceStore:
    return stores[0]


def pair(number: int, session: str = "s1", **more: object) -> ComparedPair:
    return ComparedPair(
        pair_id=f"p{number}", trial_id=NAME, request_id=f"r{number}", session_id=session, enrolled_ms=number, **more
    )


def test_a_trial_is_opened_once(store: EvidenceStore) -> None:
    first = store.open(TRIAL)
    again = store.open(structs.replace(TRIAL, since_ms=99))
    assert first == again
    assert (first.trial, first.trial_id, first.version) == (TRIAL, NAME, 1)
    other = store.open(Trial(key=structs.replace(KEY, task="a"), since_ms=7))
    changed = store.open(Trial(key=structs.replace(KEY, challenger_snapshot="2"), since_ms=8))
    assert store.trials()[0] == other
    assert {kept.trial_id for kept in store.trials()[1:]} == {first.trial_id, changed.trial_id}


def test_pairs_wait_in_order_until_their_session_is_counted(store: EvidenceStore) -> None:
    kept = store.open(TRIAL)
    for one in (pair(3, "s2"), pair(1), pair(2)):
        store.enrol(one)
    graded = pair(1, graded_ms=5, difference=-0.5, grader="exact", shadow_nanousd=70, judge_nanousd=0)
    store.grade(graded)
    assert store.waiting(NAME) == [graded, pair(2), pair(3, "s2")]
    assert store.pairs_of("r1") == [graded]
    assert store.save(kept, kept.trial, counted=["s1"])
    store.enrol(pair(9))  # its session has been counted
    assert store.waiting(NAME) == [pair(3, "s2")]


def test_what_was_not_enrolled_cannot_be_graded_nor_enrolled_twice(store: EvidenceStore) -> None:
    with pytest.raises(StoreError):
        store.enrol(pair(1))  # no such trial
    store.open(TRIAL)
    store.enrol(pair(1))
    with pytest.raises(StoreError):
        store.enrol(pair(1))
    with pytest.raises(StoreError):
        store.grade(pair(2))
    assert store.waiting(NAME) == [pair(1)]


def test_a_pair_that_is_withdrawn_holds_nobody_back(store: EvidenceStore) -> None:
    store.open(TRIAL)
    store.enrol(pair(1))
    store.enrol(pair(2))
    store.withdraw("p1")
    store.withdraw("p9")
    assert store.waiting(NAME) == [pair(2)]


def test_labelled_pairs_calibrate_and_wait_no_more(store: EvidenceStore) -> None:
    store.open(TRIAL)
    store.enrol(pair(1))
    store.enrol(pair(2))
    assert store.label("p2", -1.0)
    assert not store.label("p9", 0.0)
    assert store.labelled(NAME) == [pair(2, label=-1.0)]
    assert store.waiting(NAME) == [pair(1)]


def test_old_pairs_are_forgotten_and_what_they_came_to_stays(store: EvidenceStore) -> None:
    kept = store.open(TRIAL)
    for number, session in ((1, "s1"), (2, "s1"), (50, "s2"), (51, "s3")):
        store.enrol(pair(number, session))
    after = with_session(kept.trial, SESSION, RULES)
    assert store.save(kept, after, counted=["s1", "s2"])
    assert store.forget(10) == 2
    assert store.forget(10) == 0
    assert store.waiting(NAME) == [pair(51, "s3")]
    assert store.trials()[0].trial == after
    store.enrol(pair(60, "s2"))  # it has been counted, and that is still known
    assert store.waiting(NAME) == [pair(51, "s3")]


def test_a_trial_comes_back_as_it_was_saved(store: EvidenceStore) -> None:
    kept = store.open(TRIAL)
    after = with_session(kept.trial, SESSION, RULES)
    assert store.save(kept, after)
    (found,) = store.trials()
    assert found.trial == after
    assert found.version == kept.version + 1


def test_nobody_writes_over_what_another_has_saved(stores: tuple[EvidenceStore, Governance]) -> None:
    store, governance = stores
    kept = store.open(TRIAL)
    store.enrol(pair(1))
    store.enrol(pair(2, "s2"))
    assert store.save(kept, with_session(kept.trial, SESSION, RULES), counted=["s1"])
    out, transition = demoted(kept.trial, RULES, 5, by="ann", reason="bad")
    assert not store.save(kept, out, counted=["s2"], transition=transition)
    assert store.trials()[0].trial.state == "shadow"
    assert store.waiting(NAME) == [pair(2, "s2")]
    assert list(governance.audit()) == []


def test_a_transition_is_an_entry_of_the_audit_trail_with_its_evidence(
    stores: tuple[EvidenceStore, Governance],
) -> None:
    store, governance = stores
    kept = store.open(TRIAL)
    out, transition = demoted(with_session(kept.trial, SESSION, RULES), RULES, 5, by="ann", reason="bad")
    assert store.save(kept, out, transition=transition)
    (entry,) = governance.audit()
    assert (entry.ts_ms, entry.by, entry.action, entry.target) == (5, "ann", "evidence.demoted", NAME)
    assert entry.detail["reason"] == "bad"
    assert entry.detail["evidence"]["sessions"] == 1
    assert entry.detail["key"]["challenger"] == "small"
    assert verify_audit(governance.audit(), governance.audit_head()).holds


def test_an_audit_trail_that_cannot_be_written_leaves_the_trial_as_it_was(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    store = SqliteEvidence(database, SqliteGovernance(database))
    kept = store.open(TRIAL)
    with sqlite3.connect(database.path) as connection:
        connection.execute("DROP TABLE audit")
    out, transition = demoted(kept.trial, RULES, 5, by="ann", reason="bad")
    with pytest.raises(StoreError):
        store.save(kept, out, transition=transition)
    assert store.trials() == [kept]
    database.close()
