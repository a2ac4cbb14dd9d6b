"""Promise 32: a trail is flipped, thinned, shuffled, cut and forged in the database itself; the verdict names where."""

import random
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.promises.conftest import Figure

from bascule.model.chain import ChainHead
from bascule.model.policy import Budget, KeyPolicy
from bascule.offline.audit import read_trail
from bascule.offline.verify import Verdict
from bascule.storage.anchor import write_anchor
from bascule.storage.keys import create_key, open_pepper, revoke_key, rotate_key
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.governance import SqliteGovernance

ENTRIES = 40
NOW = 1_795_262_400_000
Attack = Callable[[sqlite3.Connection], None]


def a_trail(folder: Path) -> SqliteGovernance:
    """Keys made, turned and ended, budgets set, changed and removed, acts without a change: ENTRIES entries."""
    governance = SqliteGovernance(open_database(folder))
    hasher = open_pepper(folder)
    number = 0
    while True:
        for act in (
            lambda n: create_key(governance, hasher, KeyPolicy(name=f"k{n}", team="t"), by="ann", now_ms=NOW + n),
            lambda n: governance.set_budget(
                Budget(scope=f"key:k{n}", limit_nanousd=10**9, window="day"), by="ann", now_ms=NOW + n
            ),
            lambda n: rotate_key(governance, hasher, f"k{n}", by="bob", now_ms=NOW + n + 1, grace_ms=0),
            lambda n: governance.remove_budget(f"key:k{n - 1}", "day", by="bob", now_ms=NOW + n),
            lambda n: revoke_key(governance, f"k{n - 1}", by="ann", now_ms=NOW + n),
            lambda n: governance.record(ts_ms=NOW + n, by="eve", action="content.read", target=f"s{n}", detail={}),
        ):
            act(number)
            if _count(folder) >= ENTRIES:
                return governance
        number += 1


