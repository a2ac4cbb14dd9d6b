"""The thread that takes journal lines into the store, in groups, and deletes journals that are no longer needed.

It polls instead of being woken, so that writing a line costs the event loop nothing more than the append. What the
store will not take stays in memory and in the journal, and is tried again with growing pauses; meanwhile the
journal's own limit refuses new work.
"""

import logging
import threading
import time

from bascule.model.chain import ChainedLine
from bascule.model.errors import StoreError
from bascule.ports import LedgerStore, Watermarks
from bascule.storage.journal.writer import JournalWriter

log = logging.getLogger("bascule.ledger")

GROUP_LINES = 1024
INTERVAL_S = 0.1
MAX_PAUSE_S = 5.0
MARK_EVERY_S = 0.5
"""How often other replicas are told how far the journal is in the store."""


class Drainer:
    """Drains one journal into one store. `store` belongs to this thread from `start` to `close`."""

    def __init__(
        self,
        journal: JournalWriter,
        store: LedgerStore,
        *,
        group_lines: int = GROUP_LINES,
        interval_s: float = INTERVAL_S,
        watermarks: Watermarks | None = None,
    ) -> None:
        """`watermarks`: where other replicas are told how far this journal is."""
        self._watermarks = watermarks
        self._marked_s = -MARK_EVERY_S
        self._journal = journal
        self._store = store
        self._group_lines = group_lines
        self._interval_s = interval_s
        self._group: list[ChainedLine] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_error: str | None = None
        self._drained_seq = 0

    @property
    def backlog(self) -> int:
        """Lines that the journal has and the store has not."""
        return self._journal.backlog

    @property
    def last_error(self) -> str | None:
        """Why the store did not take the last group; None while it does."""
        return self._last_error

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="bascule-drainer", daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """Take everything that is there now, in the calling thread: before `start` and after `close`.

        Raises StoreError; what was not taken stays where it is.
        """
        begun_ms = self._mark_due()
        while self._drain_group():
            pass
        self._drop_segments()
        if self._watermarks is not None and begun_ms is not None:
            self._watermarks.complete(self._journal.chain_id, begun_ms)
            self._marked_s = time.monotonic()

    def close(self, timeout_s: float = 10.0) -> bool:
        """Stop the thread, drain what is left, and end the journal. True where the store has every line.

        The journal's files go where nothing in them is needed any more, and stay for recovery otherwise.
        """
        self._stop.set()
        deadline_s = time.monotonic() + timeout_s
        if self._thread is not None:
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                self._journal.close(remove=False)
                return False
        while True:
            try:
                self.drain()
                settled = not self._journal.unwritten and not self._store.open_attempts(self._journal.chain_id)
                if settled:
                    self._store.make_durable()
                if settled and self._watermarks is not None:
                    self._watermarks.ended(self._journal.chain_id)
                self._journal.close(remove=settled)
                return True
            except StoreError as error:
                if time.monotonic() >= deadline_s:
                    log.error("the ledger's last lines stay in the journal until the next start: %s", error)
                    self._journal.close(remove=False)
                    return False
                time.sleep(self._interval_s)

    def _run(self) -> None:
        pause_s = self._interval_s
        while not self._stop.wait(pause_s):
            try:
                self.drain()
            except Exception as error:
                if self._last_error is None:
                    log.exception("the ledger's store does not take lines; they are kept and tried again")
                self._last_error = str(error)
                pause_s = min(pause_s * 2, MAX_PAUSE_S)
            else:
                if self._last_error is not None:
                    log.warning("the ledger's store takes lines again")
                self._last_error = None
                pause_s = self._interval_s

    def _mark_due(self) -> int | None:
        """The store's time before the lines are taken that are there then, now and again: what an export asks for."""
        if self._watermarks is None or time.monotonic() - self._marked_s < MARK_EVERY_S:
            return None
        return self._watermarks.now_ms()

    def _drain_group(self) -> bool:
        """True where there may be more."""
        if not self._group:
            self._group = self._journal.take(self._group_lines)
        if not self._group:
            return False
        self._store.append(self._journal.chain_id, self._group)
        self._drained_seq = self._group[-1].seq
        full = len(self._group) == self._group_lines
        self._group = []
        self._journal.drained()
        return full

    def _drop_segments(self) -> None:
        """Delete closed segments that the store has durably and in which no attempt is open."""
        closed = self._journal.closed_segments
        while closed and closed[0][1] <= self._drained_seq:
            segment, last_seq = closed[0]
            if self._store.open_attempts(self._journal.chain_id, last_seq):
                return
            self._store.make_durable()
            segment.unlink(missing_ok=True)
            closed.popleft()
