"""Which Parquet files there are, and of which versions of which hours each was made.

The manifest is what counts: a file that it does not name is nothing, and a file is never written twice. So a new
manifest, which replaces the old one whole, is the moment in which a compaction has happened.
"""

import logging
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from bascule.model.errors import StoreError

log = logging.getLogger("bascule.ledger")

NAME = "manifest.json"


class SegmentFile(Struct, frozen=True, kw_only=True):
    """One origin's rows of one UTC day, as far as its hours could be compacted."""

    origin: str
    day: int
    """From the Unix epoch."""
    file: str | None
    """None where its hours have no rows."""
    rows: int
    size_bytes: int
    sums: str | None = None
    """A file of sums of the rows, beside the other."""
    sums_bytes: int = 0
    empty: tuple[str, ...] = ()
    """Columns without a value."""
    left_out: int = 0
    """Rows of its hours that restate others: who names their origin reads them from the ledger."""
    hours: dict[int, int]
    """Version by number of the hour from the Unix epoch."""


class Manifest(Struct, frozen=True, kw_only=True):
    """Everything that was compacted of one store."""

    table_version: int
    """What the columns of the files are and mean."""
    store: str
    files: tuple[SegmentFile, ...] = ()

    def with_file(self, new: SegmentFile) -> "Manifest":
        """With this one for its origin and day."""
        others = [one for one in self.files if (one.origin, one.day) != (new.origin, new.day)]
        files = tuple(sorted([*others, new], key=lambda one: (one.day, one.origin)))
        return Manifest(table_version=self.table_version, store=self.store, files=files)


def read_manifest(folder: Path, table_version: int, store: str) -> Manifest:
    """What lies there of this store and in this form; empty where nothing does.

    Whatever cannot be used is not, and rows are then read from the ledger: it holds all of them.
    """
    empty = Manifest(table_version=table_version, store=store)
    path = folder / NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return empty
    except (msgspec.DecodeError, OSError) as error:
        log.warning("%s is not used: %s; `bascule ledger compact` makes it anew", path, error)
        return empty
    return found if (found.table_version, found.store) == (table_version, store) else empty


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace it whole, once it is on the disk. Raises StoreError."""
    path = folder / f".{NAME}.new"
    try:
        with path.open("wb") as stream:
            stream.write(msgspec.json.encode(manifest))
            stream.flush()
            os.fsync(stream.fileno())
        path.replace(folder / NAME)
        sync(folder)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}. Free space on that disk or mend it") from error


def sync(path: Path) -> None:
    """Return once a file's content or a folder's names are on the disk. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def is_there(folder: Path, one: SegmentFile) -> bool:
    """Whether the file is there as it was written, as far as its size tells."""
    return one.file is None or _has_size(folder / one.file, one.size_bytes)


def has_sums(folder: Path, one: SegmentFile) -> bool:
    """Whether its sums are there too."""
    return one.sums is not None and _has_size(folder / one.sums, one.sums_bytes)


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except OSError:
        return False
