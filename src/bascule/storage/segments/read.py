"""Rows for reports: from Parquet where that is as the ledger is, from the ledger where it is not."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, structs

from bascule.model.row import GATEWAY, AttemptRow, RowFilter
from bascule.ports import HOUR_MS, HourOf, LedgerSnapshot, LedgerStore
from bascule.storage.analytics.schema import VERSION
from bascule.storage.analytics.sources import Portion, Segment
from bascule.storage.journal.read import Reading, Tail, read_tail
from bascule.storage.segments.manifest import SegmentFile, has_sums, is_there, read_manifest
from bascule.storage.segments.plan import DAY_H, Span, fresh_hours, spans_of, stale_spans
from bascule.storage.view import rows_of


class Segments:
    """Implements `storage.analytics.sources.Sources` over a store, its journals and what was compacted of it."""

    def __init__(self, store: LedgerStore, journals: Path, folder: Path) -> None:
        """`folder` holds the Parquet files; it need not be there."""
        self.folder = folder
        self._store = store
        self._journals = journals

    def portion(self, where: RowFilter) -> Portion:
        """Every row of the filter's period once: files for hours that are as they were, and the rows of all others.

        Files have the rows of whole hours, whatever else the filter says. Raises StoreError, also while `rows` is
        read.
        """
        tail = read_tail(self._journals, self._store.heads(), Reading())
        since_hour = None if where.since_ms is None else where.since_ms // HOUR_MS
        until_hour = None if where.until_ms is None else -(-where.until_ms // HOUR_MS)
        with self._store.snapshot() as snapshot:
            versions = snapshot.hour_versions(since_hour, until_hour)
            touched = _touched(snapshot, tail)
            manifest = read_manifest(self.folder, VERSION, snapshot.identity())
        segments: list[Segment] = []
        fresh: set[HourOf] = set()
        for one in manifest.files:
            if where.origin not in (None, one.origin) or not _overlaps(one.day, since_hour, until_hour):
                continue
            hours = fresh_hours(one, versions, touched)
            if not hours or not is_there(self.folder, one):
                continue
            if one.left_out and where.names_imports:
                continue
            fresh |= {(one.origin, hour) for hour in hours}
            if one.file is not None:
                whole = len(hours) == len(one.hours)
                segments.append(self._segment(one, None if whole else spans_of(hours)))
        return Portion(tuple(segments), _Rest(self._store, tail, touched, where, fresh))

    def _segment(self, one: SegmentFile, fresh: tuple[Span, ...] | None) -> Segment:
        assert one.file is not None
        return Segment(
            path=self.folder / one.file,
            fresh=fresh,
            empty=frozenset(one.empty),
            sums=self.folder / one.sums if one.sums is not None and has_sums(self.folder, one) else None,
            span=(min(one.hours) * HOUR_MS, (max(one.hours) + 1) * HOUR_MS),
        )


class _Rest(Struct, frozen=True):
    """The rows that are in no file. Read once, as of one moment."""

    store: LedgerStore
    tail: Tail
    touched: set[int]
    where: RowFilter
    fresh: set[HourOf]

    def __iter__(self) -> Iterator[AttemptRow]:
        with self.store.snapshot() as snapshot:
            hours = {*snapshot.hour_versions(), *[(GATEWAY, hour) for hour in self.touched]}
            for origin, spans in stale_spans(hours, self.fresh).items():
                if self.where.origin not in (None, origin):
                    continue
                for span in spans:
                    within = _within(self.where, origin, span)
                    if within is not None:
                        for row in rows_of(snapshot, self.tail, within, by_request=True):
                            if row.restates is None or self.where.names_imports:
                                yield row


def _within(where: RowFilter, origin: str, span: Span) -> RowFilter | None:
    """The filter within a span; None where nothing is."""
    since_ms = span[0] if where.since_ms is None else max(span[0], where.since_ms)
    until_ms = span[1] if where.until_ms is None else min(span[1], where.until_ms)
    if since_ms >= until_ms:
        return None
    return structs.replace(where, origin=origin, since_ms=since_ms, until_ms=until_ms)


def _touched(snapshot: LedgerSnapshot, tail: Tail) -> set[int]:
    """Hours of attempts that lines are about which the store has not taken yet."""
    begun = {intent.ts_start_ms // HOUR_MS for intent, _ in tail.intents.values()}
    changed = {*tail.settlements, *[line.attempt_id for line in tail.adjustments.values()]} - tail.intents.keys()
    return begun | (snapshot.hours_of(changed) if changed else set())


def _overlaps(day: int, since_hour: int | None, until_hour: int | None) -> bool:
    first = day * DAY_H
    return (until_hour is None or first < until_hour) and (since_hour is None or first + DAY_H > since_hour)
