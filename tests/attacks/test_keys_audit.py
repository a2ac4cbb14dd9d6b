"""Somebody who may write to the database, and has not got the pepper, hands himself another key's rights."""

import sqlite3
from pathlib import Path

from bascule.model.policy import KeyPolicy
from bascule.offline.audit import read_trail
from bascule.storage.keys import KeyHasher, KeyRing, create_key, open_pepper
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.governance import SqliteGovernance


def findings(governance: SqliteGovernance) -> set[str]:
    return {one.where for one in read_trail(governance, latest=0).verdict.findings}


def two_keys(folder: Path) -> tuple[SqliteGovernance, KeyHasher, str, dict[str, str]]:
    """The store, the secret of a member, and the ids of both keys by name."""
    governance, hasher = SqliteGovernance(open_database(folder)), open_pepper(folder)
    create_key(governance, hasher, KeyPolicy(name="boss", role="admin"), by="ann", now_ms=1)
    mine = create_key(governance, hasher, KeyPolicy(name="mine"), by="ann", now_ms=2)
    assert findings(governance) == set()
    stored = governance.keys()
    return governance, hasher, mine.secret, {key.policy.name: key.key_id for key in stored}


def test_digests_that_change_places_are_named(tmp_path: Path) -> None:
    governance, hasher, secret, ids = two_keys(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as connection:
        digests = dict(connection.execute("SELECT key_id, digest FROM keys").fetchall())
        connection.execute("UPDATE keys SET digest = key_id")
        for to, of in (("boss", "mine"), ("mine", "boss")):
            connection.execute("UPDATE keys SET digest = ? WHERE key_id = ?", (digests[ids[of]], ids[to]))
    stolen = KeyRing(hasher, governance).lookup(secret.encode())
    assert stolen is not None
    assert stolen.role == "admin", "the attack itself does not work, so nothing is proved"
    assert findings(governance) == {f"key {ids['boss']}", f"key {ids['mine']}"}


def test_a_digest_of_ones_own_is_named(tmp_path: Path) -> None:
    governance, hasher, _, ids = two_keys(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as connection:
        connection.execute("UPDATE keys SET digest = ? WHERE key_id = ?", (hasher.digest(b"guess"), ids["boss"]))
    assert findings(governance) == {f"key {ids['boss']}"}


def test_the_trail_tells_no_digest(tmp_path: Path) -> None:
    governance, *_ = two_keys(tmp_path)
    said = "".join([str(entry.detail) for entry in governance.audit()])
    stored = governance.keys()
    assert len(stored) == 2
    assert [key.key_id for key in stored if key.digest.hex() in said] == []
