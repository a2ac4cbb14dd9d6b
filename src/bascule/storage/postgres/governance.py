"""Keys and budgets that commands made, in PostgreSQL, every change with its audit entry in the same transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from bascule.model.audit import AUDIT_START, AuditEntry, audit_body, linked, stored_entry
from bascule.model.chain import ChainHead
from bascule.model.policy import Budget, BudgetWindow, KeyPolicy
from bascule.ports import StoredKey
from bascule.storage.anchor import read_anchor, write_anchor
from bascule.storage.claims import claim_name
from bascule.storage.postgres.bounded import BoundedConnection, text_of
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.locks import AUDITING, take
from bascule.storage.postgres.statements import statements
from bascule.storage.postgres.streamed import streamed

_encode = msgspec.json.Encoder().encode
_decode_policy = msgspec.json.Decoder(KeyPolicy).decode
_decode_budget = msgspec.json.Decoder(Budget).decode


class PostgresGovernance:
    """Implements `ports.Governance`, for any thread.

    Entries of the trail are added under a lock, so that two replicas cannot both hang one on the same last entry. Each
    replica anchors the head in a file of its own, `anchor`, when it adds an entry.
    """

    def __init__(self, database: PostgresDatabase, anchor: Path) -> None:
        self._database = database
        self._sql = statements("governance.sql")
        self._anchor = anchor

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
        text = _encode(policy).decode()
        values = (key.key_id, text_of(policy.name), key.digest, text, key.created_ms, key.revoked_ms)
        with self.changing(key.created_ms, by, action, key.key_id, detail) as connection:
            connection.execute(self._sql["add_key"], values)

    def end_key(self, key_id: str, *, at_ms: int, by: str, now_ms: int, action: str = "key.revoke") -> bool:
        given = {"key_id": key_id, "at_ms": at_ms}
        with self._database.transaction() as connection:
            if not connection.execute(self._sql["end_key"], given).rowcount:
                return False
            head = self._audit(connection, now_ms, by, action, key_id, {"revoked_ms": at_ms})
        write_anchor(self._anchor, head)
        return True

    def budgets(self) -> tuple[Budget, ...]:
        with self._database.reading() as connection:
            return tuple(_decode_budget(text) for (text,) in connection.execute(self._sql["budgets"]))

    def set_budget(self, budget: Budget, *, by: str, now_ms: int) -> None:
        budget = structs.replace(budget, source="store")
        values = (budget.scope, budget.window, _encode(budget).decode(), now_ms)
        with self.changing(now_ms, by, "budget.set", budget.scope, msgspec.to_builtins(budget)) as connection:
            connection.execute(self._sql["set_budget"], values)

    def remove_budget(self, scope: str, window: BudgetWindow, *, by: str, now_ms: int) -> bool:
        with self._database.transaction() as connection:
            if not connection.execute(self._sql["remove_budget"], (scope, window)).rowcount:
                return False
            head = self._audit(connection, now_ms, by, "budget.remove", scope, {"window": window})
        write_anchor(self._anchor, head)
        return True

    def record(self, *, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]) -> None:
        with self.changing(ts_ms, by, action, target, detail):
            pass

    def audit(self) -> Iterator[AuditEntry]:
        with self._database.reading(long=True) as connection:
            for seq, body, chain in streamed(connection, self._sql["audit"]):
                yield stored_entry(seq, body, chain)

    def audit_head(self) -> ChainHead | None:
        return read_anchor(self._anchor)

    def claim_once(self, name: str, until_ms: int, now_ms: int) -> bool:
        with self._database.transaction() as connection:
            connection.execute(self._sql["forget_claims"], (claim_name("", 0), claim_name("", now_ms)))
            return connection.execute(self._sql["claim"], (text_of(claim_name(name, until_ms)),)).rowcount == 1

    def setting(self, name: str) -> str | None:
        with self._database.reading() as connection:
            found = connection.execute(self._sql["setting"], (name,)).fetchone()
        return None if found is None else str(found[0])

    def set_setting(self, name: str, value: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(self._sql["set_setting"], (name, text_of(value)))

    @contextmanager
    def changing(
        self, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]
    ) -> Iterator[BoundedConnection]:
        """A transaction that ends with this audit entry; where it raises, there is neither."""
        with self._database.transaction() as connection:
            yield connection
            head = self._audit(connection, ts_ms, by, action, target, detail)
        write_anchor(self._anchor, head)

    def _audit(
        self, connection: BoundedConnection, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]
    ) -> ChainHead:
        take(connection, AUDITING)
        seq, previous = connection.execute(self._sql["last_audit"]).fetchone() or (0, AUDIT_START)
        entry = AuditEntry(seq=seq + 1, ts_ms=ts_ms, by=by, action=action, target=target, detail=detail)
        entry = linked(entry, previous)
        connection.execute(self._sql["add_audit"], (entry.seq, audit_body(entry), entry.chain))
        connection.execute(self._sql["next_revision"])
        return ChainHead(entry.seq, entry.chain)
