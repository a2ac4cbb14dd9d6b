"""The journal that the engine writes: one `write` per line or group of lines, a line is whole or it is not there.

Groups. With `write_in_groups` the lines of `begin`, `settle` and `decision` are written together by `write_group`,
which whoever sends calls before it sends anything (`upstream.outbox`). An intent of a group that could not be
written was never there: its request has not left, and a settlement of it is dropped.

Durability. `process`: a line is in the kernel when the call returns and survives any death of the process.
`power`: an intent's call returns after `fdatasync` (which also carries every earlier line to the disk), so that
nothing is ever dispatched unrecorded; a settlement becomes durable with the next intent or with the drainer's next
commit, whichever is first, and power lost before that leaves an open intent, which recovery settles at its hold:
never less than was billed. The cost of `power` is one disk flush per attempt, in groups one per group, on the
event loop: 0.1 ms (NVMe with a power-safe cache) to 10 ms (hard disk), during which the worker does nothing else.
A segment is flushed before the next begins, so that the chain has no gap. Where a flush fails, nobody knows what the
disk has of the lines since the last one: the log names them, and the chain goes on in a new segment.

The journal is used by one thread, the event loop's; only `take`, `drained` and the backlog are shared with the
drainer, through a deque whose operations are atomic.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import structs

from bascule.model.chain import ChainedLine, ChainHead, chain_start, encode_chained
from bascule.model.entry import Adjustment, Decision, Intent, Line, Settlement
from bascule.model.errors import LedgerUnavailable, StoreError
from bascule.storage.journal.segments import FileLock, lock_chain, segment_path, segments_by_chain

log = logging.getLogger("bascule.ledger")

Durability = Literal["process", "power"]

SEGMENT_BYTES = 64 * 1024 * 1024
MAX_BACKLOG_LINES = 50_000
_LOCK_WAIT_S = 1.0
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class JournalWriter:
    """Implements `ports.Journal` on files; hands every line that was written to the drainer in memory.

    `max_backlog_lines` bounds what the store has not taken yet: at the bound, intents and decisions are refused
    (settlements of work that was let in are always taken). Raises StoreError where the journal cannot be begun.
    """

    def __init__(
        self,
        directory: Path,
        chain_id: str,
        *,
        durability: Durability = "process",
        segment_bytes: int = SEGMENT_BYTES,
        max_backlog_lines: int = MAX_BACKLOG_LINES,
    ) -> None:
        self.directory = directory
        self.chain_id = chain_id
        self.max_backlog_lines = max_backlog_lines
        self.closed_segments: deque[tuple[Path, int]] = deque()
        """Segments that take no more lines, each with the number of its last one."""
        self._flush_intents = durability == "power"
        self._segment_bytes = segment_bytes
        self._encode = msgspec.json.Encoder().encode
        self._seq = 0
        self._flushed_seq = 0
        """The last line that is on the disk for certain, where `power` asks for that, or was said not to be."""
        self._head = chain_start(chain_id).encode()
        self._undrained: deque[ChainedLine] = deque()
        self._taken: list[ChainedLine] = []
        self._unwritten: deque[Settlement] = deque()
        self._group_is_due: Callable[[], None] | None = None
        self._group: list[tuple[bytes, Line]] = []
        self._group_failure: LedgerUnavailable | None = None
        """Of this round, for those who send at its end."""
        self._lost: set[str] = set()
        """Attempts that were begun in a group that could not be written, until they are settled."""
        self._lock = _begin(directory, chain_id)
        self._fd = -1
        self._size = 0
        self._segment = segment_path(directory, chain_id, 1)
        try:
            self._open_segment()
        except LedgerUnavailable as error:
            self._lock.release(remove=True)
            raise StoreError(str(error)) from error

    @property
    def head(self) -> ChainHead:
        return ChainHead(self._seq, self._head.decode())

    @property
    def backlog(self) -> int:
        """Lines that are in the journal but not yet in the store."""
        return len(self._undrained) + len(self._taken) + len(self._group)

    def undrained(self) -> list[ChainedLine]:
        """The lines of the backlog, for the event loop's thread: each that the store has not, and perhaps twice or in
        the store by now, where the drainer is at work. Without what a disk would not take.
        """
        with suppress(LedgerUnavailable):  # whoever hangs on those lines is told at the end of the round
            self._write_group()
        return [*self._undrained.copy(), *self._taken]

    @property
    def unwritten(self) -> int:
        """Settlements that the disk would not take and that wait in memory for the next write."""
        return len(self._unwritten)

    def write_in_groups(self, is_due: Callable[[], None] | None) -> None:
        """From now on `begin`, `settle` and `decision` wait for `write_group`, which `is_due` asks for; None: no more.

        Raises LedgerUnavailable where the last group could not be written.
        """
        self._group_is_due = is_due
        self.write_group()

    def write_group(self) -> None:
        """The end of a round: write what waits, in one write. Raises LedgerUnavailable where that fails, or where it
        failed for a part of the round that could not wait so long.
        """
        try:
            self._write_group()
        finally:
            failure, self._group_failure = self._group_failure, None
        if failure is not None:
            raise failure

    def _write_group(self) -> None:
        """Raises LedgerUnavailable; of what waited, settlements of attempts that are in the journal then wait for
        the next write, and all else is gone.
        """
        group, self._group = self._group, []
        if not group:
            return
        first: int | None = None
        try:
            self._write_waiting()
            first = self._seq
            self._write_lines(group, self._flush_intents and any(isinstance(line, Intent) for _, line in group))
        except LedgerUnavailable as error:
            self._group_failure = error
            gone = [line for _, line in group[0 if first is None else self._seq - first :]]
            self._lost.update([line.attempt_id for line in gone if isinstance(line, Intent)])
            for line in gone:
                if isinstance(line, Settlement) and not self._is_lost(line):
                    self._unwritten.append(line)
            raise

    def intent(self, line: Intent) -> None:
        """Written when the call returns. Raises LedgerUnavailable; the line is then not in the journal."""
        self._let_in()
        self._append((line,), self._flush_intents)

    def begin(self, decision: Decision, intent: Intent) -> None:
        """The record of a decision and the intent that follows from it, in one line. Raises LedgerUnavailable;
        neither is then in the journal.
        """
        self._let_in()
        line = structs.replace(intent, decided=decision)
        if self._group_is_due is None:
            self._append((line,), self._flush_intents)
        else:
            self._add_to_group(line, self._group_is_due)

    def settle(self, line: Settlement) -> None:
        """Raises LedgerUnavailable; the line then waits in memory and goes before the next one that can be
        written. Should the process end first, the attempt is open and recovery settles it at its hold.
        """
        if self._lost and self._is_lost(line):
            return
        if self._group_is_due is not None:
            self._add_to_group(line, self._group_is_due)
            return
        try:
            self._append((line,), flush=False)
        except LedgerUnavailable:
            self._unwritten.append(line)
            raise

    def adjust(self, line: Adjustment) -> None:
        """Written when the call returns. Raises LedgerUnavailable."""
        self._append((line,), self._flush_intents)

    def decision(self, line: Decision) -> None:
        self._let_in()
        if self._group_is_due is None:
            self._append((line,), flush=False)
        else:
            self._add_to_group(line, self._group_is_due)

    def take(self, at_most: int) -> list[ChainedLine]:
        """For the drainer: the next lines, oldest first. They count as backlog until `drained`."""
        undrained = self._undrained
        taken = [undrained[place] for place in range(min(at_most, len(undrained)))]
        self._taken = taken  # before they leave the queue, so that `undrained` misses none
        for _ in taken:
            undrained.popleft()
        return taken

    def drained(self) -> None:
        """For the drainer: what `take` gave last is in the store."""
        self._taken = []

    def close(self, *, remove: bool) -> None:
        """Stop writing and unlock. With `remove` the files go too: only where the store has every line durably
        and no attempt is open. Idempotent.
        """
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if remove:
            for segment in segments_by_chain(self.directory).get(self.chain_id, []):
                segment.unlink(missing_ok=True)
        self._lock.release(remove=remove)

    def _let_in(self) -> None:
        if len(self._undrained) + len(self._taken) + len(self._group) >= self.max_backlog_lines:
            raise self._backlog_full()

    def _is_lost(self, line: Settlement) -> bool:
        """An attempt that never got into the journal has nothing to be settled there. Asked once per attempt."""
        if line.attempt_id not in self._lost:
            return False
        self._lost.discard(line.attempt_id)
        return True

    def _add_to_group(self, line: Line, is_due: Callable[[], None]) -> None:
        """Encoded now, so that a line that cannot be is the trouble of its own request only."""
        if not self._group:
            is_due()
        self._group.append((self._encode(line), line))

    def _append(self, lines: tuple[Line, ...], flush: bool) -> None:
        """All of `lines` or none of them, behind what has waited longer."""
        encoded = [(self._encode(line), line) for line in lines]
        self._write_group()
        self._write_waiting()
        self._write_lines(encoded, flush)

    def _write_lines(self, lines: Sequence[tuple[bytes, Line]], flush: bool) -> None:
        seq, head = self._seq, self._head
        chained: list[ChainedLine] = []
        texts: list[bytes] = []
        for body, line in lines:
            chain = sha256(head + body).hexdigest()
            head = chain.encode()
            seq += 1
            texts.append(encode_chained(seq, head, body))
            chained.append(ChainedLine(seq, chain, body, line))
        self._write(b"".join(texts), chained, flush)
        self._take_in(chained)

    def _take_in(self, written: list[ChainedLine]) -> None:
        """They are in the journal: the next line hangs on the last of them."""
        self._seq = written[-1].seq
        self._head = written[-1].chain.encode()
        self._undrained.extend(written)

    def _write_waiting(self) -> None:
        """Settlements that could not be written earlier."""
        while self._unwritten:
            line = self._unwritten[0]
            self._write_lines([(self._encode(line), line)], flush=False)
            self._unwritten.popleft()

    def _write(self, data: bytes, lines: list[ChainedLine], flush: bool) -> None:
        """`data` is the text of `lines`."""
        if self._fd < 0 or self._size >= self._segment_bytes:
            self._next_segment()
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            self._cut_back([])
            raise self._cannot_write(error.strerror or str(error)) from error
        if written != len(data):
            self._cut_back(lines[: data.count(b"\n", 0, written)])
            raise self._cannot_write(f"only {written} of {len(data)} bytes could be written")
        if flush:
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self._cut_back(lines)
                self._begin_anew(error)
                raise self._cannot_write(error.strerror or str(error)) from error
            self._flushed_seq = lines[-1].seq
        self._size += written

    def _cut_back(self, whole: list[ChainedLine]) -> None:
        """Remove what a failed write left behind (`whole` lines, and a torn one), so that the chain goes on from
        where it was.
        """
        try:
            os.ftruncate(self._fd, self._size)
        except OSError:
            # Then it stays there. Whole lines are part of the chain, the torn one is not, and the chain goes on in
            # a new segment, whose first link proves that nothing is missing before it.
            if whole:
                self._take_in(whole)
            self._close_segment()

    def _begin_anew(self, error: OSError) -> None:
        """After a flush that failed: what the kernel held of this file is in doubt, and no later flush tells of it."""
        self._say_in_doubt(error)
        if self._fd >= 0 and self._size:
            with suppress(OSError):  # or what was cut off could come back; the doubt has been said
                os.fdatasync(self._fd)
            self._close_segment()

    def _say_in_doubt(self, error: OSError) -> None:
        if self._flushed_seq < self._seq:
            log.error(
                "%s could not be flushed (%s): its lines %d to %d may be lost with the power until the store has them; "
                "look at that disk",
                *(self._segment, error.strerror or error, self._flushed_seq + 1, self._seq),
            )
        self._flushed_seq = self._seq

    def _next_segment(self) -> None:
        if self._fd >= 0:
            self._close_segment()
        self._segment = segment_path(self.directory, self.chain_id, self._seq + 1)
        self._open_segment()

    def _close_segment(self) -> None:
        if self._flush_intents and self._flushed_seq < self._seq:
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self._say_in_doubt(error)
            self._flushed_seq = self._seq
        os.close(self._fd)
        self._fd = -1
        self.closed_segments.append((self._segment, self._seq))

    def _open_segment(self) -> None:
        try:
            fd = os.open(self._segment, _APPEND, 0o600)
            if self._flush_intents:
                _flush_directory(self.directory)
        except OSError as error:
            raise self._cannot_write(error.strerror or str(error)) from error
        self._fd = fd
        self._size = 0

    def _cannot_write(self, why: str) -> LedgerUnavailable:
        return LedgerUnavailable(
            f"{self._segment} cannot take a line: {why}. New work is refused until a write succeeds; "
            "free space on that disk or mend it"
        )

    def _backlog_full(self) -> LedgerUnavailable:
        return LedgerUnavailable(
            f"{self.backlog} ledger lines wait for the store (limit {self.max_backlog_lines}). "
            "New work is refused until it catches up; see why the database does not take them"
        )


def _begin(directory: Path, chain_id: str) -> FileLock:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{directory} cannot be made: {error.strerror}. Check data_dir and its owner") from error
    lock = lock_chain(directory, chain_id)
    deadline_s = time.monotonic() + _LOCK_WAIT_S
    while lock is None and time.monotonic() < deadline_s:
        time.sleep(0.01)  # a recovery looks at the lock for a moment to see whether it is free
        lock = lock_chain(directory, chain_id)
    if lock is None:
        raise StoreError(f"journal {chain_id} is being written by another process; each run needs its own epoch")
    if chain_id in segments_by_chain(directory):
        lock.release()
        raise StoreError(f"journal {chain_id} already has lines in {directory}; each run needs its own epoch")
    return lock


def _flush_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
