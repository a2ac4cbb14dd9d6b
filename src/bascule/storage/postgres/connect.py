"""Connections to PostgreSQL: few, bounded in time, replaced when they break."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict

from bascule.model.errors import StoreError
from bascule.storage.postgres.bounded import GRACE_S, BoundedConnection, store_error

OLDEST_SERVER = 150_000
APPLICATION = "bascule"
IDLE_IN_TRANSACTION_S = 60.0
"""A replica that was stopped in the middle of a change must not hold its locks for ever."""


class PostgresLimits(Struct, frozen=True, kw_only=True):
    """Bounds of one process's connections."""

    max_connections: int = 8
    connect_timeout_s: float = 5.0
    statement_timeout_s: float = 15.0
    reading_timeout_s: float = 300.0


class PostgresDatabase:
    """Connections to one database, for any thread. None is opened before it is needed.

    All calls raise StoreError. A broken connection is replaced: a change that could not begin is begun anew, one that
    was cut short has not been made, and only where the answer to COMMIT was lost the error says that nobody knows.
    """

    def __init__(self, url: str, limits: PostgresLimits | None = None) -> None:
        """`url` is a libpq URL; what it leaves out comes from PGPASSWORD, PGPASSFILE and their like."""
        self.limits = limits or PostgresLimits()
        try:
            told = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            raise StoreError("`database` is no PostgreSQL URL; write postgresql://user@host:5432/name") from None
        self.place = f"{told.get('host') or 'the local socket'}:{told.get('port') or 5432}/{told.get('dbname') or ''}"
        self._url = url
        self._idle: deque[BoundedConnection] = deque()
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self.limits.max_connections)
        self._closed = False

    @contextmanager
    def transaction(self) -> Iterator[BoundedConnection]:
        """A change: all of it or nothing, durable when this ends."""
        with self._lent("BEGIN", self.limits.statement_timeout_s) as connection:
            try:
                yield connection
            except BaseException:
                self._roll_back(connection)
                raise
            try:
                connection.execute("COMMIT")
            except psycopg.Error as error:
                connection.close()
                raise store_error(self.place, error, committing=isinstance(error, psycopg.OperationalError)) from error

    @contextmanager
    def reading(self, *, long: bool = False) -> Iterator[BoundedConnection]:
        """One consistent view. `long`: of a report or an export, which may take its time between and in its steps."""
        within_s = self.limits.reading_timeout_s if long else self.limits.statement_timeout_s
        idle_s = 0.0 if long else IDLE_IN_TRANSACTION_S
        begin = (
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
            f"SET LOCAL statement_timeout = {_ms(within_s)}; "
            f"SET LOCAL idle_in_transaction_session_timeout = {round(idle_s * 1000)}; "
            "SELECT 1"  # the view is fixed by the first statement that looks
        )
        with self._lent(begin, within_s) as connection:
            try:
                yield connection
            finally:
                self._roll_back(connection)

    def close(self) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        with self._lock:
            self._closed = True
        self._drop_idle()

    @contextmanager
    def _lent(self, begin: str, answer_s: float) -> Iterator[BoundedConnection]:
        limits = self.limits
        if not self._free.acquire(timeout=limits.statement_timeout_s):
            raise StoreError(
                f"PostgreSQL at {self.place}: all {limits.max_connections} connections have been busy for "
                f"{limits.statement_timeout_s:g} s. Raise `postgres.max_connections`, or ask for fewer reports at once"
            )
        try:
            try:
                connection = self._begun(begin, answer_s)
                try:
                    yield connection
                finally:
                    self._take_back(connection)
            except psycopg.Error as error:
                raise store_error(self.place, error) from error
        finally:
            self._free.release()

    def _begun(self, begin: str, answer_s: float) -> BoundedConnection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            fresh = connection is None
            connection = connection or self._connect()
            connection.answer_s = answer_s + GRACE_S
            try:
                connection.execute(begin)
            except psycopg.OperationalError:
                connection.close()
                if fresh:
                    raise
                self._drop_idle()  # they broke together: the server was restarted
                continue
            return connection

    def _connect(self) -> BoundedConnection:
        limits = self.limits
        connection = BoundedConnection.connect(
            self._url,
            autocommit=True,
            application_name=APPLICATION,
            connect_timeout=max(2, round(limits.connect_timeout_s)),
        )
        try:
            connection.answer_s = limits.connect_timeout_s + GRACE_S
            if connection.info.server_version < OLDEST_SERVER:
                raise StoreError(f"PostgreSQL at {self.place} is older than 15; upgrade it")
            if connection.info.parameter_status("server_encoding") != "UTF8":
                raise StoreError(
                    f"PostgreSQL at {self.place}: the database is not in UTF8; create it with ENCODING UTF8"
                )
            connection.execute(
                f"SET synchronous_commit = on; SET statement_timeout = {_ms(limits.statement_timeout_s)}; "
                f"SET lock_timeout = {_ms(limits.statement_timeout_s)}; SET client_encoding = UTF8; "
                f"SET idle_in_transaction_session_timeout = {_ms(IDLE_IN_TRANSACTION_S)}"
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def _roll_back(self, connection: BoundedConnection) -> None:
        try:
            if not connection.closed:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()  # which ends the transaction as well

    def _take_back(self, connection: BoundedConnection) -> None:
        with self._lock:
            if not connection.closed and not self._closed and connection.info.transaction_status == 0:
                self._idle.append(connection)
                return
        connection.close()

    def _drop_idle(self) -> None:
        with self._lock:
            idle = list(self._idle)
            self._idle.clear()
        for connection in idle:
            connection.close()


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
