"""The stores of several replicas in their PostgreSQL."""

from pathlib import Path

from bascule.model.errors import StoreError
from bascule.storage.anchor import FILE_NAME as ANCHOR
from bascule.storage.postgres.connect import PostgresLimits
from bascule.storage.postgres.evidence import PostgresEvidence
from bascule.storage.postgres.governance import PostgresGovernance
from bascule.storage.postgres.idempotency import PostgresIdempotency
from bascule.storage.postgres.imports import PostgresImports
from bascule.storage.postgres.leases import PostgresLeases
from bascule.storage.postgres.ledger import PostgresLedger
from bascule.storage.postgres.migrate import open_database, schema_version
from bascule.storage.postgres.moving import is_moving
from bascule.storage.postgres.outcomes import PostgresOutcomes
from bascule.storage.postgres.replies import PostgresReplies
from bascule.storage.postgres.watermarks import PostgresWatermarks
from bascule.storage.stores import Stores


def open_postgres(url: str, limits: PostgresLimits, data_dir: Path) -> Stores:
    """Migrated where needed; `data_dir` has this replica's anchor of the audit trail. Raises StoreError."""
    database = open_database(url, limits)
    if is_moving(database):
        database.close()
        raise StoreError(
            f"PostgreSQL at {database.place}: a move into it broke off; `bascule ledger move` completes it"
        )

    def idempotency(max_rows: int, max_rows_per_key: int) -> PostgresIdempotency:
        return PostgresIdempotency(database, max_rows=max_rows, max_rows_per_key=max_rows_per_key)

    governance = PostgresGovernance(database, data_dir / ANCHOR)
    return Stores(
        database=database,
        schema_version=schema_version(database),
        ledger=PostgresLedger(database),
        governance=governance,
        imports=PostgresImports(database),
        outcomes=PostgresOutcomes(database),
        evidence=PostgresEvidence(database, governance),
        watermarks=PostgresWatermarks(database),
        idempotency=idempotency,
        replies=PostgresReplies(database),
        leases=lambda: PostgresLeases(database),
    )
