"""The audit trail's head, kept in a file beside the database, so that a trail cut short is noticed.

The file may lag behind the trail (a crash between the two), never lead it.
"""

import os
from pathlib import Path

import msgspec

from bascule.model.chain import ChainHead
from bascule.model.errors import StoreError

FILE_NAME = "audit.anchor"


def read_anchor(path: Path) -> ChainHead | None:
    """The anchored head, or None where nothing was ever anchored. Raises StoreError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ChainHead)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(
            f"{path} cannot be read: {error}. Compare the audit trail with a copy before removing it"
        ) from error


def write_anchor(path: Path, head: ChainHead) -> None:
    """Replace the anchor in one step. Raises StoreError."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(msgspec.json.encode(head))
        fresh.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}. Free space or check its owner") from error
