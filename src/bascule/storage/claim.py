"""One gateway to a data directory.

Strict budgets are counted in the memory of the one process that serves: two would each spend what the other has spent
already. So the second is refused. Commands that read, or write what a running gateway takes notice of, need no claim.
"""

import os
from pathlib import Path

from bascule.model.errors import StoreError
from bascule.storage.journal.segments import FileLock

FILE_NAME = "gateway.lock"


def claim(data_dir: Path) -> FileLock:
    """The right to serve from this directory, held until it is released or the process ends. Raises StoreError where
    another process has it."""
    path = data_dir / FILE_NAME
    lock = FileLock.acquire(path)
    if lock is None:
        raise StoreError(
            f"{data_dir} is served by another process{_named(path)}, and budgets are counted in one. Stop that one, or "
            "give this one a `data_dir` of its own"
        )
    path.write_text(f"{os.getpid()}\n", encoding="ascii")
    return lock


def _named(path: Path) -> str:
    """The process that said so in the file; nothing where it has not yet."""
    try:
        pid = path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
    return f" ({pid})" if pid.isdigit() else ""
