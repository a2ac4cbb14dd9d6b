"""One suite over every store of keys and budgets, and the keys that are built on it."""

import hmac
import stat
from pathlib import Path

import pytest
from msgspec import structs

from bascule.model.chain import ChainHead
from bascule.model.errors import StoreError
from bascule.model.policy import Budget, KeyPolicy
from bascule.offline.verify import verify_audit
from bascule.ports import Governance
from bascule.storage.keys import (
    PEPPER_FILE,
    KeyHasher,
    KeyRing,
    create_key,
    live_keys,
    open_pepper,
    revoke_key,
    rotate_key,
)
from bascule.storage.memory.governance import MemoryGovernance
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.governance import PostgresGovernance
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.governance import SqliteGovernance

NOW = 1_000_000
CI = KeyPolicy(name="ci", team="platform", models=("auto",), tags={"env": "ci"})
HASHER = KeyHasher(b"p" * 32)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def governance(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "memory":
        yield MemoryGovernance()
        return
    if request.param == "postgres":
        database = PostgresDatabase(request.getfixturevalue("postgres_url"))
        yield PostgresGovernance(database, tmp_path / "audit.anchor")
        database.close()
        return
    database = open_database(tmp_path)
    yield SqliteGovernance(database)
    database.close()


def actions(governance: Governance) -> list[tuple[str, str, str]]:
    return [(entry.by, entry.action, entry.target) for entry in governance.audit()]


@pytest.mark.parametrize("pepper_bytes", [32, 64, 65, 200])
@pytest.mark.parametrize("secret", [b"", b"bsk-1", b"s" * 300])
def test_a_key_is_hashed_as_by_the_standard(pepper_bytes, secret):
    pepper = bytes(range(pepper_bytes))
    hasher = KeyHasher(pepper)
    for _ in range(2):
        assert hasher.digest(secret) == hmac.digest(pepper, secret, "sha256")


def test_a_created_key_is_found_by_its_secret_alone(governance):
    ring = KeyRing(HASHER, governance)
    assert ring.is_open
    new = create_key(governance, HASHER, CI, by="ann", now_ms=NOW)
    assert ring.lookup(new.secret.encode()) is None
    assert ring.refresh()
    assert not ring.refresh()
    assert ring.lookup(new.secret.encode()) == structs.replace(CI, source="store")
    assert ring.lookup(new.secret.encode()[:-1]) is None
    assert ring.lookup(b"") is None
    assert not ring.is_open


def test_the_form_of_a_key_and_what_is_kept_of_it(governance, tmp_path):
    new = create_key(governance, HASHER, CI, by="ann", now_ms=NOW)
    prefix, key_id, random = new.secret.split("-", 2)
    assert (prefix, key_id, len(random)) == ("bsk", new.stored.key_id, 43)
    assert new.secret not in repr(new)
    assert "pppp" not in repr(HASHER)
    assert all(random not in repr(entry) for entry in governance.audit())
    assert all(random.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_replicas_have_one_pepper_from_the_first_of_them_on(governance):
    KeyRing(HASHER, governance, shared=True)
    with pytest.raises(StoreError, match="Copy the file `pepper`"):
        KeyRing(KeyHasher(b"q" * 32), governance, shared=True)
    KeyRing(HASHER, governance, shared=True)


def test_a_name_is_taken_while_its_key_is_good(governance):
    create_key(governance, HASHER, CI, by="ann", now_ms=NOW)
    with pytest.raises(StoreError, match="already is a key named ci"):
        create_key(governance, HASHER, CI, by="ann", now_ms=NOW)
    assert revoke_key(governance, "ci", by="ann", now_ms=NOW + 1) == 1
    create_key(governance, HASHER, CI, by="ann", now_ms=NOW + 2)
    assert len(governance.keys()) == 2


def test_rotation_has_the_new_key_before_the_old_one_ends(governance):
    old = create_key(governance, HASHER, CI, by="ann", now_ms=NOW)
    new = rotate_key(governance, HASHER, "ci", by="bob", now_ms=NOW + 10, grace_ms=100)
    assert new is not None
    ring = KeyRing(HASHER, governance)
    assert ring.lookup(old.secret.encode()).expires_ms == NOW + 110
    assert ring.lookup(new.secret.encode()).expires_ms is None
    assert [key.key_id for key in live_keys(governance, NOW + 110)] == [new.stored.key_id]
    assert rotate_key(governance, HASHER, "nobody", by="bob", now_ms=NOW) is None
    assert actions(governance) == [
        ("ann", "key.create", old.stored.key_id),
        ("bob", "key.rotate", new.stored.key_id),
        ("bob", "key.revoke", old.stored.key_id),
    ]


def test_a_revoked_key_has_ended_and_revoking_the_last_one_opens_nothing(governance):
    new = create_key(governance, HASHER, structs.replace(CI, expires_ms=NOW + 50), by="ann", now_ms=NOW)
    ring = KeyRing(HASHER, governance)
    assert ring.lookup(new.secret.encode()).expires_ms == NOW + 50
    assert revoke_key(governance, new.stored.key_id, by="ann", now_ms=NOW + 5) == 1
    assert revoke_key(governance, new.stored.key_id, by="ann", now_ms=NOW + 6) == 0
    ring.refresh()
    assert ring.lookup(new.secret.encode()).expires_ms == NOW + 5
    assert not ring.is_open


def test_an_earlier_end_stands(governance):
    new = create_key(governance, HASHER, CI, by="ann", now_ms=NOW)
    end = governance.end_key
    assert end(new.stored.key_id, at_ms=NOW + 10, by="a", now_ms=NOW)
    assert not end(new.stored.key_id, at_ms=NOW + 20, by="a", now_ms=NOW)
    assert not end("unknown", at_ms=NOW, by="a", now_ms=NOW)
    assert end(new.stored.key_id, at_ms=NOW + 5, by="a", now_ms=NOW)


def test_configured_keys_and_reload(governance):
    ring = KeyRing(HASHER, governance, [(b"s3cret", CI)])
    assert ring.lookup(b"s3cret") == CI
    assert not ring.is_open
    ring.configure([(b"other", CI)])
    assert ring.lookup(b"s3cret") is None
    with pytest.raises(ValueError, match="empty secret"):
        ring.configure([(b"", CI)])
    assert ring.lookup(b"other") == CI


def test_another_pepper_is_noticed_where_keys_depend_on_it(governance):
    KeyRing(HASHER, governance)
    KeyRing(KeyHasher(b"q" * 32), governance)
    create_key(governance, KeyHasher(b"q" * 32), CI, by="ann", now_ms=NOW)
    with pytest.raises(StoreError, match="another pepper"):
        KeyRing(HASHER, governance)


def test_budgets_are_set_replaced_and_removed_with_audit(governance):
    budget = Budget(scope="team:platform", limit_nanousd=5, window="month", alerts=(0.5,), on_exhausted="degrade")
    governance.set_budget(budget, by="ann", now_ms=NOW)
    governance.set_budget(structs.replace(budget, limit_nanousd=7), by="ann", now_ms=NOW)
    governance.set_budget(structs.replace(budget, window="day"), by="ann", now_ms=NOW)
    assert [(each.window, each.limit_nanousd, each.source) for each in governance.budgets()] == [
        ("day", 5, "store"),
        ("month", 7, "store"),
    ]
    assert governance.remove_budget("team:platform", "month", by="bob", now_ms=NOW)
    assert not governance.remove_budget("team:platform", "month", by="bob", now_ms=NOW)
    assert [action for _, action, _ in actions(governance)] == ["budget.set"] * 3 + ["budget.remove"]


def test_every_change_raises_the_revision(governance):
    before = governance.revision()
    governance.record(ts_ms=NOW, by="ann", action="config.reload", target="bascule.yaml", detail={"hash": "x"})
    assert governance.revision() > before


def test_the_trail_holds_and_every_way_of_bending_it_is_named(governance):
    for number in range(4):
        governance.record(ts_ms=NOW, by="ann", action="config.reload", target=str(number), detail={"n": number})
    entries, head = list(governance.audit()), governance.audit_head()
    assert verify_audit(entries, head).holds
    assert verify_audit(entries, ChainHead(2, entries[1].chain)).holds
    assert verify_audit([], None).holds

    def found(bent, anchor=head):
        return [finding.where for finding in verify_audit(bent, anchor).findings]

    changed = [*entries[:1], structs.replace(entries[1], by="eve"), *entries[2:]]
    assert found(changed) == ["audit entry 2"]
    assert found([entries[0], *entries[2:]]) == ["audit entry 3"]
    assert found([entries[1], entries[0], *entries[2:]])[0] == "audit entry 2"
    assert found(entries[:-1]) == ["audit entry 4"]
    assert found([]) == ["audit entry 4"]
    assert found(entries, None) == ["audit.anchor"]


def test_the_pepper_is_made_once_and_for_its_owner_only(tmp_path):
    first = open_pepper(tmp_path / "data")
    assert open_pepper(tmp_path / "data").fingerprint == first.fingerprint
    path = tmp_path / "data" / PEPPER_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [PEPPER_FILE]
    path.chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        open_pepper(tmp_path / "data")
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(StoreError, match="damaged"):
        open_pepper(tmp_path / "data")


def test_two_processes_see_each_others_changes(tmp_path):
    one, other = open_database(tmp_path), open_database(tmp_path)
    ring = KeyRing(HASHER, SqliteGovernance(one))
    new = create_key(SqliteGovernance(other), HASHER, CI, by="ann", now_ms=NOW)
    assert ring.refresh()
    assert ring.lookup(new.secret.encode()) is not None
    one.close()
    other.close()


def test_a_claim_is_the_first_one_s_until_it_is_over(governance):
    assert governance.claim_once("alert a", 2_000, 1_000)
    assert not governance.claim_once("alert a", 2_000, 1_500)
    assert governance.claim_once("alert b", 2_000, 1_500)
    assert governance.claim_once("alert a", 3_000, 1_500), "of another window"
    assert governance.claim_once("alert a", 2_000, 2_001), "forgotten"
    assert governance.setting("alert a") is None


class Silent:
    """A store of keys that can be made to fail or to hang."""

    def __init__(self, governance: Governance) -> None:
        self._governance = governance
        self.fails = False
        self.asked = lambda: None

    def revision(self) -> int:
        self.asked()
        if self.fails:
            raise StoreError("PostgreSQL at db: no answer within 16 s")
        return self._governance.revision()

    def __getattr__(self, name: str):
        return getattr(self._governance, name)


class Hands:
    """A monotonic clock that is set by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_while_the_store_is_silent_known_keys_are_good_and_unknown_ones_cannot_be_judged(governance):
    store, clock = Silent(governance), Hands()
    new = create_key(governance, HASHER, CI, by="ann", now_ms=NOW)
    ring = KeyRing(HASHER, store, grace_s=60, monotonic_s=clock)
    assert ring.outage is None
    store.fails = True
    with pytest.raises(StoreError):
        ring.refresh()
    assert ring.outage == "PostgreSQL at db: no answer within 16 s"
    assert ring.lookup(new.secret.encode()) is not None
    clock.now_s += 61
    with pytest.raises(StoreError):
        ring.refresh()
    assert ring.lookup(new.secret.encode()) is None
    assert not ring.is_open
    store.fails = False
    assert ring.refresh()
    assert ring.lookup(new.secret.encode()) is not None
    assert ring.outage is None


def test_a_store_that_hangs_is_an_outage_before_it_has_failed(governance):
    store, clock = Silent(governance), Hands()
    ring = KeyRing(HASHER, store, monotonic_s=clock)
    seen = []

    def hang() -> None:
        seen.append(ring.outage)
        clock.now_s += 1.5
        seen.append(ring.outage)

    store.asked = hang
    ring.refresh()
    assert seen == [None, "the store of keys has not answered yet"]
    assert ring.outage is None
