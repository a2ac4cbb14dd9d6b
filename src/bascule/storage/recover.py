"""What a start does about journals whose writers died: drain them, and settle what they left open at its hold.

Only one process recovers at a time, and only chains whose lock is free. Every step may be cut short and repeated:
lines go into the store at most once, settlements are written to the recovering run's own journal first and drained
like all others, and a dead journal is deleted last, when the store has everything durably. Whoever comes after a
crash in the middle finds the recovering run's journal dead too, and drains it before looking for open attempts.
"""

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from bascule.model.chain import ChainedLine
from bascule.model.entry import Intent, Settlement
from bascule.model.errors import StoreError
from bascule.model.usage import Usage
from bascule.ports import Damage, LedgerStore
from bascule.storage.drainer import GROUP_LINES, Drainer
from bascule.storage.journal.read import Reading, read_chain
from bascule.storage.journal.segments import FileLock, lock_chain, locked_chains, segments_by_chain
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.replica import is_of

LOCK_FILE = "recovery"
WAIT_S = 30.0


class Recovery(Struct, frozen=True, kw_only=True):
    """What was found and done."""

    chains: tuple[str, ...] = ()
    """Dead journals that were drained."""
    lines: int = 0
    settled: int = 0
    """Open attempts settled at their hold."""
    unpriced: int = 0
    """Of those, how many had no known hold, so that their cost is unknown."""
    torn: tuple[Damage, ...] = ()
    """Last lines that their writer died in. Nothing was lost: their calls never returned."""
    damages: tuple[Damage, ...] = ()
    """Worse. Those journals are kept in the folder `damaged`, and what could be read of them was taken."""


def recover(
    directory: Path,
    store: LedgerStore,
    journal: JournalWriter,
    drainer: Drainer,
    now_ms: int,
    wait_s: float = WAIT_S,
    replica: str | None = None,
) -> Recovery:
    """Bring the ledger up to date before the first request. `journal` and `drainer` are this run's, not started yet.

    Where others share the store, `replica` is whose chains these are: whether the writer of another's lives cannot be
    told from here.

    Raises StoreError where the store fails or another process recovers for longer than `wait_s`, LedgerUnavailable
    where the journal cannot be written. Both leave everything as it was, or better.
    """
    guard = _only_one(directory, wait_s)
    locks: dict[str, FileLock] = {}
    try:
        _lock_dead(directory, locks, journal.chain_id)
        reading = Reading()
        damaged: dict[str, list[Path]] = {}
        lines = 0
        segments = segments_by_chain(directory)
        for chain_id in locks:
            before = len(reading.damages)
            lines += _drain_chain(store, chain_id, segments.get(chain_id, []), reading)
            if len(reading.damages) > before:
                damaged[chain_id] = segments[chain_id]
        settled, unpriced = _settle_open(directory, store, journal, locks, now_ms, replica)
        drainer.drain()
        store.make_durable()
        _clear(directory, locks, segments, damaged)
    finally:
        for lock in locks.values():
            lock.release()
        guard.release()
    return Recovery(
        chains=tuple(chain_id for chain_id in locks if segments.get(chain_id)),
        lines=lines,
        settled=settled,
        unpriced=unpriced,
        torn=tuple(reading.torn),
        damages=tuple(reading.damages),
    )


def _only_one(directory: Path, wait_s: float) -> FileLock:
    deadline_s = time.monotonic() + wait_s
    while (guard := FileLock.acquire(directory / LOCK_FILE)) is None:
        if time.monotonic() >= deadline_s:
            raise StoreError(
                f"another process has been recovering {directory} for {wait_s:.0f} s; see whether it hangs"
            )
        time.sleep(0.05)
    return guard


def _lock_dead(directory: Path, locks: dict[str, FileLock], own: str) -> None:
    """Fill `locks` with every chain that has lines and whose writer is dead; remove locks that have none."""
    written = segments_by_chain(directory)
    for chain_id in sorted({*written, *locked_chains(directory)} - {own}):
        lock = lock_chain(directory, chain_id)
        if lock is not None and chain_id in written:
            locks[chain_id] = lock
        elif lock is not None:
            lock.release(remove=True)


def _drain_chain(store: LedgerStore, chain_id: str, segments: list[Path], reading: Reading) -> int:
    taken = 0
    for group in _groups(read_chain(chain_id, segments, reading, store.heads().get(chain_id))):
        store.append(chain_id, group)
        taken += len(group)
    return taken


def _groups(lines: Iterable[ChainedLine]) -> Iterator[list[ChainedLine]]:
    remaining = iter(lines)
    while group := list(islice(remaining, GROUP_LINES)):
        yield group


def _settle_open(
    directory: Path,
    store: LedgerStore,
    journal: JournalWriter,
    locks: dict[str, FileLock],
    now_ms: int,
    replica: str | None,
) -> tuple[int, int]:
    """Settle what dead writers left open: how many, and how many of those at an unknown cost."""
    alive = {journal.chain_id}
    owed: list[Intent] = []
    for found in store.open_attempts():
        chain_id = found.chain_id
        if replica is not None and chain_id not in locks and not is_of(replica, chain_id):
            continue
        if chain_id not in locks and chain_id not in alive:
            lock = lock_chain(directory, chain_id)
            if lock is None:
                alive.add(chain_id)
            else:
                locks[chain_id] = lock
        if chain_id in locks:
            owed.append(found.intent)
    for intent in owed:
        journal.settle(settled_at_hold(intent, now_ms))
    return len(owed), sum(intent.hold_nanousd is None and intent.role != "cache" for intent in owed)


def settled_at_hold(intent: Intent, now_ms: int) -> Settlement:
    """The settlement of an attempt whose writer died before it knew better; never below what was billed.

    The hold bounds the bill. An unknown hold leaves the cost unknown and flagged; a cache hit cost nothing.
    """
    unknown = intent.hold_nanousd is None and intent.role != "cache"
    return Settlement(
        attempt_id=intent.attempt_id,
        ts_end_ms=max(now_ms, intent.ts_start_ms),
        usage=Usage(source="estimated", flags=("recovered", "hold_unknown") if unknown else ("recovered",)),
        cost_nanousd=0 if intent.role == "cache" else intent.hold_nanousd,
        recovered=True,
    )


def _clear(
    directory: Path,
    locks: dict[str, FileLock],
    segments: dict[str, list[Path]],
    damaged: dict[str, list[Path]],
) -> None:
    for chain_id, lock in locks.items():
        if chain_id in damaged:
            aside = directory / "damaged"
            aside.mkdir(mode=0o700, exist_ok=True)
            for segment in damaged[chain_id]:
                segment.rename(aside / segment.name)
        else:
            for segment in segments.get(chain_id, []):
                segment.unlink(missing_ok=True)
        lock.release(remove=True)
