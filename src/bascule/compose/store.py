"""The data directory and its database: SQLite there, or PostgreSQL for several replicas."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from bascule.config.load import Document
from bascule.config.secret import Secret
from bascule.config.shape import Config, Postgres
from bascule.config.sources import SecretMissing, Secrets, SecretSource
from bascule.link import Snapshot
from bascule.model.errors import StoreError
from bascule.model.policy import KeyPolicy
from bascule.ports import Governance, LedgerStore, OutcomeStore
from bascule.storage.analytics.duck import DuckAnalytics
from bascule.storage.keys import KeyRing, open_pepper
from bascule.storage.replica import LOCAL, replica_of
from bascule.storage.segments.read import Segments
from bascule.storage.sqlite.leases import FILE_NAME as LEASES
from bascule.storage.sqlite.open import open_sqlite
from bascule.storage.stores import Imports, Leases, Opened, Stores
from bascule.storage.view import LedgerView

if TYPE_CHECKING:
    from bascule.storage.postgres.connect import PostgresDatabase, PostgresLimits


class Store(Struct, frozen=True, kw_only=True):
    """The data directory and its database as commands and the server read them."""

    stores: Stores
    view: LedgerView
    segments: Segments
    analytics: DuckAnalytics
    data_dir: Path
    replica: str
    """Whose journals lie in the data directory, among those that share the database."""

    @property
    def database(self) -> Opened:
        return self.stores.database

    @property
    def ledger(self) -> LedgerStore:
        return self.stores.ledger

    @property
    def governance(self) -> Governance:
        return self.stores.governance

    @property
    def imports(self) -> Imports:
        return self.stores.imports

    @property
    def outcomes(self) -> OutcomeStore:
        return self.stores.outcomes

    @property
    def journals(self) -> Path:
        return self.data_dir / "journal"


def open_store(data_dir: Path, config: Config, secrets: SecretSource | None = None) -> Store:
    """Open the database, making or migrating it where needed: `database`, or SQLite in the data directory.

    `secrets` reads a `database` that is a reference. Raises StoreError.
    """
    if config.database is None:
        stores, replica = open_sqlite(data_dir, config.durability), LOCAL
    else:
        stores = _postgres(config.database, config.postgres, data_dir, secrets or Secrets({}))
        replica = replica_of(data_dir)
    segments = Segments(stores.ledger, data_dir / "journal", data_dir / "segments")
    return Store(
        stores=stores,
        view=LedgerView(stores.ledger, data_dir / "journal", stores.watermarks),
        segments=segments,
        analytics=DuckAnalytics(segments),
        data_dir=data_dir,
        replica=replica,
    )


def _postgres(reference: str, bounds: Postgres, data_dir: Path, secrets: SecretSource) -> Stores:
    url = database_url(reference, secrets)
    try:
        from bascule.storage.postgres.open import open_postgres
    except ImportError as error:
        raise StoreError(f"`database` needs the extra `postgres` ({error}): pip install 'bascule[postgres]'") from error
    return open_postgres(url, _postgres_limits(bounds), data_dir)


def _postgres_limits(bounds: Postgres) -> "PostgresLimits":
    from bascule.storage.postgres.connect import PostgresLimits

    return PostgresLimits(**{name: getattr(bounds, name) for name in PostgresLimits.__struct_fields__})


def open_shared(document: Document, secrets: SecretSource) -> "PostgresDatabase":
    """The database of several replicas alone, with its tables, whatever is in them. Raises StoreError."""
    from bascule.storage.postgres.migrate import open_database

    config = document.config
    return open_database(database_url(config.database or "", secrets), _postgres_limits(config.postgres))


def database_url(reference: str, secrets: SecretSource) -> str:
    """The URL that `database` says or refers to. Raises StoreError."""
    if not reference.startswith(("env:", "file:")):
        return reference
    try:
        found = secrets.read(reference)
    except SecretMissing as error:
        raise StoreError(f"`database`: {error.what}. {error.remedy}") from error
    return "" if found is None else found.reveal().decode()


def database_secrets(document: Document, secrets: SecretSource) -> list[Secret]:
    """The password in the URL of the database, as it stands there and as it is meant."""
    if document.config.database is None:
        return []
    password = urlsplit(database_url(document.config.database, secrets)).password
    return [] if not password else [Secret(text.encode()) for text in {password, unquote(password)}]


def key_ring(store: Store, snapshot: Snapshot) -> KeyRing:
    """The keys of the configuration and of the store. Raises StoreError."""
    keys, grace_s = configured_keys(snapshot), snapshot.config.postgres.keys_grace_s
    return KeyRing(open_pepper(store.data_dir), store.governance, keys, shared=store.replica != LOCAL, grace_s=grace_s)


def configured_keys(snapshot: Snapshot) -> list[tuple[bytes, KeyPolicy]]:
    return [(key.secret.reveal(), key.policy) for key in snapshot.keys]


def open_leases(store: Store, config: Config) -> Leases | None:
    """The authority that this worker shares budgets through; None where it is alone. Raises StoreError."""
    if config.server.workers == 1 and config.database is None:
        return None
    return store.stores.leases()


def borrowed_from(store: Store) -> Leases | None:
    """The authority of a gateway that may be running, for those who look; None where its workers share nothing."""
    if store.replica == LOCAL and not (store.data_dir / LEASES).exists():
        return None
    return store.stores.leases()
