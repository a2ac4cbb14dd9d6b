"""Rows, lines and decisions out of SQLite, all as of one moment."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence

import msgspec

from bascule.model.chain import ChainHead, StoredLine, decode_body
from bascule.model.entry import Decision, Intent, Settlement, decision_of
from bascule.model.policy import Budget
from bascule.model.row import GATEWAY, AttemptRow, RowFilter, row_of
from bascule.ports import ALL_CHAINS, Chains, Damage, HourOf, JoinedAttempt, Spent
from bascule.storage.projection import indexed_of
from bascule.storage.sqlite.import_rows import ImportedRows
from bascule.storage.sqlite.spent import spent
from bascule.storage.sqlite.statements import statements

_encode = msgspec.json.Encoder().encode
_decode_intent = msgspec.json.Decoder(Intent).decode
_decode_settlement = msgspec.json.Decoder(Settlement).decode

_CLAUSE_OF = {
    "since_ms": "ts_start_ms >= :since_ms",
    "until_ms": "ts_start_ms < :until_ms",
    "key": '"key" = :key',
    "session_id": "session_id = :session_id",
    "model": "model = :model",
    "attempt_id": "attempts.attempt_id = :attempt_id",
    "request_id": "attempts.request_id = :request_id",
}


class SqliteSnapshot:
    """Implements `ports.LedgerSnapshot` inside a read transaction that its maker opened."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sql = statements("read.sql")

    def attempts(self, where: RowFilter, *, by_request: bool = False) -> Iterator[AttemptRow]:
        if where.origin not in (None, GATEWAY):
            return
        given = {name: value for name in _CLAUSE_OF if (value := getattr(where, name)) is not None}
        sql = self._sql["attempts_by_request" if by_request else "attempts"]
        sql = sql.replace(":where", " AND ".join(_CLAUSE_OF[name] for name in given) or "TRUE")
        for intent, settlement, chain, delta in self._connection.execute(sql, given):
            yield row_of(
                _decode_intent(intent),
                None if settlement is None else _decode_settlement(settlement),
                chain,
                delta,
            )

    def spent(
        self, budgets: Sequence[Budget], now_ms: int, chains: Chains = ALL_CHAINS
    ) -> dict[tuple[str, str], Spent]:
        return spent(self._connection, budgets, now_ms, chains)

    def imported(self, where: RowFilter, *, by_request: bool = False) -> Iterator[AttemptRow]:
        return ImportedRows(self._connection).rows(where, by_request=by_request)

    def import_counts(self) -> dict[str, int]:
        return ImportedRows(self._connection).counts()

    def identity(self) -> str:
        return str(self._connection.execute(statements("imports.sql")["store_id"]).fetchone()[0])

    def open_hours(self) -> set[int]:
        return {hour for (hour,) in self._connection.execute(statements("imports.sql")["open_hours"])}

    def hours_of(self, attempt_ids: Collection[str]) -> set[int]:
        given = _encode(list(attempt_ids)).decode()
        return {hour for (hour,) in self._connection.execute(statements("imports.sql")["hours_of"], (given,))}

    def hour_versions(self, since_hour: int | None = None, until_hour: int | None = None) -> dict[HourOf, int]:
        return ImportedRows(self._connection).hour_versions(since_hour, until_hour)

    def known_attempts(self, attempt_ids: Collection[str]) -> set[str]:
        return self._known("known_attempts", attempt_ids)

    def known_adjustments(self, adjustment_ids: Collection[str]) -> set[str]:
        return self._known("known_adjustments", adjustment_ids)

    def adjusted(self, attempt_ids: Collection[str]) -> dict[str, int]:
        return dict(self._connection.execute(self._sql["adjusted"], (_encode(list(attempt_ids)).decode(),)))

    def decisions(self, request_id: str) -> list[Decision]:
        found = self._connection.execute(self._sql["decisions"], {"request_id": request_id})
        decided = [decision_of(decode_body(body)) for (body,) in found]
        return [decision for decision in decided if decision is not None]

    def heads(self) -> dict[str, ChainHead]:
        found = self._connection.execute(statements("ledger.sql")["heads"])
        return {chain_id: ChainHead(seq, chain) for chain_id, seq, chain in found}

    def chain(self, chain_id: str) -> Iterator[StoredLine]:
        known = self._connection.execute(statements("ledger.sql")["chain"], (chain_id,)).fetchone()
        if known is None:
            return
        for seq, chain, body, kind, attempt_id in self._connection.execute(
            self._sql["chain_lines"], {"chain_no": known[0]}
        ):
            yield StoredLine(seq, chain, body if isinstance(body, bytes) else str(body).encode(), kind, attempt_id)

    def joined(self) -> Iterator[JoinedAttempt]:
        for values in self._connection.execute(self._sql["joined"]):
            *columns, intent, settlement = values
            yield JoinedAttempt(
                indexed_of(tuple(columns)),
                None if intent is None else _decode_intent(intent),
                None if settlement is None else _decode_settlement(settlement),
            )

    def strays(self) -> list[Damage]:
        fetch = self._connection.execute
        found = [
            Damage(f"attempt {attempt_id}", f"has a line ({kind}) and is in no report")
            for attempt_id, kind in fetch(self._sql["lines_without_attempt"])
        ]
        found += [
            Damage(f"chain number {number}", f"has {count} lines and neither name nor head")
            for number, count in fetch(self._sql["lines_without_chain"])
        ]
        misdirected = fetch(self._sql["misdirected_attempts"])
        return found + [
            Damage(f"attempt {attempt_id}", "is reported from other lines than its own")
            for (attempt_id,) in misdirected
        ]

    def _known(self, name: str, ids: Collection[str]) -> set[str]:
        found = self._connection.execute(self._sql[name], (_encode(sorted(ids)).decode(),))
        return {identifier for (identifier,) in found}
