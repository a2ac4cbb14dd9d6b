"""A copy of a data directory, taken while a gateway serves from it, and put back.

Journals are copied before the database: a line that is drained between the two is in the database then, and a line in
both is the same line. What a gateway writes after that is not in the copy. Files that can be made again (segments) and
locks stay behind. The archive holds the pepper of virtual keys: it is as secret as the data directory.
"""

import hashlib
import io
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
from msgspec import Struct

from bascule.model.errors import StoreError
from bascule.storage.sqlite.connect import FILE_NAME, store_error
from bascule.storage.sqlite.content import FILE_NAME as CONTENT

MANIFEST = "manifest.json"
FORMAT = 1
JOURNAL = "journal"
PAGES_A_STEP = 2_048
_LEFT_OUT = ("segments",)
"""Besides locks, and recorded content, so that what is erased is in no archive."""

Progress = Callable[[int, int], None]
"""Pages of the database copied so far, and pages in all."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What an archive holds."""

    format: int
    made_ms: int
    program: str
    """The version of Bascule that made it: it, and any later one, can read it."""
    files: dict[str, str]
    """SHA-256 by path."""


def back_up(data_dir: Path, archive: Path, *, made_ms: int, program: str, progress: Progress) -> Manifest:
    """Write the archive. Raises StoreError; nothing is left behind then, and nothing is overwritten."""
    if archive.exists():
        raise StoreError(f"{archive} is there already; name another file")
    try:
        with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".backup-") as name:
            folder = Path(name)
            _copy_files(data_dir, folder)
            if (data_dir / FILE_NAME).exists():
                _copy_database(data_dir / FILE_NAME, folder / FILE_NAME, progress)
            files = {path: _digest(folder / path) for path in _files(folder)}
            manifest = Manifest(format=FORMAT, made_ms=made_ms, program=program, files=files)
            (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
            _pack(folder, archive)
    except OSError as error:
        archive.unlink(missing_ok=True)
        raise StoreError(f"{archive} cannot be written: {error}. Free space there or name another place") from error
    return manifest


def restore(archive: Path, data_dir: Path) -> Manifest:
    """Put an archive's files into a data directory that is empty or not there yet. Raises StoreError, and leaves the
    directory as it was then."""
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise StoreError(f"{data_dir} is not empty; move it away, or restore into another directory")
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data_dir.parent, prefix=".restore-") as name:
            folder = Path(name) / "data"
            folder.mkdir(mode=0o700)
            manifest = _unpack(archive, folder)
            if data_dir.exists():
                data_dir.rmdir()
            folder.rename(data_dir)
    except OSError as error:
        raise StoreError(f"{archive} cannot be restored to {data_dir}: {error}") from error
    return manifest


def _copy_files(data_dir: Path, folder: Path) -> None:
    """Everything but the database, the journals first."""
    for name in sorted(_files(data_dir), key=lambda name: not name.startswith(f"{JOURNAL}/")):
        path = PurePosixPath(name)
        if path.parts[0] in _LEFT_OUT or path.suffix == ".lock" or path.name.startswith((FILE_NAME, CONTENT)):
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(data_dir / name, target)
        except FileNotFoundError:
            # A segment that was drained and deleted meanwhile is in the database, which is copied after it.
            if path.parts[0] != JOURNAL:
                raise


def _copy_database(source: Path, target: Path, progress: Progress) -> None:
    def step(status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    try:
        with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
            reading.backup(writing, pages=PAGES_A_STEP, progress=step)
    except sqlite3.Error as error:
        raise store_error(source, error) from error


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(folder: Path, archive: Path) -> None:
    archive.touch(mode=0o600)
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        for name in [MANIFEST, *(name for name in _files(folder) if name != MANIFEST)]:
            packed.add(folder / name, arcname=name, recursive=False)


def _unpack(archive: Path, folder: Path) -> Manifest:
    """The files that the manifest names, each with the bytes that it says, and no others."""
    try:
        with tarfile.open(archive, "r:gz") as packed:
            members = _members(packed)
            _, head = next(members, ("", io.BytesIO()))
            manifest = msgspec.json.decode(head.read(), type=Manifest)
            if manifest.format != FORMAT:
                raise StoreError(
                    f"{archive} has format {manifest.format}, made by Bascule {manifest.program}; use that"
                )
            missing = set(manifest.files)
            for name, data in members:
                if name not in missing:
                    raise StoreError(f"{archive} holds {name!r}, which its manifest does not name")
                _write(folder / name, data, manifest.files[name])
                missing.remove(name)
    except (tarfile.TarError, EOFError, msgspec.DecodeError) as error:
        raise StoreError(f"{archive} is damaged or no backup of Bascule: {error}. Take another copy") from error
    if missing:
        raise StoreError(f"{archive} lacks {sorted(missing)[0]!r}: it was cut off. Take another copy")
    return manifest


def _members(packed: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in packed:
        path = PurePosixPath(member.name)
        data = packed.extractfile(member) if member.isfile() else None
        if data is None or path.is_absolute() or ".." in path.parts:
            raise StoreError(f"the archive holds {member.name!r}, which no backup does")
        yield member.name, data


def _write(target: Path, data: IO[bytes], digest: str) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.touch(mode=0o600)
    seen = hashlib.sha256()
    with target.open("wb") as file:
        while piece := data.read(1024 * 1024):
            seen.update(piece)
            file.write(piece)
    if seen.hexdigest() != digest:
        raise StoreError(f"{target.name} is not as it was when the backup was made. Take another copy")
