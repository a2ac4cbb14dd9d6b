"""One import from its files to the store: every call once, the best reading of it, in batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from bascule.model.imported import ImportCounts, Imported
from bascule.model.row import AttemptRow
from bascule.offline.imports.booking import Booking
from bascule.offline.imports.lines import BadLine, Lines, read_blocks
from bascule.offline.imports.observed import FINAL, Given, Observed
from bascule.offline.imports.places import Found, LogFile
from bascule.offline.imports.tally import Share, Tally, share_of

BATCH_ROWS = 25_000

Progress = Callable[[int], object]


class Reader(Protocol):
    """Reads one kind of file."""

    @property
    def api_errors(self) -> int: ...

    def read(self, path: Path, blocks: Iterator[Lines]) -> Iterator[Observed | Given | BadLine]: ...


class Wanted(Struct, frozen=True):
    """Which calls: begun in [since_ms, until_ms), None is without that end."""

    since_ms: int | None = None
    until_ms: int | None = None

    def admits(self, row: AttemptRow) -> bool:
        at_ms = row.ts_start_ms
        return (self.since_ms is None or at_ms >= self.since_ms) and (self.until_ms is None or at_ms < self.until_ms)


class Run:
    """`put` None changes nothing: a dry run. `recorded` tells whether the ledger has a call already."""

    def __init__(
        self,
        *,
        reader: Reader,
        booking: Booking,
        put: Callable[[Sequence[Imported]], ImportCounts] | None,
        wanted: Wanted,
        recorded: Callable[[AttemptRow], bool] | None = None,
    ) -> None:
        self.tally = Tally()
        self._reader = reader
        self._booking = booking
        self._put = put
        self._wanted = wanted
        self._recorded = recorded
        self._shares: dict[int, Share] = {}
        """Of calls whose reading may still be bettered."""
        self._qualities: dict[int, int] = {}
        """By a 64-bit hash of the source id: of ten gigabytes of logs a hundred megabytes."""
        self._batch: list[Imported] = []

    def files(self, found: Found, progress: Progress | None = None) -> Tally:
        """Import them all. Raises StoreError; what a file holds or lacks raises nothing."""
        for lost in found.unreadable:
            self.tally.unreadable.append(BadLine(str(lost.path), 0, lost.why))
        for file in found.files:
            if self._wanted.since_ms is not None and file.changed_ms < self._wanted.since_ms:
                self.tally.files_older += 1
                if progress is not None:
                    progress(file.size_bytes)
                continue
            self._file(file, progress)
        self._flush()
        self.tally.api_errors = self._reader.api_errors
        return self.tally

    def _file(self, file: LogFile, progress: Progress | None) -> None:
        try:
            self._take_all(self._reader.read(file.path, self._counted(read_blocks(file.path, progress))))
        except OSError as error:
            why = error.strerror or type(error).__name__
            self.tally.unreadable.append(BadLine(str(file.path), 0, why))
        else:
            self.tally.files += 1

    def _counted(self, blocks: Iterator[Lines]) -> Iterator[Lines]:
        for block in blocks:
            self.tally.lines += len(block.lines)
            yield block

    def _take_all(self, items: Iterable[Observed | Given | BadLine]) -> None:
        booked = self._booking.row
        for item in items:
            if isinstance(item, Observed):
                self._take(item.source_id, item.quality, booked(item), item)
            elif isinstance(item, Given):
                self._take(item.source_id, item.quality, item.row, None)
            else:
                self.tally.complain(item)

    def _take(self, source_id: str, quality: int, row: AttemptRow, seen: Observed | None) -> None:
        if not self._wanted.admits(row):
            self.tally.outside += 1
            return
        key = hash(row.attempt_id)
        known = self._qualities.get(key)
        if known is not None and known >= quality:
            self.tally.copies += 1
            return
        if self._recorded is not None and self._recorded(row):
            self.tally.through_gateway += 1
            return
        share = share_of(row, seen, has_price=row.rates is not None or self._booking.has_price(row))
        if known is None:
            self.tally.add(share, row)
        else:
            self.tally.copies += 1
            self.tally.exchange(self._shares[key], share)
        self._qualities[key] = quality
        if quality < FINAL:
            self._shares[key] = share
        elif known is not None:
            del self._shares[key]
        self._batch.append(Imported(source=row.origin, source_id=source_id, row=row, quality=quality))
        if len(self._batch) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        if batch and self._put is not None:
            done = self._put(batch)
            self.tally.new += done.new
            self.tally.replaced += done.replaced
            self.tally.same += done.same
