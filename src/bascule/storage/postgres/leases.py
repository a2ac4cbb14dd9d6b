"""The authority of budgets that replicas share, in PostgreSQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bascule.decide.lease import Account, Lease, Need, Standing, standing
from bascule.ports import Counted, CounterId, Exchanged, Holder
from bascule.storage.exchanged import exchanged, fenced, living
from bascule.storage.postgres.bounded import BoundedConnection
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.statements import statements


class PostgresLeases:
    """Implements `ports.LeaseStore`, for any thread."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._sql = statements("leases.sql")

    def enrol(self, holder: Holder) -> None:
        given = {"holder": holder.name, "replica": holder.replica, "until_ms": holder.until_ms}
        with self._database.transaction() as connection:
            connection.execute(self._sql["enrol"], given)

    def holders(self) -> list[Holder]:
        with self._database.transaction() as connection:
            return self._holders(connection)

    def exchange(
        self, holder: Holder, turn: int, counted: Sequence[Counted], needs: Sequence[Need], now_ms: int
    ) -> Exchanged:
        with self._database.transaction() as connection:
            given = {"holder": holder.name, "until_ms": holder.until_ms, "turn": turn}
            if not connection.execute(self._sql["prolong"], given).rowcount:
                raise fenced(holder.name)
            openings = [(*each.counter, each.opening_nanousd) for each in counted]
            if all(opening is not None for *_, opening in openings):
                self._run(connection, "open", sorted(openings))
            found = self._accounts(connection, [each.counter for each in counted])
            live = living(self._holders(connection), now_ms, holder.name)
            answer, written = exchanged(holder, found, counted, needs, live, now_ms)
            self._put(connection, [each.counter for each in counted], written, holder.name)
            return answer

    def open(self, openings: Mapping[CounterId, int], without: Collection[str]) -> bool:
        with self._database.transaction() as connection:
            kept = connection.execute(self._sql["keep_holders"], {"holders": sorted(without)}).fetchall()
            if len(kept) < len(set(without)):
                return False
            self._run(connection, "open", sorted([(*counter, spent) for counter, spent in openings.items()]))
            return True

    def close(self, holder: str, spent: Mapping[CounterId, int]) -> bool:
        with self._database.transaction() as connection:
            given = {"holder": holder}
            enrolled = connection.execute(self._sql["lock_holder"], given).fetchone()
            there = set(connection.execute(self._sql["lock_all_accounts"]).fetchall())
            if there - spent.keys():
                return False
            if enrolled:
                connection.execute(self._sql["end_holder"], given)
                connection.execute(self._sql["end_leases"], given)
                self._run(connection, "add_closed", [(*counter, one) for counter, one in spent.items() if one])
            return True

    def counters(self) -> list[CounterId]:
        with self._database.transaction() as connection:
            return [(scope, window_id) for scope, window_id in connection.execute(self._sql["counters"])]

    def standings(self, counters: Sequence[CounterId], now_ms: int) -> list[Standing | None]:
        with self._database.transaction() as connection:
            found = self._accounts(connection, counters)
            live = living(self._holders(connection), now_ms)
        return [None if account is None else standing("", account, live) for account in found]

    def forget(self, window_ids: Collection[str]) -> None:
        with self._database.transaction() as connection:
            for name in ("forget_accounts", "forget_leases"):
                connection.execute(self._sql[name], {"window_ids": list(window_ids)})

    def shut(self) -> None:
        """The database closes its connections itself."""

    def _holders(self, connection: BoundedConnection) -> list[Holder]:
        return [Holder(*row) for row in connection.execute(self._sql["holders"])]

    def _accounts(self, connection: BoundedConnection, counters: Sequence[CounterId]) -> list[Account | None]:
        found: dict[CounterId, Account] = {}
        for scope, window_id, closed, recall, quiet_until_ms in self._ask(connection, "accounts", counters):
            found[scope, window_id] = Account(closed_nanousd=closed, recall=recall, quiet_until_ms=quiet_until_ms)
        for scope, window_id, holder, *lease in self._ask(connection, "leases", counters):
            if (scope, window_id) in found:
                found[scope, window_id].leases[holder] = Lease(*lease)
        return [found.get(counter) for counter in counters]

    def _put(
        self, connection: BoundedConnection, counters: Sequence[CounterId], accounts: Sequence[Account], holder: str
    ) -> None:
        """Of the leases only the worker's own has changed."""
        both = list(zip(counters, accounts, strict=False))
        self._run(connection, "put_accounts", [(*c, account.recall, account.quiet_until_ms) for c, account in both])
        own = [(counter, account.leases[holder]) for counter, account in both]
        rows = [
            (*counter, holder, lease.ceiling_nanousd, lease.settled_nanousd, lease.held_nanousd, lease.answered)
            for counter, lease in own
        ]
        self._run(connection, "put_leases", rows)

    def _ask(
        self, connection: BoundedConnection, name: str, counters: Sequence[CounterId]
    ) -> Iterable[tuple[Any, ...]]:
        scopes, window_ids = [scope for scope, _ in counters], [window_id for _, window_id in counters]
        return connection.execute(self._sql[name], (scopes, window_ids)).fetchall()

    def _run(self, connection: BoundedConnection, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """A statement over many rows, which come as one array for each column."""
        if rows:
            connection.execute(self._sql[name], [list(column) for column in zip(*rows, strict=True)])
