"""The schema of the database, brought up to date by whichever replica comes first."""

from bascule.model.errors import StoreError
from bascule.storage.named_sql import migration_files
from bascule.storage.postgres.bounded import BoundedConnection
from bascule.storage.postgres.connect import PostgresDatabase, PostgresLimits
from bascule.storage.postgres.locks import MIGRATING, take


def open_database(url: str, limits: PostgresLimits | None = None) -> PostgresDatabase:
    """The database at a URL, migrated where needed.

    Raises StoreError where it cannot be reached or used, or where a newer Bascule has migrated it.
    """
    database = PostgresDatabase(url, limits)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def migrations() -> list[tuple[int, str, str]]:
    """Number, file name and text of every migration, in order."""
    return migration_files(__package__)


def migrate(database: PostgresDatabase, up_to: int | None = None) -> None:
    """Bring the schema to the newest version (or to `up_to`), one transaction per step. Replicas that start together
    wait for the one that is first.

    Raises StoreError where the database is newer than this program.
    """
    steps = migrations()
    newest = steps[-1][0]
    found = schema_version(database)
    if found > newest:
        raise StoreError(
            f"PostgreSQL at {database.place} has schema version {found}, and this program knows up to {newest}. "
            "Upgrade bascule, or give it another database"
        )
    for number, name, text in steps:
        if number <= found or (up_to is not None and number > up_to):
            continue
        with database.transaction() as connection:
            take(connection, MIGRATING)
            if _version(connection) >= number:
                continue  # another replica has just done it
            connection.execute(text.encode())
            connection.execute("INSERT INTO schema_versions (version, name) VALUES (%s, %s)", (number, name))


def schema_version(database: PostgresDatabase) -> int:
    """The version of the last migration; 0 for an empty database."""
    with database.reading() as connection:
        return _version(connection)


def _version(connection: BoundedConnection) -> int:
    # Asked of the catalog's rows: `to_regclass` may remember what it was before another replica migrated.
    there = connection.execute(
        "SELECT 1 FROM pg_class WHERE relname = 'schema_versions' AND pg_table_is_visible(oid)"
    ).fetchone()
    if there is None:
        return 0
    found = connection.execute("SELECT coalesce(max(version), 0) FROM schema_versions").fetchone()
    return 0 if found is None else int(found[0])
