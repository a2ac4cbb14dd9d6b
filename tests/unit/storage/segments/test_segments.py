"""Compaction and reading together: whatever happens in between, every row is there once and as it is."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.model.entry import Line
from bascule.model.errors import StoreError
from bascule.model.row import EVERY_ROW, RowFilter
from bascule.ports import HOUR_MS
from bascule.storage.analytics.sources import Portion
from bascule.storage.drainer import Drainer
from bascule.storage.journal.segments import FileLock
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.memory.ledger import MemoryLedger
from bascule.storage.segments import compact as compact_module
from bascule.storage.segments.compact import Compacted, compact
from bascule.storage.segments.manifest import NAME, Manifest, SegmentFile
from bascule.storage.segments.read import Segments
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.imports import SqliteImports
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.storage.view import LedgerView
from bascule.testing.ledger import NOON_MS, a_settlement, an_adjustment, an_import, an_intent

duckdb = pytest.importorskip("duckdb", reason="the extra `analytics` is not installed")

LATER_MS = NOON_MS + 400 * HOUR_MS


class Place:
    """A store, its journal and its segments."""

    def __init__(self, folder: Path, store: Any = None, imports: Any = None) -> None:
        self.store = store or MemoryLedger()
        self.imports = imports or self.store.imports
        self.journal = JournalWriter(folder / "journal", "r-0-a")
        self.drainer = Drainer(self.journal, self.store)
        self.folder = folder / "segments"
        self.segments = Segments(self.store, folder / "journal", self.folder)
        self.view = LedgerView(self.store, folder / "journal")

    def write(self, *lines: Line) -> None:
        for line in lines:
            {"Intent": self.journal.intent, "Settlement": self.journal.settle, "Adjustment": self.journal.adjust}[
                type(line).__name__
            ](line)  # type: ignore[arg-type]

    def drained(self, *lines: Line) -> None:
        self.write(*lines)
        self.drainer.drain()

    def compact(self, now_ms: int = LATER_MS, until_ms: int | None = None) -> Compacted:
        return compact(self.store, self.folder, now_ms, until_ms)

    def portion(self, **where: Any) -> Portion:
        return self.segments.portion(RowFilter(**where))

    def files(self) -> set[str]:
        """Those of rows; their sums lie beside them."""
        found = {path.name for path in self.folder.glob("*.parquet")}
        sums = {name for name in found if name.endswith(".sums.parquet")}
        assert {name.replace(".sums.", ".") for name in sums} == found - sums
        return found - sums


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def told(portion: Portion, where: RowFilter = EVERY_ROW) -> list[tuple[Any, ...]]:
    """What a portion says of the filter's rows, however it says it."""
    found = [
        (row.ts_start_ms, row.attempt_id, row.origin, row.kind, row.cost_nanousd)
        for row in portion.rows
        if where.admits(row)
    ]
    for segment in portion.segments:
        spans = segment.fresh or ((-(1 << 62), 1 << 62),)
        rows = duckdb.sql(
            "SELECT ts_start_ms, attempt_id, origin, kind, cost_nanousd, key, session_id, model "
            f"FROM read_parquet('{segment.path}')"
        ).fetchall()
        found += [
            values[:5]
            for values in rows
            if any(since <= values[0] < until for since, until in spans) and _admits(where, values)
        ]
    return sorted(found)


def _admits(where: RowFilter, values: tuple[Any, ...]) -> bool:
    return (
        all(
            getattr(where, name) in (None, value)
            for name, value in zip(
                ("attempt_id", "origin", "key", "session_id", "model"), (*values[1:3], *values[5:]), strict=True
            )
        )
        and (where.since_ms is None or values[0] >= where.since_ms)
        and (where.until_ms is None or values[0] < where.until_ms)
    )


def known(place: Place, where: RowFilter = EVERY_ROW) -> list[tuple[Any, ...]]:
    """What the ledger says."""
    return sorted(
        (row.ts_start_ms, row.attempt_id, row.origin, row.kind, row.cost_nanousd) for row in place.view.attempts(where)
    )


def a_day(place: Place) -> None:
    """Two hours of the gateway on one day, one on the next, and imports."""
    for number, hours in ((1, 0), (2, 0), (3, 1), (4, 20)):
        place.drained(an_intent(number, ts_start_ms=NOON_MS + hours * HOUR_MS), a_settlement(number))
    place.imports.put([an_import(1), an_import(2, ts_start_ms=NOON_MS + HOUR_MS), an_import(1, source="codex/x ä")])


def test_without_segments_all_rows_come_from_the_ledger(place: Place) -> None:
    a_day(place)
    found = place.portion()
    assert found.segments == ()
    assert told(found) == known(place)
    assert len(known(place)) == 7


def test_what_was_compacted_is_read_from_files(place: Place) -> None:
    a_day(place)
    done = place.compact()
    assert [(one.origin, one.rows, len(one.hours)) for one in done.written] == [
        ("claude-code", 2, 2),
        ("codex/x ä", 1, 1),
        ("gateway", 3, 2),
        ("gateway", 1, 1),
    ]
    found = place.portion()
    assert list(found.rows) == []
    assert [segment.fresh for segment in found.segments] == [None] * 4
    assert told(found) == known(place)
    assert all(
        name.startswith(("claude-code-2026-11-21-", "codex_x__-", "gateway-2026-11-2")) for name in place.files()
    )


