"""Advisory locks: what only one replica may do at a time, each named by a number that nobody else in that database
uses. They end with the transaction that took them."""

from bascule.storage.postgres.bounded import BoundedConnection

_BASCULE = 0x6261_7363_0000_0000
MIGRATING = _BASCULE + 1
AUDITING = _BASCULE + 2
IMPORTING = _BASCULE + 3


def take(connection: BoundedConnection, lock: int) -> None:
    """Waits for whoever has it, no longer than the session's `lock_timeout`."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
