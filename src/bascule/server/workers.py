"""Several processes at one port: started, watched, started again, stopped together.

The parent serves nothing. It holds the port without listening, forks the workers, passes SIGHUP and SIGTERM on, and
starts a worker that has died again, at once or after a pause that grows while it keeps dying. A worker whose parent
is gone stops by itself.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import NoReturn

log = logging.getLogger("bascule.workers")

SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LOOK_EVERY_S = 0.05
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
SOUND_AFTER_S = 10.0
"""A worker that lived so long is started again at once."""
STOP_GRACE_S = 30.0
"""Beyond the time for draining, until a worker that does not end is killed."""

Serve = Callable[[int, Callable[[], None]], int]
"""A worker's life: its number, what it calls once it listens, and its exit status."""


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket at the address that other sockets of this user may listen beside. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    found = socket.socket(family, kind, protocol)
    try:
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind(address)
    except BaseException:
        found.close()
        raise
    return found


class _Worker:
    def __init__(self, number: int) -> None:
        self.number = number
        self.pid: int | None = None
        self.ready_fd = -1
        self.is_ready = False
        self.began_s = 0.0
        self.pause_s = 0.0
        self.start_at_s = 0.0


class Workers:
    """The parent's side. `run` returns the exit status when all have ended."""

    def __init__(self, count: int, serve: Serve, *, announce: Callable[[], None], drain_timeout_s: float) -> None:
        """`announce` is called once, when every worker listens."""
        self._serve = serve
        self._announce = announce
        self._drain_timeout_s = drain_timeout_s
        self._workers = [_Worker(number) for number in range(count)]
        self._announced = False
        self._status = 0
        self._stop_by_s: float | None = None
        self._life_read, self._life_write = os.pipe()

    def run(self) -> int:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            while True:
                self._start_due(mask)
                found = signal.sigtimedwait(SIGNALS, LOOK_EVERY_S)
                if found is not None:
                    self._handle(found.si_signo)
                self._reap()
                self._look_who_is_ready()
                if self._stop_by_s is not None:
                    if not any(worker.pid for worker in self._workers):
                        return self._status
                    if time.monotonic() > self._stop_by_s:
                        self._pass_on(signal.SIGKILL)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(self._life_read)
            os.close(self._life_write)

    def _start_due(self, mask: set[int]) -> None:
        if self._stop_by_s is not None:
            return
        now_s = time.monotonic()
        for worker in self._workers:
            if worker.pid is None and worker.start_at_s <= now_s:
                self._start(worker, mask)

    def _start(self, worker: _Worker, mask: set[int]) -> None:
        worker.ready_fd, says_ready = os.pipe()
        os.set_blocking(worker.ready_fd, False)
        worker.is_ready = False
        worker.began_s = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(worker.ready_fd)
            self._be(worker.number, says_ready, mask)
        os.close(says_ready)
        worker.pid = pid

    def _be(self, number: int, says_ready: int, mask: set[int]) -> NoReturn:
        """The child's side, from its first instruction to its last."""
        status = 1
        try:
            os.close(self._life_write)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it can reload
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            threading.Thread(target=_end_with_parent, args=(self._life_read,), daemon=True).start()
            status = self._serve(number, lambda: _say(says_ready))
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        except BaseException:
            log.exception("worker %d failed", number)
        finally:
            logging.shutdown()
            os._exit(status)

    def _handle(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._pass_on(signal.SIGHUP)
        elif number in (signal.SIGTERM, signal.SIGINT):
            self._stop()

    def _stop(self) -> None:
        if self._stop_by_s is None:
            self._stop_by_s = time.monotonic() + self._drain_timeout_s + STOP_GRACE_S
        self._pass_on(signal.SIGTERM)

    def _pass_on(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.pid is not None:
                os.kill(worker.pid, number)

    def _reap(self) -> None:
        for worker in self._workers:
            if worker.pid is None:
                continue
            pid, result = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                self._ended(worker, os.waitstatus_to_exitcode(result))

    def _ended(self, worker: _Worker, status: int) -> None:
        pid, worker.pid = worker.pid, None
        was_ready = self._hear(worker)
        os.close(worker.ready_fd)
        if self._stop_by_s is not None:
            return
        if not was_ready and not self._announced:
            # What stops the first start stops every other: it has said why.
            self._status = status if status > 0 else 1
            self._stop()
            return
        lived_s = time.monotonic() - worker.began_s
        sound = lived_s >= SOUND_AFTER_S
        worker.pause_s = 0.0 if sound else min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * worker.pause_s))
        worker.start_at_s = time.monotonic() + worker.pause_s
        log.error("worker %d (%s) ended with %s after %.1f s; it is started again", worker.number, pid, status, lived_s)

    def _hear(self, worker: _Worker) -> bool:
        if not worker.is_ready:
            try:
                worker.is_ready = bool(os.read(worker.ready_fd, 1))
            except BlockingIOError:
                return False
        return worker.is_ready

    def _look_who_is_ready(self) -> None:
        if self._announced:
            return
        if all(worker.pid is not None and self._hear(worker) for worker in self._workers):
            self._announced = True
            self._announce()


def _say(fd: int) -> None:
    os.write(fd, b"1")
    os.close(fd)


def _end_with_parent(life_fd: int) -> None:
    """The other end of this pipe is closed when the parent is gone, however it went."""
    os.read(life_fd, 1)
    os.kill(os.getpid(), signal.SIGTERM)
