"""Where journals lie on disk: segment names, and the lock that says whether their writer lives.

A chain `c` has the files `c.lock` and `c-<first seq>.jsonl`, one per segment. The writer holds an exclusive
`flock` on the lock file for its whole life; the kernel lets go of it when the process dies, however it dies.
"""

import fcntl
import os
import re
from pathlib import Path
from typing import Self

from bascule.model.errors import StoreError

_CHAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,120}")


def chain_id_of(replica: str, worker: int, epoch: str) -> str:
    """The name of the chain of one run of one worker. Raises ValueError where it cannot name a file."""
    chain_id = f"{replica}-{worker}-{epoch}"
    if not _CHAIN_ID.fullmatch(chain_id):
        raise ValueError(f"{chain_id!r} cannot name a journal; use letters, digits, dot, dash and underscore")
    return chain_id


def segment_path(directory: Path, chain_id: str, first_seq: int) -> Path:
    return directory / f"{chain_id}-{first_seq:012d}.jsonl"


def first_seq_of(segment: Path) -> int:
    """The number of the segment's first line, from its name."""
    return int(segment.stem.rpartition("-")[2])


def segments_by_chain(directory: Path) -> dict[str, list[Path]]:
    """All segments that lie there, by chain, each list in the order of its lines."""
    found: dict[str, list[Path]] = {}
    if not directory.is_dir():
        return found
    for path in sorted(directory.glob("*.jsonl")):
        chain_id, _, number = path.stem.rpartition("-")
        if chain_id and number.isdigit():
            found.setdefault(chain_id, []).append(path)
    return found


def locked_chains(directory: Path) -> list[str]:
    """The chains that have a lock file, held or not."""
    return sorted(path.stem for path in directory.glob("*.lock"))


class FileLock:
    """An exclusive `flock`, held until `release`. Made by `acquire`."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    @classmethod
    def acquire(cls, path: Path) -> Self | None:
        """Take the lock, or None where another holds it. Raises StoreError where the file cannot be made."""
        while True:
            try:
                fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise StoreError(f"{path} cannot be opened: {error.strerror}. Check owner and space") from error
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                return None
            if _is_still(path, fd):
                return cls(path, fd)
            os.close(fd)  # its last holder unlinked it between our open and our lock: a lock on nothing

    def release(self, *, remove: bool = False) -> None:
        """Let go; with `remove` the file goes first, while it is still ours. Idempotent."""
        if self._fd < 0:
            return
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = -1


def _is_still(path: Path, fd: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (os.fstat(fd).st_dev, os.fstat(fd).st_ino)


def lock_chain(directory: Path, chain_id: str) -> FileLock | None:
    """The lock of one chain's writer, or None where that writer lives."""
    return FileLock.acquire(directory / f"{chain_id}.lock")
