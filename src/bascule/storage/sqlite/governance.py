"""Keys and budgets that commands made, in SQLite, every change with its audit entry in the same transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import structs

from bascule.model.audit import AUDIT_START, AuditEntry, audit_body, linked, stored_entry
from bascule.model.chain import ChainHead
from bascule.model.policy import Budget, BudgetWindow, KeyPolicy
from bascule.ports import StoredKey
from bascule.storage.anchor import FILE_NAME, read_anchor, write_anchor
from bascule.storage.claims import claim_name
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.statements import statements

_encode = msgspec.json.Encoder().encode
_decode_policy = msgspec.json.Decoder(KeyPolicy).decode
_decode_budget = msgspec.json.Decoder(Budget).decode


class SqliteGovernance:
    """Implements `ports.Governance`. Every call has a connection of its own, so any thread may make it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("governance.sql")
        self._anchor = database.path.with_name(FILE_NAME)

    def revision(self) -> int:
        return int(self.setting("governance_revision") or 0)

    def keys(self) -> list[StoredKey]:
        with self._database.reading() as connection:
            return [
                StoredKey(
                    key_id=key_id,
                    policy=_decode_policy(policy),
                    digest=digest,
                    created_ms=created_ms,
                    revoked_ms=revoked_ms,
                )
                for key_id, digest, policy, created_ms, revoked_ms in connection.execute(self._sql["keys"])
            ]

    def add_key(self, key: StoredKey, *, by: str, action: str = "key.create") -> None:
        policy = structs.replace(key.policy, source="store")
        detail = structs.replace(key, policy=policy).made
        with self.changing(key.created_ms, by, action, key.key_id, detail) as connection:
            values = (key.key_id, policy.name, key.digest, _encode(policy).decode(), key.created_ms, key.revoked_ms)
            connection.execute(self._sql["add_key"], values)

    def end_key(self, key_id: str, *, at_ms: int, by: str, now_ms: int, action: str = "key.revoke") -> bool:
        with self._database.separately() as connection:
            if not connection.execute(self._sql["end_key"], {"key_id": key_id, "at_ms": at_ms}).rowcount:
                return False
            self._audit(connection, now_ms, by, action, key_id, {"revoked_ms": at_ms})
        self._anchor_head()
        return True

    def budgets(self) -> tuple[Budget, ...]:
        with self._database.reading() as connection:
            return tuple(_decode_budget(text) for (text,) in connection.execute(self._sql["budgets"]))

    def set_budget(self, budget: Budget, *, by: str, now_ms: int) -> None:
        budget = structs.replace(budget, source="store")
        detail = msgspec.to_builtins(budget)
        with self.changing(now_ms, by, "budget.set", budget.scope, detail) as connection:
            values = (budget.scope, budget.window, _encode(budget).decode(), now_ms)
            connection.execute(self._sql["set_budget"], values)

    def remove_budget(self, scope: str, window: BudgetWindow, *, by: str, now_ms: int) -> bool:
        with self._database.separately() as connection:
            if not connection.execute(self._sql["remove_budget"], (scope, window)).rowcount:
                return False
            self._audit(connection, now_ms, by, "budget.remove", scope, {"window": window})
        self._anchor_head()
        return True

    def record(self, *, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]) -> None:
        with self.changing(ts_ms, by, action, target, detail):
            pass

    def audit(self) -> Iterator[AuditEntry]:
        with self._database.reading() as connection:
            for seq, body, chain in connection.execute(self._sql["audit"]):
                yield stored_entry(seq, body, chain)

    def audit_head(self) -> ChainHead | None:
        return read_anchor(self._anchor)

    def claim_once(self, name: str, until_ms: int, now_ms: int) -> bool:
        with self._database.separately() as connection:
            connection.execute(self._sql["forget_claims"], (claim_name("", 0), claim_name("", now_ms)))
            return connection.execute(self._sql["claim"], (claim_name(name, until_ms),)).rowcount == 1

    def setting(self, name: str) -> str | None:
        with self._database.reading() as connection:
            found = connection.execute(self._sql["setting"], (name,)).fetchone()
        return None if found is None else str(found[0])

    def set_setting(self, name: str, value: str) -> None:
        with self._database.separately() as connection:
            connection.execute(self._sql["set_setting"], (name, value))

    @contextmanager
    def changing(
        self, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]
    ) -> Iterator[sqlite3.Connection]:
        """A transaction that ends with this audit entry; where it raises, there is neither."""
        with self._database.separately() as connection:
            yield connection
            self._audit(connection, ts_ms, by, action, target, detail)
        self._anchor_head()

    def _audit(
        self, connection: sqlite3.Connection, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]
    ) -> None:
        seq, previous = connection.execute(self._sql["last_audit"]).fetchone() or (0, AUDIT_START)
        entry = AuditEntry(seq=seq + 1, ts_ms=ts_ms, by=by, action=action, target=target, detail=detail)
        entry = linked(entry, previous)
        connection.execute(self._sql["add_audit"], (entry.seq, audit_body(entry), entry.chain))
        connection.execute(self._sql["next_revision"])

    def _anchor_head(self) -> None:
        with self._database.reading() as connection:
            write_anchor(self._anchor, ChainHead(*connection.execute(self._sql["last_audit"]).fetchone()))
