"""`ledger compact`: settled hours of the ledger and of imports as Parquet, one file per origin and UTC day.

Nothing in the ledger changes. Each day is one file under a name of its own, then one new manifest; a file that no
manifest names any more is deleted when the next compaction begins, so that who reads has time to end.
"""

import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

from msgspec import Struct

from bascule.model.errors import StoreError
from bascule.model.row import AttemptRow, RowFilter
from bascule.ports import HOUR_MS, LedgerSnapshot, LedgerStore
from bascule.storage.analytics.connect import MISSING, AnalyticsMissing
from bascule.storage.analytics.load import Written, sums_path, write_segment
from bascule.storage.analytics.schema import VERSION
from bascule.storage.journal.read import Tail
from bascule.storage.journal.segments import FileLock
from bascule.storage.segments.manifest import (
    Manifest,
    SegmentFile,
    has_sums,
    is_there,
    read_manifest,
    sync,
    write_manifest,
)
from bascule.storage.segments.plan import DAY_H, Day, Work, spans_of, work_to_do
from bascule.storage.view import rows_of

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

Track = Callable[[tuple[Day, ...]], Iterable[Day]]


class Compacted(Struct, frozen=True, kw_only=True):
    """What a compaction did."""

    written: tuple[SegmentFile, ...]
    unchanged: int
    open_hours: tuple[int, ...]
    """Left out until their attempts are settled."""


def compact(
    store: LedgerStore, folder: Path, now_ms: int, until_ms: int | None = None, track: Track = iter
) -> Compacted:
    """Bring the files in `folder` up to date with all hours that are over and settled, or with those before
    `until_ms`. What was done stays done when it is cut short.

    Raises StoreError (another compaction is running, or the disk does not take the files), AnalyticsMissing.
    """
    until_hour = (now_ms if until_ms is None else min(now_ms, until_ms)) // HOUR_MS
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock.acquire(folder / "compaction.lock")
        if lock is None:
            raise StoreError(f"another process is compacting into {folder}; let it end")
        try:
            return _Compaction(store, folder, until_hour).run(track)
        finally:
            lock.release()
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}. Free space on that disk or mend it") from error


class _Compaction:
    def __init__(self, store: LedgerStore, folder: Path, until_hour: int) -> None:
        self._store = store
        self._folder = folder
        self._until_hour = until_hour

    def run(self, track: Track) -> Compacted:
        with self._store.snapshot() as snapshot:
            manifest = read_manifest(self._folder, VERSION, snapshot.identity())
            there = tuple([one for one in manifest.files if _is_whole(self._folder, one)])
            work = self._work(snapshot, there)
        manifest = Manifest(table_version=VERSION, store=manifest.store, files=there)
        self._sweep(manifest)
        written = []
        for day in track(work.days):
            new = self._write(day, manifest)
            manifest = manifest.with_file(new)
            write_manifest(self._folder, manifest)
            written.append(new)
        return Compacted(written=tuple(written), unchanged=work.unchanged, open_hours=work.open_hours)

    def _work(self, snapshot: LedgerSnapshot, files: Iterable[SegmentFile]) -> Work:
        return work_to_do(snapshot.hour_versions(), snapshot.open_hours(), files, self._until_hour)

    def _write(self, day: Day, manifest: Manifest) -> SegmentFile:
        """The file of a day, of what the store holds by now."""
        first = day.day * DAY_H
        with self._store.snapshot() as snapshot:
            versions = snapshot.hour_versions(first, first + DAY_H)
            hours = {hour: versions[day.origin, hour] for hour in day.hours}
            name = f"{_slug(day.origin)}-{iso_day(day.day)}-{secrets.token_hex(4)}.parquet"
            path = self._folder / name
            left_out = 0

            def kept() -> Iterator[AttemptRow]:
                nonlocal left_out
                for row in _rows(snapshot, day):
                    if row.restates is None:
                        yield row
                    else:
                        left_out += 1

            written = _written(kept(), path)
        if written.rows:
            for made in (path, sums_path(path)):
                made.chmod(0o600)
                sync(made)
            sync(self._folder)
        return SegmentFile(
            origin=day.origin,
            day=day.day,
            file=name if written.rows else None,
            rows=written.rows,
            size_bytes=path.stat().st_size if written.rows else 0,
            sums=sums_path(path).name if written.rows else None,
            sums_bytes=sums_path(path).stat().st_size if written.rows else 0,
            empty=written.empty,
            left_out=left_out,
            hours=hours,
        )

    def _sweep(self, manifest: Manifest) -> None:
        """Delete what earlier compactions left: files of older manifests, and what was cut short."""
        named = {name for one in manifest.files for name in (one.file, one.sums)}
        for path in self._folder.glob("*.parquet"):
            if path.name not in named:
                path.unlink(missing_ok=True)
        for folder in self._folder.glob(".segment-*"):
            shutil.rmtree(folder, ignore_errors=True)


def _is_whole(folder: Path, one: SegmentFile) -> bool:
    return is_there(folder, one) and (one.file is None or has_sums(folder, one))


def _written(rows: Iterable[AttemptRow], path: Path) -> Written:
    try:
        import duckdb
    except ImportError as error:
        raise AnalyticsMissing(MISSING) from error
    try:
        return write_segment(rows, path)
    except duckdb.Error as error:
        raise StoreError(f"{path} cannot be written: {error}. Free space on that disk or mend it") from error


def _rows(snapshot: LedgerSnapshot, day: Day) -> Iterator[AttemptRow]:
    for since_ms, until_ms in spans_of(day.hours):
        where = RowFilter(origin=day.origin, since_ms=since_ms, until_ms=until_ms)
        yield from rows_of(snapshot, Tail(), where, by_request=True)


def iso_day(day: int) -> str:
    """The date of a day's number."""
    return date.fromordinal(_EPOCH_ORDINAL + day).isoformat()


def _slug(origin: str) -> str:
    """An origin as the beginning of a file name; what follows it keeps names apart."""
    return "".join([sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "_" for sign in origin[:40]])