def _count(folder: Path) -> int:
    with sqlite3.connect(folder / "ledger.sqlite3") as connection:
        return int(connection.execute("SELECT count(*) FROM audit").fetchone()[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    a_trail(tmp_path)
    return tmp_path


def verdict_of(folder: Path, heads: tuple[ChainHead, ...] = ()) -> Verdict:
    governance = SqliteGovernance(open_database(folder))
    return read_trail(governance, latest=0, heads=heads).verdict


def attacked(folder: Path, attack: Attack) -> set[int]:
    """The entries that the verdict names; the database is as it was afterwards."""
    file = folder / "ledger.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = connection.execute("SELECT seq, body, chain FROM audit").fetchall()
        attack(connection)
    verdict = verdict_of(folder)
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM audit")
        connection.executemany("INSERT INTO audit (seq, body, chain) VALUES (?, ?, ?)", before)
    assert not verdict.holds, "nothing was found"
    return {int(found[1]) for one in verdict.findings if (found := re.fullmatch(r"audit entry (\d+)", one.where))}


def flip(seq: int, column: str, dice: random.Random) -> Attack:
    def attack(connection: sqlite3.Connection) -> None:
        (value,) = connection.execute(f"SELECT {column} FROM audit WHERE seq = ?", (seq,)).fetchone()
        data = bytearray(value if isinstance(value, bytes) else value.encode())
        at = dice.randrange(len(data))
        data[at] ^= 1 << dice.randrange(7)
        fresh = bytes(data) if isinstance(value, bytes) else data.decode("latin-1")
        connection.execute(f"UPDATE audit SET {column} = ? WHERE seq = ?", (fresh, seq))

    return attack


def delete(seq: int) -> Attack:
    return lambda connection: _run(connection, "DELETE FROM audit WHERE seq = ?", (seq,))


def exchange(one: int, other: int, *, columns: str = "body, chain") -> Attack:
    def attack(connection: sqlite3.Connection) -> None:
        pairs = {
            seq: connection.execute(f"SELECT {columns} FROM audit WHERE seq = ?", (seq,)).fetchone()
            for seq in (one, other)
        }
        places = ", ".join(f"{name} = ?" for name in columns.split(", "))
        for to, where in ((one, other), (other, one)):
            _run(connection, f"UPDATE audit SET {places} WHERE seq = ?", (*pairs[where], to))

    return attack


def forge(seq: int, body: bytes) -> Attack:
    return lambda connection: _run(connection, "UPDATE audit SET body = ? WHERE seq = ?", (body, seq))


def _run(connection: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> None:
    connection.execute(sql, values)


@pytest.mark.promise(32, fault="a bit of any entry flipped, an entry deleted, two exchanged", limit="unnoticed 0")
def test_every_change_is_named(folder: Path, full: bool, figure: Figure) -> None:
    assert verdict_of(folder).holds
    assert verdict_of(folder).entries == ENTRIES
    dice = random.Random(32)
    tried = 0
    for _ in range(200 if full else 12):
        seq = dice.randrange(1, ENTRIES)
        assert seq in attacked(folder, flip(seq, "body", dice)), seq
        assert attacked(folder, flip(seq, "chain", dice)) >= {seq, seq + 1}
        assert seq + 1 in attacked(folder, delete(seq))
        other = dice.choice([n for n in range(1, ENTRIES + 1) if n != seq])
        assert attacked(folder, exchange(seq, other)) >= {seq, other}
        assert attacked(folder, exchange(seq, other, columns="body")) >= {seq, other}
        tried += 5
    figure("changes", tried)
    figure("unnoticed", 0)


@pytest.mark.promise(32, fault="words added that say nothing, spaces, a body that is none", limit="unnoticed 0")
def test_the_bytes_count_and_not_what_is_read_of_them(folder: Path, figure: Figure) -> None:
    with sqlite3.connect(folder / "ledger.sqlite3") as connection:
        (body,) = connection.execute("SELECT body FROM audit WHERE seq = 7").fetchone()
    forged = [body + b" ", body.replace(b"{", b'{"approved":"by the board",', 1), body.replace(b":", b": ", 1), b"",
              b"{}", b"null", b"\xff", body[:-1]]  # fmt: skip
    for bad in forged:
        assert 7 in attacked(folder, forge(7, bad)), bad
    figure("forgeries", len(forged))


@pytest.mark.promise(32, fault="the tail cut off, with and without the anchor beside it", limit="cuts unseen 0")
def test_a_cut_tail_is_seen(folder: Path, figure: Figure) -> None:
    with sqlite3.connect(folder / "ledger.sqlite3") as connection:
        heads = [ChainHead(*row) for row in connection.execute("SELECT seq, chain FROM audit ORDER BY seq")]
    for left in (ENTRIES - 1, ENTRIES // 2, 1, 0):
        cut = lambda connection, left=left: _run(connection, "DELETE FROM audit WHERE seq > ?", (left,))  # noqa: E731
        assert ENTRIES in attacked(folder, cut)
    anchor = folder / "audit.anchor"
    with sqlite3.connect(folder / "ledger.sqlite3") as connection:
        connection.execute("DELETE FROM audit WHERE seq > 30")
    write_anchor(anchor, heads[29])
    told = verdict_of(folder, heads=(heads[29], heads[34]))
    assert [one.where for one in told.findings if one.where.startswith("audit")] == ["audit entry 35"]
    anchor.unlink()
    assert "audit.anchor" in [one.where for one in verdict_of(folder).findings]
    figure("cuts", 6)


@pytest.mark.promise(32, fault="keys and budgets changed in the database, beside the trail", limit="unnoticed 0")
def test_what_the_trail_did_not_make_is_named(folder: Path, figure: Figure) -> None:
    with sqlite3.connect(folder / "ledger.sqlite3") as connection:
        connection.execute("UPDATE budgets SET budget = replace(budget, '1000000000', '9000000000')")
        (scope,) = connection.execute("SELECT scope FROM budgets").fetchone()
        (ended, opened) = [
            row[0] for row in connection.execute("SELECT key_id FROM keys ORDER BY revoked_ms IS NULL LIMIT 2")
        ]
        connection.execute("UPDATE keys SET revoked_ms = NULL WHERE key_id = ?", (ended,))
        connection.execute('UPDATE keys SET policy = \'{"name":"k0","role":"admin"}\' WHERE key_id = ?', (opened,))
        connection.execute("INSERT INTO keys VALUES ('mine', 'mine', x'00', '{\"name\":\"mine\"}', 1, NULL)")
        (gone,) = connection.execute("SELECT max(key_id) FROM keys WHERE key_id NOT IN (?, ?, 'mine')", (ended, opened))
        connection.execute("DELETE FROM keys WHERE key_id = ?", gone)
    found = {one.where for one in verdict_of(folder).findings}
    assert found == {f"budget {scope} a day", f"key {ended}", f"key {opened}", "key mine", f"key {gone[0]}"}
    figure("changes", len(found))


@pytest.mark.promise(
    32, fault="a key's digest exchanged for another's, so that its secret may more", limit="unnoticed 0"
)
def test_whose_secret_a_key_is_for_is_part_of_the_trail(folder: Path, figure: Figure) -> None:
    with sqlite3.connect(folder / "ledger.sqlite3") as connection:
        (one, its), (other, theirs) = connection.execute("SELECT key_id, digest FROM keys ORDER BY key_id LIMIT 2")
        for key_id, digest in ((one, b"neither's"), (other, its), (one, theirs)):  # a digest is there once only
            connection.execute("UPDATE keys SET digest = ? WHERE key_id = ?", (digest, key_id))
    found = {one.where for one in verdict_of(folder).findings}
    assert found == {f"key {one}", f"key {other}"}
    figure("changes", len(found))
