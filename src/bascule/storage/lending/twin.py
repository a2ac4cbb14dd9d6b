"""Another gateway under this replica's name: its data directory is a copy of this one.

Both would take the other's open attempts for those of their own dead, and settle them twice. Whether a worker of this
host lives is told by the lock on its journal; a worker of the other host has none here. But it says every second that
it lives, so that a holder of this name whose term grows, with nobody at its journal, is one of a copy.
"""

import time
from collections.abc import Callable
from pathlib import Path

from bascule.model.errors import StoreError
from bascule.ports import LeaseStore
from bascule.storage.journal.segments import lock_chain
from bascule.storage.lending.lender import HEARTBEAT_S
from bascule.storage.replica import FILE_NAME

LISTENING_S = 2.5 * HEARTBEAT_S
_STEP_S = 0.25


def judge_only(store: LeaseStore, directory: Path, replica: str, pause: Callable[[float], None] = time.sleep) -> None:
    """Raises StoreError where another gateway serves under the name `replica`. Takes `LISTENING_S` after a crash, when
    the dead are still enrolled, and no time otherwise. To be asked before their journals are recovered."""
    terms = {each.name: each.until_ms for each in store.holders() if each.replica == replica}
    silent = {name: until_ms for name, until_ms in terms.items() if _is_unlocked(directory, name)}
    for _ in range(round(LISTENING_S / _STEP_S)):
        if not silent:
            return
        pause(_STEP_S)
        now = {each.name: each.until_ms for each in store.holders()}
        if any(now.get(name, until_ms) > until_ms for name, until_ms in silent.items()):
            raise StoreError(
                f"another gateway serves as the replica {replica}: one of the two data directories is a copy of the "
                f"other. Stop one of them; to make a replica of a copy, remove its file {FILE_NAME!r} and its folder "
                f"'journal', whose lines are the original's, and start it. This one is {directory.parent}"
            )


def _is_unlocked(directory: Path, chain_id: str) -> bool:
    """Whether nobody of this host writes that journal."""
    lock = lock_chain(directory, chain_id)
    if lock is None:
        return False
    lock.release(remove=True)
    return True
