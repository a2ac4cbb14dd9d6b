"""One suite over every store of outcomes."""

from pathlib import Path

import pytest
from msgspec import structs

from bascule.model.errors import StoreError
from bascule.model.session_outcome import SessionOutcome
from bascule.ports import OutcomeStore
from bascule.storage.memory.outcomes import MemoryOutcomes
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.outcomes import PostgresOutcomes
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.outcomes import SqliteOutcomes

SAID = SessionOutcome(session_id="s1", at_ms=1_000, outcome="merged", source="git", note="merge ab12", work="o/n#7")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "memory":
        yield MemoryOutcomes()
        return
    if request.param == "postgres":
        database = PostgresDatabase(request.getfixturevalue("postgres_url"))
        yield PostgresOutcomes(database)
        database.close()
        return
    database = open_database(tmp_path)
    yield SqliteOutcomes(database)
    database.close()


def test_what_is_said_is_kept_as_it_was_said(store: OutcomeStore) -> None:
    more = SessionOutcome(
        session_id=None, request_id="req_1", part="main", at_ms=5, score=0.25, source="feedback:app", note=None
    )
    store.add([SAID, more])
    store.add([])
    assert store.all() == [SAID, more]
    assert store.all("s1") == [SAID]
    assert store.all("s2") == []
    assert store.current() == [SAID, more]


def test_the_last_of_a_source_about_one_thing_counts_and_nothing_is_lost(store: OutcomeStore) -> None:
    reverted = structs.replace(SAID, outcome="reverted", at_ms=500)
    person = structs.replace(SAID, outcome="useful", source="ann")
    elsewhere = structs.replace(SAID, part="feature")
    one_request = structs.replace(SAID, request_id="req_9")
    store.add([SAID, person, elsewhere, one_request])
    store.add([reverted])
    assert store.current() == [person, elsewhere, one_request, reverted]
    assert store.all() == [SAID, person, elsewhere, one_request, reverted]


def test_a_source_may_take_back_what_it_said(store: OutcomeStore) -> None:
    store.add([SAID, structs.replace(SAID, outcome=None)])
    assert store.current() == []
    assert len(store.all()) == 2


def test_an_outcome_is_of_something(store: OutcomeStore) -> None:
    with pytest.raises(StoreError):
        store.add([structs.replace(SAID, session_id=None)])
    assert store.all() == []
