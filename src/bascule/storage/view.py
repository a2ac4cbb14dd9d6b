"""The whole ledger for readers: the store and the local journals' tails together.

Journals are read before the store, from the heads that the store had before that: a line that is drained in between
is then seen twice and merged by its attempt, and none is missed. So a row is there as soon as its line was written,
whichever process asks.
"""

import heapq
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from bascule.model.chain import StoredLine
from bascule.model.entry import Decision
from bascule.model.row import EVERY_ROW, GATEWAY, AttemptRow, RowFilter, adjusted_row, row_of, settled_row
from bascule.ports import Damage, LedgerSnapshot, LedgerStore, Watermarks
from bascule.storage.journal.read import Reading, Tail, filed_lines, read_tail
from bascule.storage.journal.segments import locked_chains, segments_by_chain

WATERMARK_S = 2.0
"""How long an export waits for other replicas."""
_LOOK_AGAIN_S = 0.1


class LedgerView:
    """Implements `ports.LedgerReader` and `ports.LedgerEvidence` over any store."""

    def __init__(self, store: LedgerStore, journals: Path, watermarks: Watermarks | None = None) -> None:
        """`watermarks`: of a store that other replicas write to."""
        self._watermarks = watermarks
        self._store = store
        self._journals = journals
        self._reading = Reading()

    def attempts(self, where: RowFilter = EVERY_ROW, *, by_request: bool = False) -> Iterator[AttemptRow]:
        tail = read_tail(self._journals, self._store.heads(), Reading())
        with self._store.snapshot() as snapshot:
            yield from rows_of(snapshot, tail, where, by_request=by_request)

    def unheard(self, within_s: float = WATERMARK_S) -> list[str]:
        """Journals of other replicas that may have rows of before this call which are not in the store, after waiting
        for them as long as that. Those that lie here are read where they lie."""
        if self._watermarks is None:
            return []
        asked_ms = self._watermarks.now_ms()
        deadline_s = time.monotonic() + within_s
        while True:
            here = {*segments_by_chain(self._journals), *locked_chains(self._journals)}
            behind = [chain_id for chain_id in self._watermarks.behind(asked_ms) if chain_id not in here]
            if not behind or time.monotonic() >= deadline_s:
                return behind
            time.sleep(_LOOK_AGAIN_S)

    def decisions(self, request_id: str) -> list[Decision]:
        tail = read_tail(self._journals, self._store.heads(), Reading())
        with self._store.snapshot() as snapshot:
            stored = snapshot.decisions(request_id)
        known = {line.decision_id for line in stored}
        return stored + [
            line for line in tail.decisions if line.request_id == request_id and line.decision_id not in known
        ]

    def snapshot(self) -> AbstractContextManager[LedgerSnapshot]:
        return self._store.snapshot()

    def filed(self) -> dict[str, list[StoredLine]]:
        self._reading = Reading()
        return filed_lines(self._journals, self._reading)

    def damages(self) -> list[Damage]:
        return self._reading.damages


def rows_of(
    snapshot: LedgerSnapshot, tail: Tail, where: RowFilter, *, by_request: bool = False
) -> Iterator[AttemptRow]:
    """As `ports.LedgerReader.attempts`, of what a store held at one moment and what journals hold beyond it."""
    own = _merged(snapshot, tail, where, by_request)
    if where.origin == GATEWAY:
        yield from own
        return
    imported = snapshot.imported(where, by_request=by_request)
    if by_request:
        yield from own
        yield from imported
    else:
        yield from heapq.merge(own, imported, key=_start_order)


def _merged(snapshot: LedgerSnapshot, tail: Tail, where: RowFilter, by_request: bool) -> Iterator[AttemptRow]:
    deltas = undrained_deltas(snapshot, tail)
    stored = snapshot.attempts(where, by_request=by_request)
    if not (tail.intents or tail.settlements or deltas):
        yield from stored
        return
    order = _request_order if by_request else _start_order
    fresh = sorted(fresh_rows(snapshot, tail, deltas, where), key=order)
    yield from heapq.merge((completed(row, tail, deltas) for row in stored), fresh, key=order)


def completed(row: AttemptRow, tail: Tail, deltas: dict[str, int]) -> AttemptRow:
    """A row of the store with what the tails know beyond it."""
    if row.kind == "intent" and row.attempt_id in tail.settlements:
        row = settled_row(row, *tail.settlements[row.attempt_id])
    delta = deltas.get(row.attempt_id)
    return row if delta is None else adjusted_row(row, delta)


def fresh_rows(
    snapshot: LedgerSnapshot, tail: Tail, deltas: dict[str, int], where: RowFilter = EVERY_ROW
) -> Iterator[AttemptRow]:
    """Rows that the store has nothing of."""
    known = snapshot.known_attempts(tail.intents) if tail.intents else set()
    fresh = tail.intents.keys() - known
    drained = snapshot.adjusted(fresh) if fresh else {}
    for attempt_id, (intent, chain) in tail.intents.items():
        if attempt_id in known:
            continue
        settlement, link = tail.settlements.get(attempt_id, (None, chain))
        parts = [sums[attempt_id] for sums in (drained, deltas) if attempt_id in sums]
        row = row_of(intent, settlement, link, sum(parts) if parts else None)
        if where.admits(row):
            yield row


def undrained_deltas(snapshot: LedgerSnapshot, tail: Tail) -> dict[str, int]:
    """The sum of the tails' adjustments by attempt, those left out that the store has by now."""
    known = snapshot.known_adjustments(tail.adjustments) if tail.adjustments else set()
    deltas: dict[str, int] = {}
    for adjustment_id, line in tail.adjustments.items():
        if adjustment_id not in known:
            deltas[line.attempt_id] = deltas.get(line.attempt_id, 0) + line.delta_nanousd
    return deltas


def _start_order(row: AttemptRow) -> tuple[int, str]:
    return row.ts_start_ms, row.attempt_id


def _request_order(row: AttemptRow) -> tuple[str, str]:
    return row.request_id, row.attempt_id
