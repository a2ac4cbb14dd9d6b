"""One suite over every store of Idempotency-Keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from bascule.model.idempotency import KeyUse
from bascule.ports import IdempotencyStore
from bascule.storage.memory.idempotency import MemoryIdempotency
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.idempotency import PostgresIdempotency
from bascule.storage.postgres.ledger import PostgresLedger
from bascule.storage.sqlite.connect import Database, open_database
from bascule.storage.sqlite.idempotency import SqliteIdempotency
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.testing.ledger import an_intent, chained

SENT = an_intent(1)
USE = KeyUse(
    name=b"n" * 32,
    digest=b"d" * 32,
    tenant="ci",
    request_id=SENT.request_id,
    owner="local-0-a",
    started_ms=1_000,
    until_ms=2_000,
)
BOUNDS = {"max_rows": 3, "max_rows_per_key": 2}


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IdempotencyStore]:
    """The ledger has the attempt `SENT`, of the request of `USE`."""
    if request.param == "memory":
        yield MemoryIdempotency(**BOUNDS, attempted={SENT.request_id: SENT.attempt_id})
        return
    if request.param == "postgres":
        replicas = PostgresDatabase(request.getfixturevalue("postgres_url"))
        PostgresLedger(replicas).append("local-0-a", chained("local-0-a", [SENT]))
        yield PostgresIdempotency(replicas, **BOUNDS)
        replicas.close()
        return
    database = open_database(tmp_path)
    SqliteLedger(database).append("local-0-a", chained("local-0-a", [SENT]))
    keys = SqliteIdempotency(Database(database.path, "process"), **BOUNDS)
    yield keys
    keys.close()
    database.close()


def another(number: int, **changes: object) -> KeyUse:
    return structs.replace(USE, **{"name": bytes([number]) * 32, "request_id": f"req_other_{number}", **changes})


def test_only_the_first_has_the_name(store: IdempotencyStore) -> None:
    second = structs.replace(USE, digest=b"e" * 32, request_id="req_2", owner="local-0-b")
    assert store.find(USE.name, 1_000) is None
    assert store.claim(USE) == "claimed"
    assert store.claim(second) == USE
    assert store.find(USE.name, 1_999) == USE


def test_what_became_of_it_is_said_by_the_request_that_has_the_name(store: IdempotencyStore) -> None:
    store.claim(USE)
    store.end(USE.name, "req_2", "lost", None)
    assert store.claim(another(1, name=USE.name)) == USE
    store.end(USE.name, USE.request_id, "done", "att_1.2")
    assert store.find(USE.name, 1_000) == structs.replace(USE, state="done", attempt_id="att_1.2")


def test_a_name_is_free_once_it_is_released_by_its_request(store: IdempotencyStore) -> None:
    store.claim(USE)
    store.release(USE.name, "req_2")
    assert store.claim(another(1, name=USE.name)) == USE
    store.release(USE.name, USE.request_id)
    assert store.claim(another(1, name=USE.name)) == "claimed"


def test_a_use_over_its_time_has_its_name_no_more(store: IdempotencyStore) -> None:
    store.claim(USE)
    later = another(1, name=USE.name, started_ms=2_000, until_ms=3_000)
    assert store.find(USE.name, 2_000) is None
    assert store.claim(later) == "claimed"
    assert store.purge(2_999) == 0
    assert store.purge(3_000) == 1
    assert store.find(USE.name, 0) is None


def test_no_more_than_the_bounds_and_nothing_is_forgotten_for_a_new_one(store: IdempotencyStore) -> None:
    assert [store.claim(another(n)) for n in (1, 2, 3)] == ["claimed", "claimed", "full"]
    assert store.claim(another(4, tenant="other")) == "claimed"
    assert store.claim(another(5, tenant="third")) == "full"
    assert store.claim(another(1)) == another(1)
    store.release(another(1).name, another(1).request_id)
    assert store.claim(another(5, tenant="third")) == "claimed"
    store.purge(2_000)
    assert store.claim(another(6, started_ms=2_000, until_ms=3_000)) == "claimed"


def test_what_the_dead_left_is_lost_where_it_was_sent_and_free_where_not(store: IdempotencyStore) -> None:
    unsent, alive = another(1), another(2, tenant="other", owner="local-1-z")
    for use in (USE, unsent, alive):
        assert store.claim(use) == "claimed"
    assert store.abandon(lambda owner: owner == "local-0-a") == 1
    assert store.find(USE.name, 1_000) == structs.replace(USE, state="lost", attempt_id=SENT.attempt_id)
    assert store.find(unsent.name, 1_000) is None
    assert store.find(alive.name, 1_000) == alive
    assert store.claim(unsent) == "claimed"


def test_what_has_ended_is_not_abandoned(store: IdempotencyStore) -> None:
    store.claim(USE)
    store.end(USE.name, USE.request_id, "done", SENT.attempt_id)
    assert store.abandon(lambda owner: True) == 0
    found = store.find(USE.name, 1_000)
    assert found is not None
    assert found.state == "done"
