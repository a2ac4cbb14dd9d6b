"""Processes under measurement: started on loopback, waited for, and read through /proc."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

START_TIMEOUT_S = 20.0


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, path: str, *, timeout_s: float = START_TIMEOUT_S) -> float:
    """Seconds until `GET path` answers 200. Raises TimeoutError."""
    began = time.perf_counter()
    while time.perf_counter() - began < timeout_s:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return time.perf_counter() - began
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    raise TimeoutError(f"nothing answered 200 on port {port} within {timeout_s} s")


def family(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        children = (task / "children").read_text().split()
        for child in children:
            found += family(int(child))
    return found


def cpu_ns(pid: int) -> int:
    """CPU time of a process with its children and all their threads, in nanoseconds."""
    total = 0
    for member in family(pid):
        for task in Path(f"/proc/{member}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total


def rss_bytes(pid: int) -> int:
    """Resident memory of a process with its children."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(int(Path(f"/proc/{member}/statm").read_text().split()[1]) * page for member in family(pid))


@contextlib.contextmanager
def running(
    command: list[str], *, cwd: Path, env: dict[str, str] | None = None, cpu: int | None = None
) -> Iterator[int]:
    """A process for as long as the block runs, on one processor where `cpu` says so.

    Ended by SIGTERM, and SIGKILL where that does not help.
    """
    log = (cwd / "process.log").open("ab")
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=log, stderr=log)
    if cpu is not None:
        os.sched_setaffinity(process.pid, {cpu})
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()
