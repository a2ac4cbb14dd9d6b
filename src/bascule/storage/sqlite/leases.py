"""The authority of several workers of one host, in a SQLite file of its own."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bascule.decide.lease import Account, Lease, Need, Standing, standing
from bascule.ports import Counted, CounterId, Exchanged, Holder
from bascule.storage.exchanged import exchanged, fenced, living
from bascule.storage.journal.writer import Durability
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.statements import statements

FILE_NAME = "leases.sqlite3"


def forget_leases(data_dir: Path) -> None:
    """Begin anew, where nobody is enrolled: the ledger has all that was in there."""
    for suffix in ("", "-wal", "-shm"):
        (data_dir / (FILE_NAME + suffix)).unlink(missing_ok=True)


class SqliteLeases:
    """Implements `ports.LeaseStore`. One connection, for one thread at a time."""

    def __init__(self, data_dir: Path, durability: Durability = "process") -> None:
        """Raises StoreError."""
        self._sql = statements("leases.sql")
        self._database = Database(data_dir / FILE_NAME, durability)
        self._database.use_write_ahead_log()
        with self._database.translated():
            connection = self._database.connection
            for statement in self._sql["tables"].split(";"):
                connection.execute(statement)
        self._database.path.chmod(0o600)

    def enrol(self, holder: Holder) -> None:
        with self._database.transaction() as connection:
            connection.execute(self._sql["enrol"], (holder.name, holder.replica, holder.until_ms))

    def holders(self) -> list[Holder]:
        with self._database.translated():
            return self._holders(self._database.connection)

    def exchange(
        self, holder: Holder, turn: int, counted: Sequence[Counted], needs: Sequence[Need], now_ms: int
    ) -> Exchanged:
        with self._database.transaction() as connection:
            given = {"holder": holder.name, "until_ms": holder.until_ms, "turn": turn}
            if not connection.execute(self._sql["prolong"], given).rowcount:
                raise fenced(holder.name)
            live = living(self._holders(connection), now_ms, holder.name)
            accounts = [self._account(connection, each.counter) for each in counted]
            answer, written = exchanged(holder, accounts, counted, needs, live, now_ms)
            for each, account in zip(counted, written, strict=False):
                self._put(connection, each.counter, account, holder.name)
            return answer

    def open(self, openings: Mapping[CounterId, int], without: Collection[str]) -> bool:
        with self._database.transaction() as connection:
            if not {each.name for each in self._holders(connection)} >= set(without):
                return False
            connection.executemany(self._sql["open"], [(*counter, spent) for counter, spent in openings.items()])
            return True

    def close(self, holder: str, spent: Mapping[CounterId, int]) -> bool:
        with self._database.transaction() as connection:
            if set(connection.execute(self._sql["counters"])) - spent.keys():
                return False
            if not connection.execute(self._sql["end_holder"], (holder,)).rowcount:
                return True
            connection.execute(self._sql["end_leases"], (holder,))
            connection.executemany(
                self._sql["add_closed"], [(amount, *counter) for counter, amount in spent.items() if amount]
            )
            return True

    def counters(self) -> list[CounterId]:
        with self._database.translated():
            return self._database.connection.execute(self._sql["counters"]).fetchall()

    def standings(self, counters: Sequence[CounterId], now_ms: int) -> list[Standing | None]:
        with self._database.separately() as connection:
            live = living(self._holders(connection), now_ms)
            found = [self._account(connection, counter) for counter in counters]
        return [None if account is None else standing("", account, live) for account in found]

    def forget(self, window_ids: Collection[str]) -> None:
        with self._database.transaction() as connection:
            for window_id in window_ids:
                connection.execute(self._sql["forget_accounts"], (window_id,))
                connection.execute(self._sql["forget_leases"], (window_id,))

    def shut(self) -> None:
        self._database.close()

    def _holders(self, connection: sqlite3.Connection) -> list[Holder]:
        return [Holder(*row) for row in connection.execute(self._sql["holders"])]

    def _account(self, connection: sqlite3.Connection, counter: CounterId) -> Account | None:
        found = connection.execute(self._sql["account"], counter).fetchall()
        if not found:
            return None
        closed, recall, quiet_until_ms = found[0][:3]
        leases = {holder: Lease(*row) for _, _, _, holder, *row in found if holder is not None}
        return Account(closed_nanousd=closed, recall=recall, quiet_until_ms=quiet_until_ms, leases=leases)

    def _put(self, connection: sqlite3.Connection, counter: CounterId, account: Account, holder: str) -> None:
        """Of the leases only the worker's own has changed."""
        account_values = (account.closed_nanousd, account.recall, account.quiet_until_ms)
        connection.execute(self._sql["put_account"], (*counter, *account_values))
        own = account.leases[holder]
        values = (own.ceiling_nanousd, own.settled_nanousd, own.held_nanousd, own.answered)
        connection.execute(self._sql["put_lease"], (*counter, holder, *values))
