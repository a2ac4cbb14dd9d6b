"""Lines into SQLite: what the drainer and recovery write, and what they ask before they write."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from bascule.model.chain import KIND_OF, ChainedLine, ChainHead, decode_body
from bascule.model.entry import Adjustment, Decision, Intent, Settlement
from bascule.model.policy import Budget
from bascule.model.row import GATEWAY
from bascule.ports import ALL_CHAINS, HOUR_MS, Chains, HourOf, LedgerSnapshot, OpenAttempt, Spent
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.imports import raise_hours
from bascule.storage.sqlite.projection import Columns, intent_columns
from bascule.storage.sqlite.read import SqliteSnapshot
from bascule.storage.sqlite.statements import statements, with_rows

SEQ_BITS = 40
_CHUNKS = (32, 8, 4, 2, 1)
"""Rows per statement: few sizes, so that each is prepared once and kept."""

_encode = msgspec.json.Encoder().encode
_OPEN = (None, None, None)


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
            base = self._number(connection, chain_id) << SEQ_BITS
            self._put_lines(connection, base, lines)
            self._project(connection, base, lines)
            raise_hours(connection, self._hours(connection, lines))
            last = lines[-1]
            head = {"seq": last.seq, "chain": last.chain, "chain_no": base >> SEQ_BITS}
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

    def _put_lines(self, connection: sqlite3.Connection, base: int, lines: Sequence[ChainedLine]) -> None:
        rows = [
            (
                base + line.seq,
                KIND_OF[type(line.line)],
                getattr(line.line, "attempt_id", None),
                line.body,
                line.chain,
            )
            for line in lines
        ]
        if self._insert(connection, "insert_lines", 5, rows) == len(rows):
            return
        # Some were there. Repeats of the same line are normal after a crash; another line for the same attempt
        # and kind is not, and is kept where `ledger verify` sees it.
        for row in rows:
            if connection.execute(self._sql["has_line"], (row[0],)).fetchone() is None:
                connection.execute(self._sql["insert_repeat"], row)

    def _project(self, connection: sqlite3.Connection, base: int, lines: Sequence[ChainedLine]) -> None:
        intents: list[tuple[int, Intent]] = []
        settlements: dict[str, tuple[int, int | None, int | None]] = {}
        decisions: list[Columns] = []
        for each in lines:
            match each.line:
                case Intent() as line:
                    intents.append((base + each.seq, line))
                case Settlement() as line:
                    found = (base + each.seq, line.cost_nanousd, line.charged_nanousd)
                    settlements.setdefault(line.attempt_id, found)
                case Adjustment() as line:
                    values = (
                        line.adjustment_id,
                        line.attempt_id,
                        line.ts_ms,
                        line.delta_nanousd,
                        line.reason,
                        line.by,
                    )
                    connection.execute(self._sql["insert_adjustment"], values)
                case Decision() as line:
                    decisions.append((line.request_id, base + each.seq))
        rows = [(line_no, *intent_columns(line), *settlements.get(line.attempt_id, _OPEN)) for line_no, line in intents]
        late = settlements
        if self._insert(connection, "insert_attempts", 17, rows) == len(rows):
            begun = {line.attempt_id for _, line in intents}
            late = {attempt_id: one for attempt_id, one in settlements.items() if attempt_id not in begun}
        settled = [(attempt_id, *one) for attempt_id, one in late.items()]
        self._insert(connection, "settle_attempts", 4, settled)
        self._insert(connection, "insert_decisions", 2, decisions)

    def _hours(self, connection: sqlite3.Connection, lines: Sequence[ChainedLine]) -> set[HourOf]:
        """The hours whose rows these lines make or change."""
        begun: dict[str, int] = {}
        changed: set[str] = set()
        for each in lines:
            line = each.line
            if isinstance(line, Intent):
                begun[line.attempt_id] = line.ts_start_ms // HOUR_MS
            elif not isinstance(line, Decision):
                changed.add(line.attempt_id)
        hours = set(begun.values())
        elsewhere = changed - begun.keys()
        if elsewhere:
            found = connection.execute(self._hours_of, (_encode(list(elsewhere)).decode(),))
            hours |= {hour for (hour,) in found}
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
