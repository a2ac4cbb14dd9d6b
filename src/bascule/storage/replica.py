"""Who a data directory's journals belong to, where several hosts share a database."""

import os
import re
import secrets
from pathlib import Path

from bascule.model.errors import StoreError

FILE_NAME = "replica"
LOCAL = "local"
"""The only one, with a database of its own."""
_NAME = re.compile(r"r[0-9a-f]{12}")


def replica_of(data_dir: Path) -> str:
    """The name of this data directory, made at the first call and never changed: journals that are left in it are its
    own, wherever it is mounted. Raises StoreError."""
    path = data_dir / FILE_NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        name = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read or made: {error}. Check its owner and the disk") from error
    if not _NAME.fullmatch(name):
        raise StoreError(
            f"{path} is damaged. Its journals are named after it (`ls {data_dir / 'journal'}`): restore it"
        )
    return name


def is_of(replica: str, chain_id: str) -> bool:
    """Whether a chain was written by this replica."""
    return chain_id.startswith(f"{replica}-")


def _make(path: Path) -> None:
    """Whole or not at all, and whoever comes first wins."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fresh.write_text(f"r{secrets.token_hex(6)}\n", encoding="ascii")
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass  # another process was faster
    finally:
        fresh.unlink()
