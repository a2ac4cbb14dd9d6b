"""The stores of a data directory in its SQLite file."""

from pathlib import Path

from bascule.storage.journal.writer import Durability
from bascule.storage.sqlite.connect import Database, open_database, schema_version
from bascule.storage.sqlite.evidence import SqliteEvidence
from bascule.storage.sqlite.governance import SqliteGovernance
from bascule.storage.sqlite.idempotency import SqliteIdempotency
from bascule.storage.sqlite.imports import SqliteImports
from bascule.storage.sqlite.leases import SqliteLeases
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.storage.sqlite.outcomes import SqliteOutcomes
from bascule.storage.stores import Stores


def open_sqlite(data_dir: Path, durability: Durability) -> Stores:
    """Made or migrated where needed. Raises StoreError."""
    database = open_database(data_dir, durability)

    def idempotency(max_rows: int, max_rows_per_key: int) -> SqliteIdempotency:
        own = Database(database.path, durability)
        return SqliteIdempotency(own, max_rows=max_rows, max_rows_per_key=max_rows_per_key)

    governance = SqliteGovernance(database)
    return Stores(
        database=database,
        schema_version=schema_version(database),
        ledger=SqliteLedger(database),
        governance=governance,
        imports=SqliteImports(database),
        outcomes=SqliteOutcomes(database),
        evidence=SqliteEvidence(database, governance),
        idempotency=idempotency,
        leases=lambda: SqliteLeases(data_dir, durability),
    )