def test_days_that_did_not_change_are_not_written_again(place: Place) -> None:
    a_day(place)
    place.compact()
    before = place.files()
    again = place.compact()
    assert (again.written, again.unchanged, place.files()) == ((), 4, before)
    place.drained(an_adjustment(4))
    third = place.compact()
    assert [(one.origin, one.rows) for one in third.written] == [("gateway", 1)]
    assert third.unchanged == 3
    assert len(before - place.files()) == 0  # what was replaced stays until the next compaction
    place.compact()
    assert len(before - place.files()) == 1
    assert told(place.portion()) == known(place)


CHANGES: dict[str, Callable[[Place], None]] = {
    "a late attempt": lambda place: place.drained(an_intent(9, ts_start_ms=NOON_MS + 60_000)),
    "a late attempt in the journal": lambda place: place.write(an_intent(9, ts_start_ms=NOON_MS + 60_000)),
    "a correction": lambda place: place.drained(an_adjustment(1)),
    "a correction in the journal": lambda place: place.write(an_adjustment(1)),
    "an hour without rows yet": lambda place: place.drained(an_intent(9, ts_start_ms=NOON_MS + 5 * HOUR_MS)),
    "a better reading": lambda place: place.imports.put([an_import(1, quality=30, cost_nanousd=1)]),
    "a reading that moves": lambda place: place.imports.put([an_import(1, ts_start_ms=NOON_MS + 30 * HOUR_MS)]),
    "a new import": lambda place: place.imports.put([an_import(9, source="litellm")]),
    "a deleted file": lambda place: next(iter(place.folder.glob("gateway*"))).unlink(),
    "a file that was cut": lambda place: next(iter(place.folder.glob("gateway*"))).write_bytes(b"PAR1"),
    "no manifest": lambda place: (place.folder / NAME).unlink(),
    "a damaged manifest": lambda place: (place.folder / NAME).write_bytes(b"{"),
    "no segments at all": lambda place: shutil.rmtree(place.folder),
}


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_every_row_is_told_once_and_as_it_is(place: Place, change: str) -> None:
    a_day(place)
    place.compact()
    CHANGES[change](place)
    for where in (
        EVERY_ROW,
        RowFilter(since_ms=NOON_MS + HOUR_MS),
        RowFilter(until_ms=NOON_MS + 2),
        RowFilter(origin="gateway"),
        RowFilter(origin="claude-code", since_ms=NOON_MS + 1),
        RowFilter(key="ci"),
    ):
        assert told(place.segments.portion(where), where) == known(place, where)
    place.drainer.drain()
    place.compact()
    assert told(place.portion()) == known(place)


def test_what_restates_other_rows_is_told_to_who_names_it_alone(place: Place) -> None:
    a_day(place)
    place.imports.put(
        [an_import(7, source="codex/x ä", restates="calls"), an_import(8, source="bill", restates="usage")]
    )
    names = (
        EVERY_ROW,
        RowFilter(origin="bill"),
        RowFilter(origin="codex/x ä"),
        RowFilter(attempt_id="bill:msg-000008"),
    )
    counted = []
    for _ in range(2):
        for where in names:
            assert told(place.segments.portion(where), where) == known(place, where)
            counted.append(len(known(place, where)))
        place.compact()
    assert counted == [7, 1, 2, 1] * 2
    assert place.compact().written == ()


def test_only_hours_that_changed_are_read_again(place: Place) -> None:
    a_day(place)
    place.compact()
    place.drained(an_adjustment(1))
    found = place.portion()
    assert {row.attempt_id for row in found.rows} == {"att-000001", "att-000002"}
    assert [segment.fresh for segment in found.segments if segment.path.name.startswith("gateway")] == [
        ((NOON_MS + HOUR_MS, NOON_MS + 2 * HOUR_MS),),
        None,
    ]


