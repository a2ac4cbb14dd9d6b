"""Reading a small file that somebody named, whatever it is by now: nothing here waits or grows without end."""

import os
import select
import stat
import time
from errno import ETIMEDOUT
from pathlib import Path

_PIECE_BYTES = 64 * 1024
PATIENCE_S = 5.0
"""With whoever writes into a pipe. A configuration is read again while others wait for it."""


def read_at_most(path: Path, most_bytes: int) -> bytes:
    """What the file holds; a byte more than `most_bytes` where it is longer than that.

    Pipes are read too (`-c <(command)`), for as long as somebody writes into them, but not waited for longer than
    `PATIENCE_S`. Raises OSError.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        kind = os.fstat(fd).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(0, "Is a directory", str(path))
        waits = not stat.S_ISREG(kind)
        until_s = time.monotonic() + PATIENCE_S
        pieces: list[bytes] = []
        left_bytes = most_bytes + 1
        while left_bytes > 0:
            if waits:
                _wait(fd, until_s)
            piece = os.read(fd, min(left_bytes, _PIECE_BYTES))
            if not piece:
                break
            pieces.append(piece)
            left_bytes -= len(piece)
        return b"".join(pieces)
    finally:
        os.close(fd)


def _wait(fd: int, until_s: float) -> None:
    """Until there is something to read, or its end. Raises TimeoutError."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if not poll.poll(max(0.0, until_s - time.monotonic()) * 1000):
        raise TimeoutError(ETIMEDOUT, "it is a pipe, and nobody writes into it")
