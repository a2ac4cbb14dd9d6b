"""Recordings on their way to disk: a queue bounded in bytes, and one thread that writes them and ends old ones."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from bascule.model.content import Recording
from bascule.model.errors import StoreError
from bascule.storage.sqlite.content import SqliteContent

log = logging.getLogger("bascule.content")

INTERVAL_S = 0.2
GROUP = 64
END_EVERY_S = 3_600.0
DAY_MS = 86_400_000


class ContentRecorder:
    """Implements `ports.ContentSink`. What the disk does not take is dropped and counted: recording is no reason to
    refuse or delay a request."""

    def __init__(
        self,
        store: SqliteContent,
        *,
        max_recorded_bytes: int,
        max_queue_bytes: int,
        retention_days: int,
        now_ms: Callable[[], int],
    ) -> None:
        self.max_recorded_bytes = max_recorded_bytes
        self.dropped = 0
        """Recordings that were not kept."""
        self._store = store
        self._max_queue_bytes = max_queue_bytes
        self._retention_ms = retention_days * DAY_MS
        self._now_ms = now_ms
        self._queue: deque[Recording] = deque()
        self._queued_bytes = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False

    def take(self, recording: Recording) -> None:
        size = _size(recording)
        with self._lock:
            if self._queued_bytes + size <= self._max_queue_bytes:
                self._queued_bytes += size
                self._queue.append(recording)
                return
            self.dropped += 1
        self._say("recordings come faster than the disk takes them (privacy.max_queue_bytes)")

    def start(self) -> None:
        """Raises StoreError where what is over its time cannot be deleted now."""
        self.end_old()
        self._thread = threading.Thread(target=self._run, name="bascule-content", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Write what waits, in the calling thread."""
        while True:
            with self._lock:
                group = [self._queue.popleft() for _ in range(min(GROUP, len(self._queue)))]
                self._queued_bytes -= sum(map(_size, group))
            if not group:
                return
            try:
                self._store.record(group)
            except StoreError as error:
                with self._lock:
                    self.dropped += len(group)
                self._say(str(error))
            else:
                self._failing = False

    def end_old(self) -> int:
        """Delete what is older than may be kept. Raises StoreError."""
        now_ms = self._now_ms()
        return self._store.end(before_ms=now_ms - self._retention_ms, now_ms=now_ms)

    def _run(self) -> None:
        next_end_s = time.monotonic() + END_EVERY_S
        while not self._stop.wait(INTERVAL_S):
            self.flush()
            if time.monotonic() >= next_end_s:
                next_end_s += END_EVERY_S
                try:
                    self.end_old()
                except StoreError as error:
                    log.error("recordings over their time could not be deleted: %s", error)

    def _say(self, why: str) -> None:
        """Once, until it is over."""
        if not self._failing:
            self._failing = True
            log.error("recordings are dropped: %s", why)


def _size(recording: Recording) -> int:
    return len(recording.request or b"") + len(recording.answer or b"") + 512
