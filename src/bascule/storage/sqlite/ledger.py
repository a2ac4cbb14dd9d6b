"""Lines into SQLite: what the drainer and recovery write, and what they ask before they write."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from bascule.model.chain import ChainedLine, ChainHead, decode_body
from bascule.model.entry import Intent
from bascule.model.policy import Budget
from bascule.model.row import GATEWAY
from bascule.ports import ALL_CHAINS, Chains, HourOf, LedgerSnapshot, OpenAttempt, Spent
from bascule.storage.projection import SEQ_BITS, Columns, Projection, projected
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.imports import raise_hours
from bascule.storage.sqlite.read import SqliteSnapshot
from bascule.storage.sqlite.statements import statements, with_rows

_CHUNKS = (32, 8, 4, 2, 1)
"""Rows per statement: few sizes, so that each is prepared once and kept."""

_encode = msgspec.json.Encoder().encode


class SqliteLedger:
    """Implements `ports.LedgerStore`.

    `append`, `open_attempts` and `make_durable` belong to one thread, the drainer's once it runs; `heads`, `spent`
    and `snapshot` have connections of their own and see only what was committed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("ledger.sql")
        self._hours_of = statements("imports.sql")["hours_of"]
        self._many: dict[tuple[str, int], str] = {}
        self._chain_no: dict[str, int] = {}

    def append(self, chain_id: str, lines: Sequence[ChainedLine]) -> None:
        if not lines:
            return
        with self._database.transaction() as connection:
            chain_no = self._number(connection, chain_id)
            found = projected(chain_no, lines)
            self._put_lines(connection, found.lines)
            self._put_rows(connection, found)
            raise_hours(connection, self._hours(connection, found))
            last = lines[-1]
            head = {"seq": last.seq, "chain": last.chain, "chain_no": chain_no}
            connection.execute(self._sql["move_head"], head)

    def heads(self) -> dict[str, ChainHead]:
        with self._database.reading() as connection:
            found = connection.execute(self._sql["heads"]).fetchall()
        return {chain_id: ChainHead(seq, chain) for chain_id, seq, chain in found}

    def open_attempts(self, chain_id: str | None = None, up_to_seq: int | None = None) -> list[OpenAttempt]:
        low, high = 0, 1 << 62
        with self._database.translated():
            connection = self._database.connection
            if chain_id is not None:
                known = connection.execute(self._sql["chain"], (chain_id,)).fetchone()
                if known is None:
                    return []
                low = known[0] << SEQ_BITS
                high = (known[0] + 1 << SEQ_BITS) - 1 if up_to_seq is None else low + up_to_seq
            found = connection.execute(self._sql["open_attempts"], (low, high)).fetchall()
        lines = [(chain, decode_body(body)) for chain, body in found]
        return [OpenAttempt(chain, line) for chain, line in lines if isinstance(line, Intent)]

    def make_durable(self) -> None:
        self._database.judge_file()
        with self._database.translated():
            self._database.connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()

    def spent(
        self, budgets: Sequence[Budget], now_ms: int, chains: Chains = ALL_CHAINS
    ) -> dict[tuple[str, str], Spent]:
        with self.snapshot() as snapshot:
            return snapshot.spent(budgets, now_ms, chains)

    @contextmanager
    def snapshot(self) -> Iterator[LedgerSnapshot]:
        with self._database.reading() as connection:
            yield SqliteSnapshot(connection)

    def _number(self, connection: sqlite3.Connection, chain_id: str) -> int:
        number = self._chain_no.get(chain_id)
        if number is None:
            known = connection.execute(self._sql["chain"], (chain_id,)).fetchone()
            if known is None:
                number = connection.execute(self._sql["new_chain"], (chain_id,)).lastrowid
                assert number is not None
                return number  # remembered at the next call, when it has been committed
            number = self._chain_no[chain_id] = int(known[0])
        return number

    def _put_lines(self, connection: sqlite3.Connection, rows: list[Columns]) -> None:
        if self._insert(connection, "insert_lines", 5, rows) == len(rows):
            return
        # Some were there. Repeats of the same line are normal after a crash; another line for the same attempt
        # and kind is not, and is kept where `ledger verify` sees it.
        for row in rows:
            if connection.execute(self._sql["has_line"], (row[0],)).fetchone() is None:
                connection.execute(self._sql["insert_repeat"], row)

    def _put_rows(self, connection: sqlite3.Connection, found: Projection) -> None:
        for made in found.adjustments:
            connection.execute(self._sql["insert_adjustment"], made)
        new = self._insert(connection, "insert_attempts", 17, found.attempts)
        late = found.late_settlements(all_new=new == len(found.attempts))
        self._insert(connection, "settle_attempts", 4, late)
        self._insert(connection, "insert_decisions", 2, found.decisions)

    def _hours(self, connection: sqlite3.Connection, found: Projection) -> set[HourOf]:
        """The hours whose rows these lines make or change."""
        hours = set(found.begun_hours.values())
        if found.changed_elsewhere:
            given = _encode(list(found.changed_elsewhere)).decode()
            hours |= {hour for (hour,) in connection.execute(self._hours_of, (given,))}
        return {(GATEWAY, hour) for hour in hours}

    def _insert(self, connection: sqlite3.Connection, name: str, columns: int, rows: list[Columns]) -> int:
        """How many rows changed."""
        changed = start = 0
        for size in _CHUNKS:
            sql = self._many.get((name, size))
            if sql is None:
                sql = self._many[name, size] = with_rows(self._sql[name], columns, size)
            while len(rows) - start >= size:
                values = [value for row in rows[start : start + size] for value in row]
                changed += connection.execute(sql, values).rowcount
                start += size
        return changed