def test_open_hours_wait(place: Place) -> None:
    place.drained(an_intent(1), a_settlement(1), an_intent(2, ts_start_ms=NOON_MS + HOUR_MS))
    done = place.compact()
    assert [(one.rows, list(one.hours)) for one in done.written] == [(1, [NOON_MS // HOUR_MS])]
    assert done.open_hours == (NOON_MS // HOUR_MS + 1,)
    assert told(place.portion()) == known(place)
    place.drained(a_settlement(2))
    done = place.compact()
    assert ([one.rows for one in done.written], done.open_hours) == ([2], ())


def test_the_hour_that_runs_and_those_after_the_end_are_left_out(place: Place) -> None:
    a_day(place)
    assert [len(one.hours) for one in place.compact(NOON_MS + HOUR_MS + 1).written] == [1, 1, 1]
    assert place.compact(LATER_MS, until_ms=NOON_MS).written == ()
    assert len(place.compact(LATER_MS, until_ms=NOON_MS + 2 * HOUR_MS).written) == 2
    assert told(place.portion()) == known(place)


@pytest.mark.parametrize("step", range(12))
def test_cut_short_anywhere_the_old_state_is_readable_and_the_next_one_completes_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    a_day(place)
    place.compact(until_ms=NOON_MS + HOUR_MS)
    place.drained(an_adjustment(1))
    place.imports.put([an_import(1, quality=30, cost_nanousd=1)])
    left = [step]

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            return work(*given)

        return call

    with monkeypatch.context() as dying:
        for name in ("write_segment", "write_manifest", "sync"):
            dying.setattr(compact_module, name, counted(getattr(compact_module, name)))
        with contextlib.suppress(KeyboardInterrupt):
            place.compact()
    assert told(place.portion()) == known(place)
    place.compact()
    assert told(place.portion()) == known(place)
    assert list(place.portion().rows) == []
    place.compact()
    assert len(place.files()) == 4
    assert not list(place.folder.glob(".segment-*"))


def test_rows_are_read_without_their_sums_and_the_next_compaction_makes_those_anew(place: Place) -> None:
    a_day(place)
    place.compact()
    assert all(segment.sums is not None for segment in place.portion().segments)
    lost = place.folder / next(one.file.replace(".parquet", ".sums.parquet") for one in _files(place) if one.file)
    lost.unlink()
    found = place.portion()
    assert sum(segment.sums is None for segment in found.segments) == 1
    assert (list(found.rows), told(found)) == ([], known(place))
    assert len(place.compact().written) == 1
    assert all(segment.sums is not None for segment in place.portion().segments)


def test_segments_of_before_there_were_sums_are_used_until_they_are_made_anew(place: Place) -> None:
    a_day(place)
    place.compact()
    path = place.folder / NAME
    old = msgspec.json.decode(path.read_bytes())
    for one in old["files"]:
        del one["sums"], one["sums_bytes"], one["empty"]
    path.write_bytes(msgspec.json.encode(old))
    found = place.portion()
    assert (len(found.segments), list(found.rows), told(found)) == (4, [], known(place))
    assert len(place.compact().written) == 4
    assert place.compact().written == ()


def _files(place: Place) -> tuple[SegmentFile, ...]:
    return msgspec.json.decode((place.folder / NAME).read_bytes(), type=Manifest).files


def test_segments_of_another_store_are_not_used(place: Place, tmp_path: Path) -> None:
    a_day(place)
    place.compact()
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other")
    other.drained(an_intent(1), a_settlement(1, cost_nanousd=5, rates=None))
    shutil.copytree(place.folder, other.folder)
    assert told(other.portion()) == known(other)
    other.compact()
    assert told(other.portion()) == known(other)
    assert len(other.files()) == 1


def test_one_compaction_at_a_time(place: Place) -> None:
    place.folder.mkdir()
    lock = FileLock.acquire(place.folder / "compaction.lock")
    assert lock is not None
    with pytest.raises(StoreError, match="another process is compacting"):
        place.compact()
    lock.release()
    place.compact()


def test_a_folder_that_cannot_be_written_is_a_store_error(place: Place) -> None:
    a_day(place)
    place.folder.write_text("a file is in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        place.compact()
    assert told(place.portion()) == known(place)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("attempt"), st.integers(0, 50)),
        st.tuples(st.just("settle"), st.integers(0, 12)),
        st.tuples(st.just("adjust"), st.integers(0, 12)),
        st.tuples(st.just("import"), st.integers(0, 50)),
        st.tuples(st.just("drain"), st.just(0)),
        st.tuples(st.just("compact"), st.integers(0, 60)),
    ),
    max_size=14,
)


@settings(max_examples=25)
@given(acts=ACTS, since=st.none() | st.integers(0, 30), until=st.none() | st.integers(30, 60))
def test_in_any_order_every_row_is_told_once(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]], since: int | None, until: int | None
) -> None:
    folder = tmp_path_factory.mktemp("law")
    database = open_database(folder)
    imports = SqliteImports(database)
    place = Place(folder, SqliteLedger(database), imports)
    begun: list[int] = []
    settled: list[int] = []
    for count, (act, number) in enumerate(acts):
        if act == "attempt":
            begun.append(count)
            place.write(an_intent(count, ts_start_ms=NOON_MS + number * HOUR_MS))
        elif act == "settle" and begun and begun[number % len(begun)] not in settled:
            settled.append(begun[number % len(begun)])
            place.write(a_settlement(settled[-1]))
        elif act == "adjust" and settled:
            place.write(an_adjustment(count, attempt_id=f"att-{settled[number % len(settled)]:06d}"))
        elif act == "import":
            imports.put([an_import(number % 4, ts_start_ms=NOON_MS + number * HOUR_MS)])
        elif act == "drain":
            place.drainer.drain()
        elif act == "compact":
            place.compact(NOON_MS + number * HOUR_MS)
    where = RowFilter(
        since_ms=None if since is None else NOON_MS + since * HOUR_MS,
        until_ms=None if until is None else NOON_MS + until * HOUR_MS,
    )
    assert told(place.segments.portion(where), where) == known(place, where)
    place.journal.close(remove=False)
    imports.close()
    database.close()
