"""Lines into PostgreSQL: what the drainer and recovery write, and what they ask before they write."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bascule.model.chain import ChainedLine, ChainHead, decode_body
from bascule.model.entry import Intent
from bascule.model.policy import Budget
from bascule.model.row import GATEWAY
from bascule.ports import ALL_CHAINS, Chains, HourOf, LedgerSnapshot, OpenAttempt, Spent
from bascule.storage.postgres.bounded import BoundedConnection, text_of
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.imports import raise_hours
from bascule.storage.postgres.read import PostgresSnapshot
from bascule.storage.postgres.statements import statements
from bascule.storage.projection import SEQ_BITS, Columns, Projection, projected


class PostgresLedger:
    """Implements `ports.LedgerStore`, for any thread. What was appended is durable when `append` returns.

    Replicas drain at the same time, each its own chains; rows are written in the order of their names, so that no two
    of them wait for each other in a circle.
    """

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._sql = statements("ledger.sql")
        self._hours_of = statements("imports.sql")["hours_of"]

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
            connection.execute(self._sql["move_head"], {"seq": last.seq, "chain": last.chain, "chain_no": chain_no})

    def heads(self) -> dict[str, ChainHead]:
        with self._database.reading() as connection:
            return {chain_id: ChainHead(seq, chain) for chain_id, seq, chain in connection.execute(self._sql["heads"])}

    def open_attempts(self, chain_id: str | None = None, up_to_seq: int | None = None) -> list[OpenAttempt]:
        low, high = 0, 1 << 62
        with self._database.reading() as connection:
            if chain_id is not None:
                known = connection.execute(self._sql["chain"], {"chain_id": chain_id}).fetchone()
                if known is None:
                    return []
                low = known[0] << SEQ_BITS
                high = (known[0] + 1 << SEQ_BITS) - 1 if up_to_seq is None else low + up_to_seq
            found = connection.execute(self._sql["open_attempts"], {"low": low, "high": high}).fetchall()
        lines = [(chain, decode_body(body)) for chain, body in found]
        return [OpenAttempt(chain, line) for chain, line in lines if isinstance(line, Intent)]

    def make_durable(self) -> None:
        """Every commit already is: sessions run with `synchronous_commit = on`."""

    def spent(
        self, budgets: Sequence[Budget], now_ms: int, chains: Chains = ALL_CHAINS
    ) -> dict[tuple[str, str], Spent]:
        with self.snapshot() as snapshot:
            return snapshot.spent(budgets, now_ms, chains)

    @contextmanager
    def snapshot(self) -> Iterator[LedgerSnapshot]:
        with self._database.reading(long=True) as connection:
            yield PostgresSnapshot(connection)

    def _number(self, connection: BoundedConnection, chain_id: str) -> int:
        given = {"chain_id": chain_id}
        known = connection.execute(self._sql["chain"], given).fetchone()
        known = known or connection.execute(self._sql["new_chain"], given).fetchone()
        assert known is not None
        return int(known[0])

    def _put_lines(self, connection: BoundedConnection, rows: list[Columns]) -> None:
        if self._insert(connection, "insert_lines", rows) < len(rows):
            # Some were there. Repeats of the same line are normal after a crash; another line for the same attempt
            # and kind is not, and is kept where `ledger verify` sees it.
            self._insert(connection, "insert_repeats", rows)

    def _put_rows(self, connection: BoundedConnection, found: Projection) -> None:
        self._insert(connection, "insert_adjustments", sorted(found.adjustments))
        new = self._insert(connection, "insert_attempts", found.attempts)
        late = found.late_settlements(all_new=new == len(found.attempts))
        self._insert(connection, "settle_attempts", sorted(late, key=_first))
        self._insert(connection, "insert_decisions", found.decisions)

    def _hours(self, connection: BoundedConnection, found: Projection) -> set[HourOf]:
        """The hours whose rows these lines make or change."""
        hours = set(found.begun_hours.values())
        if found.changed_elsewhere:
            given = {"ids": sorted(found.changed_elsewhere)}
            hours |= {hour for (hour,) in connection.execute(self._hours_of, given)}
        return {(GATEWAY, hour) for hour in hours}

    def _insert(self, connection: BoundedConnection, name: str, rows: list[Columns]) -> int:
        """How many rows changed."""
        if not rows:
            return 0
        columns = [[text_of(value) for value in column] for column in zip(*rows, strict=True)]
        return connection.execute(self._sql[name], columns).rowcount


def _first(row: Columns) -> Any:
    return row[0]
