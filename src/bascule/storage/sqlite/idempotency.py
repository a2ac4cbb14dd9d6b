"""Uses of Idempotency-Keys in SQLite: one row a name, whichever process comes first."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

from msgspec import structs

from bascule.model.idempotency import KeyState, KeyUse
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.statements import statements

PURGED_AT_ONCE = 200


class SqliteIdempotency:
    """Implements `ports.IdempotencyStore`. `database` is its own connection.

    Rows are counted when it is opened, and from then on only by its own changes, since counting takes as long as there
    are rows: processes that share the database each keep to the bounds by themselves.
    """

    def __init__(self, database: Database, *, max_rows: int, max_rows_per_key: int) -> None:
        """Raises StoreError."""
        self._database = database
        self._sql = statements("idempotency.sql")
        self._max_rows = max_rows
        self._max_rows_per_key = max_rows_per_key
        self._rows: Counter[str] = Counter()
        self._all = 0
        self._recount()

    def claim(self, use: KeyUse) -> KeyUse | Literal["claimed", "full"]:
        with self._database.transaction() as connection:
            row = connection.execute(self._sql["find"], {"name": use.name, "now_ms": use.started_ms}).fetchone()
            if row is not None:
                return _use(row)
            if self._all >= self._max_rows or self._rows[use.tenant] >= self._max_rows_per_key:
                return "full"
            connection.execute(self._sql["claim"], structs.asdict(use))
        self._rows[use.tenant] += 1
        self._all += 1
        return "claimed"

    def find(self, name: bytes, now_ms: int) -> KeyUse | None:
        with self._database.translated():
            row = self._database.connection.execute(self._sql["find"], {"name": name, "now_ms": now_ms}).fetchone()
        return None if row is None else _use(row)

    def end(self, name: bytes, request_id: str, state: KeyState, attempt_id: str | None) -> None:
        told = {"name": name, "request_id": request_id, "state": state, "attempt_id": attempt_id}
        self._change("end", told)

    def release(self, name: bytes, request_id: str) -> None:
        self._drop("release", {"name": name, "request_id": request_id})

    def abandon(self, is_dead: Callable[[str], bool]) -> int:
        with self._database.translated():
            owners = [owner for (owner,) in self._database.connection.execute(self._sql["open_owners"])]
        lost = 0
        for owner in filter(is_dead, owners):
            lost += self._change("lose", {"owner": owner})
            self._change("forget", {"owner": owner})
        self._recount()
        return lost

    def purge(self, now_ms: int) -> int:
        return self._drop("purge", {"now_ms": now_ms, "most": PURGED_AT_ONCE})

    def close(self) -> None:
        self._database.close()

    def _change(self, name: str, told: dict[str, Any]) -> int:
        with self._database.transaction() as connection:
            return connection.execute(self._sql[name], told).rowcount

    def _drop(self, name: str, told: dict[str, Any]) -> int:
        with self._database.transaction() as connection:
            dropped = connection.execute(self._sql[name], told).fetchall()
        for (tenant,) in dropped:
            self._rows[tenant] -= 1
            self._all -= 1
        return len(dropped)

    def _recount(self) -> None:
        with self._database.translated():
            self._rows = Counter(dict(self._database.connection.execute(self._sql["counts"]).fetchall()))
        self._all = self._rows.total()


def _use(row: tuple[Any, ...]) -> KeyUse:
    return KeyUse(**dict(zip(KeyUse.__struct_fields__, row, strict=True)))
