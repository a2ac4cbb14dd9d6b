"""Recorded content of a data directory, as its configuration wants it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from bascule.config.privacy import Privacy
from bascule.config.secret import Secret
from bascule.model.content import Recording, Subject
from bascule.storage.content.recorder import ContentRecorder
from bascule.storage.content.vault import AesVault, NoVault, Vault
from bascule.storage.sqlite.content import FILE_NAME, SqliteContent
from bascule.storage.stores import SharedReplies


class Content(Struct, frozen=True, kw_only=True):
    """What is there, and what writes it. Implements `ports.ContentStore`: what waits is written first."""

    store: SqliteContent
    recorder: ContentRecorder

    def of_request(self, request_id: str) -> list[Recording]:
        self.recorder.flush()
        return self.store.of_request(request_id)

    def erase(self, subject: Subject, *, at_ms: int) -> int:
        self.recorder.flush()
        return self.store.erase(subject, at_ms=at_ms)

    def close(self) -> None:
        self.recorder.close()
        self.store.close()


def open_store(
    privacy: Privacy, secrets: Sequence[Secret], data_dir: Path, shared: SharedReplies | None = None
) -> SqliteContent | None:
    """`shared`: where replicas have their replies. None where nothing was ever recorded and nothing is to be.

    Raises StoreError.
    """
    if privacy.record_content == "none" and not (data_dir / FILE_NAME).exists():
        return None
    return SqliteContent(data_dir, vault_of(secrets), shared)


def open_content(
    privacy: Privacy,
    secrets: Sequence[Secret],
    data_dir: Path,
    now_ms: Callable[[], int],
    shared: SharedReplies | None = None,
) -> Content | None:
    """With its recorder, which also ends what is old where nothing is recorded any more. Raises StoreError."""
    store = open_store(privacy, secrets, data_dir, shared)
    if store is None:
        return None
    recorder = ContentRecorder(
        store,
        max_recorded_bytes=privacy.max_recorded_bytes,
        max_queue_bytes=privacy.max_queue_bytes,
        retention_days=privacy.retention_days,
        now_ms=now_ms,
    )
    return Content(store=store, recorder=recorder)


def vault_of(secrets: Sequence[Secret]) -> Vault:
    return AesVault(secrets) if secrets else NoVault()
