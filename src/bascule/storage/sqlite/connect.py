"""Opening the database: pragmas, migrations, and errors in our own words."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from math import ceil
from pathlib import Path

from bascule.model.errors import StoreError
from bascule.storage.journal.writer import Durability
from bascule.storage.named_sql import migration_files

FILE_NAME = "ledger.sqlite3"
BUSY_TIMEOUT_S = 5.0
_SWITCH_PAUSE_S = 0.02
_SYNCHRONOUS: dict[Durability, str] = {"process": "NORMAL", "power": "FULL"}


class Database:
    """One connection. Used by one thread at a time; each of its users opens its own."""

    def __init__(self, path: Path, durability: Durability) -> None:
        """Raises StoreError."""
        self.path = path
        self.durability = durability
        with self.translated():
            self.connection = _connect(path, durability)
            self.connection.execute("PRAGMA schema_version").fetchone()  # only now is there a file
        self._file = _file_at(path)

    @property
    def place(self) -> str:
        return str(self.path)

    def use_write_ahead_log(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Keep the file in SQLite's WAL mode, in which readers do not wait for writers.

        A switch is refused at once while another connection writes, whatever the busy timeout says: each holds the
        read lock that the other waits for. Workers that make the file together meet there, so it is asked for again,
        for as long as any other lock is waited for. Raises StoreError.
        """
        pauses_left = ceil(BUSY_TIMEOUT_S / _SWITCH_PAUSE_S)
        with self.translated():
            while True:
                try:
                    (mode,) = self.connection.execute("PRAGMA journal_mode = WAL").fetchone()
                    break
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not pauses_left:
                        raise
                pauses_left -= 1
                pause(_SWITCH_PAUSE_S)
        if mode != "wal":
            raise StoreError(
                f"{self.path} cannot have a write-ahead log where it lies (SQLite stays in mode {mode}). Move data_dir "
                "to a disk of this machine: file systems of a network have no shared memory"
            )

    def judge_file(self) -> None:
        """Raises StoreError where the file was removed or replaced: what is written then is gone with its last user."""
        if _file_at(self.path) != self._file:
            raise StoreError(
                f"{self.path} was removed or replaced while it was open, and takes nothing more. Restart bascule, with "
                "that file back in its place where you have it; what is in the journal is taken into it then"
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: all of it or nothing. Raises StoreError."""
        self.judge_file()
        with self.translated(), _committed(self.connection) as connection:
            yield connection

    @contextmanager
    def separately(self) -> Iterator[sqlite3.Connection]:
        """A write transaction on a connection of its own, for any thread. Raises StoreError."""
        with self.translated(), closing(_connect(self.path, self.durability)) as connection, _committed(connection):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view, however long it lasts, on a connection of its own. Raises StoreError."""
        with self.translated(), closing(_connect(self.path, self.durability)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM schema_versions").fetchone()  # the view is fixed by the first read
            yield connection

    @contextmanager
    def translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise store_error(self.path, error) from error

    def close(self) -> None:
        with self.translated():
            self.connection.close()


def open_database(data_dir: Path, durability: Durability = "process") -> Database:
    """The database of this data directory, made and migrated where needed.

    Raises StoreError where it cannot be opened or read, or where a newer Bascule has migrated it.
    """
    path = data_dir / FILE_NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{data_dir} cannot be made: {error.strerror}. Check data_dir and its owner") from error
    database = Database(path, durability)
    try:
        database.use_write_ahead_log()
        migrate(database)
        path.chmod(0o600)
    except BaseException:
        database.connection.close()
        raise
    return database


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file that is; None for none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path, durability: Durability) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    return connection


@contextmanager
def _committed(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def migrations() -> list[tuple[int, str, str]]:
    """Number, file name and text of every migration, in order."""
    return migration_files(__package__)


def migrate(database: Database, up_to: int | None = None) -> None:
    """Bring the schema to the newest version (or to `up_to`), one transaction per step.

    Raises StoreError where the database is newer than this program.
    """
    steps = migrations()
    newest = steps[-1][0]
    found = schema_version(database)
    if found > newest:
        raise StoreError(
            f"{database.path} has schema version {found}, and this program knows up to {newest}. "
            "Upgrade bascule, or give it another data_dir"
        )
    for number, name, text in steps:
        if number <= found or (up_to is not None and number > up_to):
            continue
        with database.transaction() as connection:
            if schema_version(database) >= number:
                continue  # another process has just done it
            for statement in _split(text):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_versions (version, name) VALUES (?, ?)", (number, name))


def schema_version(database: Database) -> int:
    """The version of the last migration; 0 for a new database."""
    with database.translated():
        database.connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, name TEXT NOT NULL)"
        )
        (version,) = database.connection.execute("SELECT coalesce(max(version), 0) FROM schema_versions").fetchone()
    return int(version)


def _split(script: str) -> Iterator[str]:
    """The statements of a migration. `executescript` would commit behind our back."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """What SQLite says, with what to do about it."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name in {"SQLITE_NOTADB", "SQLITE_CORRUPT"} or name.startswith("SQLITE_CORRUPT_"):
        remedy = (
            "It is damaged or not a Bascule database. Stop bascule, move it away or restore it from a backup; "
            "journals that were not drained are taken into a new one at the next start"
        )
    elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        remedy = "Another process holds it; end that process or wait"
    elif name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR"):
        remedy = "Free space on that disk or mend it"
    elif name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        remedy = "Check that the file and its folder exist and may be written"
    else:
        remedy = "See the message; `bascule doctor` checks disk and database"
    return StoreError(f"{path}: {error} ({name or type(error).__name__}). {remedy}")
