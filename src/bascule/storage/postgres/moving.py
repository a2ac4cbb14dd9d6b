"""Whether a ledger is being moved into the database, so that nobody serves from a part of it."""

from bascule.storage.postgres.connect import PostgresDatabase

MOVING = "moving_from"
"""Of `meta`, while a move is not complete: the identity of the ledger that is moved."""


def is_moving(database: PostgresDatabase) -> bool:
    """Raises StoreError."""
    with database.reading() as connection:
        return connection.execute("SELECT 1 FROM meta WHERE name = %s", (MOVING,)).fetchone() is not None
