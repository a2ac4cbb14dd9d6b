"""Recorded content in an SQLite database of its own: apart from the ledger, so that it can be deleted, and left out of
backups, without touching it."""

import threading
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec import structs

from bascule.model.content import Recording, Subject
from bascule.model.errors import StoreError
from bascule.model.idempotency import KeptReply
from bascule.storage.content.vault import Vault
from bascule.storage.sqlite.connect import Database
from bascule.storage.sqlite.statements import statements
from bascule.storage.stores import SharedReplies

FILE_NAME = "content.sqlite3"

_encode = msgspec.msgpack.Encoder().encode
_recording = msgspec.msgpack.Decoder(Recording).decode
_reply = msgspec.msgpack.Decoder(KeptReply).decode


class SqliteContent:
    """Implements `ports.ContentStore` and `ports.ReplyStore`. Any thread may call; one at a time works.

    What is deleted is overwritten in the file (`secure_delete`).
    """

    def __init__(self, data_dir: Path, vault: Vault, shared: SharedReplies | None = None) -> None:
        """With `shared` replies are kept there instead. Raises StoreError."""
        self.path = data_dir / FILE_NAME
        self._vault = vault
        self._shared = shared
        self._lock = threading.Lock()
        self._sql = statements("content.sql")
        self._database = Database(self.path, "process")
        with self._database.translated():
            self.path.chmod(0o600)
            self._database.use_write_ahead_log()
            connection = self._database.connection
            connection.execute("PRAGMA secure_delete = ON")
            connection.executescript(files(__package__).joinpath("content_schema.sql").read_text(encoding="utf-8"))

    def record(self, recordings: Sequence[Recording]) -> None:
        """All or none, but those whose subject's content was erased since they began."""
        rows = [
            {
                "attempt_id": r.attempt_id,
                "request_id": r.request_id,
                "ts_ms": r.ts_ms,
                "user": r.user,
                "session_id": r.session_id,
                "sealed": self._vault.seal(_encode(r), r.attempt_id.encode()),
            }
            for r in recordings
        ]
        with self._lock, self._database.transaction() as connection:
            connection.executemany(self._sql["record"], rows)

    def of_request(self, request_id: str) -> list[Recording]:
        with self._lock, self._database.translated():
            found = self._database.connection.execute(self._sql["of_request"], (request_id,)).fetchall()
        return [_recording(self._vault.open(sealed, attempt_id.encode())) for attempt_id, sealed in found]

    def keep(self, name: bytes, reply: KeptReply, *, subject: Subject, started_ms: int) -> None:
        sealed = self._vault.seal(_encode(reply), name)
        told = {**structs.asdict(subject), "ts_ms": started_ms}
        row = {**structs.asdict(subject), "name": name, "until_ms": reply.until_ms, "sealed": sealed}
        with self._lock, self._database.transaction() as connection:
            if connection.execute(self._sql["is_erased"], told).fetchone() is not None:
                return
            if self._shared is None:
                connection.execute(self._sql["keep_reply"], row)
                return
        self._shared.put(name, sealed, until_ms=reply.until_ms, subject=subject)

    def find(self, name: bytes, now_ms: int) -> KeptReply | None:
        if self._shared is not None:
            sealed = self._shared.get(name, now_ms)
        else:
            with self._lock, self._database.translated():
                found = self._database.connection.execute(self._sql["reply"], (name, now_ms)).fetchone()
            sealed = None if found is None else found[0]
        return None if sealed is None else _reply(self._vault.open(sealed, name))

    def erase(self, subject: Subject, *, at_ms: int) -> int:
        told = structs.asdict(subject)
        with self._lock, self._database.transaction() as connection:
            # First: what others have not written yet stays unwritten.
            connection.execute(self._sql["note_erasure"], (str(subject), at_ms))
        erased = 0 if self._shared is None else self._shared.erase(subject)
        with self._lock:
            with self._database.transaction() as connection:
                erased += connection.execute(self._sql["erase_recordings"], told).rowcount
                erased += connection.execute(self._sql["erase_replies"], told).rowcount
            self._empty_log()
        return erased

    def end(self, *, before_ms: int, now_ms: int) -> int:
        """Delete recordings of before, and replies whose time is over."""
        ended = 0 if self._shared is None else self._shared.end(now_ms)
        with self._lock:
            with self._database.transaction() as connection:
                ended += connection.execute(self._sql["end_recordings"], (before_ms,)).rowcount
                ended += connection.execute(self._sql["end_replies"], (now_ms,)).rowcount
                connection.execute(self._sql["end_erasures"], (before_ms,))
            if ended:
                self._empty_log()
        return ended

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _empty_log(self) -> None:
        """The write-ahead log has earlier states of pages; only when it is empty is what was deleted gone."""
        with self._database.translated():
            busy, _, _ = self._database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(
                f"{self.path}: content was deleted, but traces are in its write-ahead log, since another process reads "
                "it; do it again when that has ended"
            )
