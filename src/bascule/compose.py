"""The only place that builds objects: configuration to ports to engine. No globals anywhere."""

import logging
import random
import secrets as randomness
import time
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from msgspec import Struct, structs

from bascule.config.environment import environment_document
from bascule.config.load import Document, load_file
from bascule.config.secret import Secret
from bascule.config.shape import QUALITY_LEVELS, Config, Postgres, PromptCacheAlert, Retry
from bascule.config.sources import SecretMissing, Secrets, SecretSource
from bascule.decide.attempt import AttemptLimits
from bascule.decide.breaker import BreakerPolicy
from bascule.decide.budget import in_force
from bascule.decide.cache_watch import CollapsePolicy
from bascule.decide.outlier import OutlierPolicy
from bascule.decide.retry_budget import RetryBudgetPolicy
from bascule.decide.route import RouteTable
from bascule.decide.window import window_bounds
from bascule.gateway.alerting import Alerting
from bascule.gateway.bodies import Bodies
from bascule.gateway.books import Books
from bascule.gateway.cache import ExactCache
from bascule.gateway.cache_watch import CacheWatch
from bascule.gateway.caching import Caching
from bascule.gateway.calibrations import Calibrations
from bascule.gateway.decisions import Recorder
from bascule.gateway.dispatch import Dispatcher
from bascule.gateway.effects import Effects
from bascule.gateway.engine import Engine, Settings, World
from bascule.gateway.holding import Holding
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.kept import KeptAnswers
from bascule.gateway.ledger_watch import LedgerWatch
from bascule.gateway.metrics import Metrics
from bascule.gateway.once import Once
from bascule.gateway.once import Ports as OncePorts
from bascule.gateway.operator_alerts import OperatorAlerts
from bascule.gateway.planning import Planning
from bascule.gateway.protecting import Protecting
from bascule.gateway.recognisers import recognisers
from bascule.gateway.recording import Recordings
from bascule.gateway.relay import Drains
from bascule.gateway.retry_budgets import RetryBudgets
from bascule.gateway.runaway import RunawayWatch
from bascule.gateway.runaway_guard import guard_of
from bascule.gateway.wellbeing import Wellbeing
from bascule.link import Snapshot, link
from bascule.model.errors import BasculeError, LedgerUnavailable, StoreError
from bascule.model.policy import Budget, BudgetWindow, KeyPolicy
from bascule.ports import Beside, Clock, Governance, KeyStore, LeaseStore, LedgerStore, OutcomeStore, Upstream
from bascule.ports.telemetry import Telemetry
from bascule.prices.book import PriceBook
from bascule.prices.local import FILE_NAME as LOCAL_PRICES
from bascule.providers.discover import discover
from bascule.providers.installed import GROUP, with_installed
from bascule.providers.registry import Presets
from bascule.storage.analytics.duck import DuckAnalytics
from bascule.storage.beside import OneThread
from bascule.storage.content.open import open_content
from bascule.storage.drainer import Drainer
from bascule.storage.journal.segments import chain_id_of, lock_chain
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.keys import KeyRing, open_pepper
from bascule.storage.lending.borrowing import Borrowing
from bascule.storage.lending.lender import LendingLimits
from bascule.storage.memory.authority import MemoryAuthority, Spent
from bascule.storage.memory.rate import RateLimiter
from bascule.storage.recover import Recovery, recover
from bascule.storage.replica import LOCAL, is_of, replica_of
from bascule.storage.segments.read import Segments
from bascule.storage.spent import spent_with
from bascule.storage.sqlite.leases import FILE_NAME as LEASES
from bascule.storage.sqlite.open import open_sqlite
from bascule.storage.stores import Idempotency, Imports, Leases, Opened, Stores
from bascule.storage.view import LedgerView
from bascule.upstream.client import HttpUpstream
from bascule.upstream.guarded import GuardedConnector
from bascule.upstream.limits import UpstreamLimits
from bascule.upstream.outbox import Outbox

if TYPE_CHECKING:
    from bascule.telemetry.otlp import OtlpTelemetry

if TYPE_CHECKING:
    from bascule.storage.postgres.connect import PostgresDatabase, PostgresLimits

log = logging.getLogger("bascule")

DEFAULT_FILE = Path("bascule.yaml")
WINDOWS: tuple[BudgetWindow, ...] = ("hour", "day", "week", "month", "total")
MAX_CACHED_ANSWERS = 100_000
MAX_STORE_LAG_LINES = 2_000
END_OF_TIME_MS = 1 << 62


class SystemClock:
    """Implements `ports.Clock`."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    monotonic_s = staticmethod(time.monotonic)


def installed_presets() -> Presets:
    """The shipped presets, and those of installed packages. Raises BasculeError where one of these is broken."""
    return with_installed(entry_points(group=GROUP))


def read_document(path: str | None, environment: Mapping[str, str]) -> Document:
    """The configuration file, `./bascule.yaml` where none is named, or what the environment has."""
    if path is not None:
        return load_file(Path(path))
    if DEFAULT_FILE.exists():
        return load_file(DEFAULT_FILE)
    return environment_document(discover(environment, installed_presets().all()))


def snapshot_of(document: Document, environment: Mapping[str, str], *, stored_keys: bool) -> Snapshot:
    """Configuration, presets and prices, linked. Raises ConfigError with every mistake."""
    secrets = Secrets(environment, document.directory)
    snapshot = link(document, price_book(document), secrets, installed_presets(), stored_keys=stored_keys)
    snapshot.read = tuple(secrets.given)
    return snapshot


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


def price_book(document: Document) -> PriceBook:
    """The shipped prices with those that `bascule prices update` took over. Raises BrokenLocalPrices."""
    return PriceBook(local=data_dir_of(document) / LOCAL_PRICES)


def data_dir_of(document: Document) -> Path:
    """Relative to the configuration file's folder."""
    return document.directory / document.config.data_dir


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


def spent_in(ledger: LedgerStore, journal: JournalWriter) -> Spent:
    """What the authority asks for counters whose window began before it watched them: rare.

    Raises StoreError where the store lags so far behind the journal that looking through what it lacks would hold up
    the event loop: a sum without that would overspend.
    """

    def spent(scope: str, bounds: tuple[int, int | None]) -> int:
        if journal.backlog > MAX_STORE_LAG_LINES:
            raise StoreError("the ledger's store lags behind, so what was spent cannot be told; try again soon")
        try:
            undrained = journal.undrained()
        except LedgerUnavailable as error:
            raise StoreError(f"what was spent cannot be told: {error}") from error
        for window in WINDOWS:
            if window_bounds(window, bounds[0]) == bounds:
                budget = Budget(scope=scope, window=window, limit_nanousd=0)
                found = spent_with(ledger, undrained, [budget], bounds[0])
                return sum(one.settled_nanousd for one in found.values())
        raise StoreError(f"{bounds} is no budget window")

    return spent


def budgets_of(snapshot: Snapshot, stored: tuple[Budget, ...]) -> tuple[Budget, ...]:
    """The configuration's budgets, then those made by command for other scopes and windows.

    Observing, they all count and none refuses.
    """
    budgets = in_force(snapshot.budgets, stored)
    if snapshot.config.mode == "observe":
        return tuple([structs.replace(budget, mode="warn") for budget in budgets])
    return budgets


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


class Transport(Upstream, Protocol):
    """An upstream with connections of its own."""

    @property
    def open_connections(self) -> int: ...

    def close(self) -> None: ...


class Work(Beside, Protocol):
    """Work beside the event loop that is ended with the gateway."""

    def close(self) -> None: ...


class Gateway:
    """Everything that serves, from opening to closing."""

    def __init__(
        self,
        snapshot: Snapshot,
        store: Store,
        keys: KeyStore,
        clock: Clock | None = None,
        *,
        transport: Transport | None = None,
        journal: JournalWriter | None = None,
        beside: Work | None = None,
        worker: int = 0,
        leases: LeaseStore | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        """`transport`, `journal` and `beside` stand in for the real ones in tests; `leases` where budgets are shared
        with other workers. Raises StoreError where the journal cannot be begun."""
        config = snapshot.config
        self.clock = clock or SystemClock()
        self.store = store
        self.keys = keys
        self.epoch = epoch = f"{self.clock.now_ms():x}{randomness.token_hex(2)}"
        self.journal = journal or JournalWriter(
            store.journals,
            chain_id_of(store.replica, worker, epoch),
            durability=config.durability,
            max_backlog_lines=config.server.limits.max_ledger_queue,
        )
        self.drainer = Drainer(self.journal, store.ledger, watermarks=store.stores.watermarks)
        self.authority = MemoryAuthority(
            budgets_of(snapshot, store.governance.budgets()),
            spent_in(store.ledger, self.journal),
            shared=leases is not None,
        )
        self.borrowing = None if leases is None else self._borrowing(leases, config)
        self.metrics = Metrics()
        self.alerting = Alerting(
            claims=store.governance,
            clock=self.clock,
            metrics=self.metrics,
            dice=random.random,
            connect=lambda timeout_s: GuardedConnector(timeout_s=timeout_s),
        )
        self.cache_watch = CacheWatch(self.metrics, tell=self.alerting.tell)
        self.runaway_watch = RunawayWatch(clock=self.clock, metrics=self.metrics, tell=self.alerting.tell)
        self.calibrations = Calibrations()
        self.wellbeing = Wellbeing(*_leaving_alone(config))
        self.operator_alerts = OperatorAlerts(clock=self.clock, tell=self.alerting.tell)
        self.wellbeing.listeners += [self.metrics.breaker, self.operator_alerts.breaker]
        self.retry_budgets = RetryBudgets(_retry_budget(config.retry))
        self.drains = Drains(config.server.limits.max_drains)
        limits = config.server.limits
        self.outbox = Outbox(self.journal.write_group)
        self._in_groups = transport is None
        """A transport from outside does not wait for the end of a round, so lines must not either."""
        self.upstream: Transport = transport or HttpUpstream(
            UpstreamLimits(max_connections_per_origin=limits.max_connections_per_provider), outbox=self.outbox
        )
        self.cache = _cache(config)
        self.kept = _kept(config)
        self.beside = beside or OneThread("bascule-keys")
        self.keys_used = _keys_used(config, store)
        self.content = open_content(
            config.privacy, snapshot.content_keys, store.data_dir, self.clock.now_ms, store.stores.replies
        )
        self.recordings = self._recordings(config)
        self.once = self._once(config)
        self.books = Books(
            journal=self.journal,
            authority=self.authority,
            clock=self.clock,
            metrics=self.metrics,
            calibrations=self.calibrations,
            telemetry=telemetry,
        )
        self.ledger_watch = LedgerWatch(
            drainer=self.drainer, outage=self.books.outage, clock=self.clock, tell=self.alerting.tell
        )
        self.telemetry = telemetry
        self.engine = Engine(self._world(), self.settings(snapshot))
        self._tell_whom(snapshot)

    def _tell_whom(self, snapshot: Snapshot) -> None:
        config = snapshot.config
        self.alerting.configure(config.alerts, snapshot.webhooks)
        self.ledger_watch.backlog_share = config.alerts.ledger_backlog_share
        self.ledger_watch.max_lines = config.server.limits.max_ledger_queue

    def _borrowing(self, leases: LeaseStore, config: Config) -> Borrowing:
        return Borrowing(
            leases=leases,
            ledger=self.store.ledger,
            journal=self.journal,
            authority=self.authority,
            clock=self.clock,
            replica=self.store.replica,
            limits=LendingLimits(
                term_ms=round(config.leases.term_s * 1000),
                ahead_s=config.leases.ahead_s,
                wait_s=config.leases.wait_s,
                max_waiting=config.leases.max_waiting,
            ),
        )

    def _recordings(self, config: Config) -> Recordings | None:
        if self.content is None or config.privacy.record_content == "none":
            return None
        full = config.privacy.record_content == "full"
        return Recordings(self.content.recorder, full=full, digest=open_pepper(self.store.data_dir).digest)

    def _once(self, config: Config) -> Once | None:
        if self.keys_used is None:
            return None
        ports = OncePorts(
            store=self.keys_used,
            replies=self.content.store
            if self.content is not None and config.privacy.record_content == "full"
            else None,
            beside=self.beside,
            clock=self.clock,
            metrics=self.metrics,
            owner=self.journal.chain_id,
        )
        return Once(ports, config.idempotency)

    def _world(self) -> World:
        return World(
            keys=self.keys,
            bodies=Bodies(),
            rates=RateLimiter(),
            calibrations=self.calibrations,
            recorder=Recorder(self.journal, self.authority, self.books.outage),
            kept=self.kept,
            once=self.once,
            caching=Caching(self.cache, books=self.books, clock=self.clock, metrics=self.metrics),
            clock=self.clock,
            identifiers=Identifiers(),
            metrics=self.metrics,
            telemetry=self.telemetry,
        )

    def settings(self, snapshot: Snapshot) -> Settings:
        """A configuration, ready to serve."""
        config = snapshot.config
        observe = config.mode == "observe"
        holding = Holding(
            authority=self.authority,
            calibrations=self.calibrations,
            clock=self.clock,
            enforce=not observe,
            lending=None if self.borrowing is None else self.borrowing.lender,
        )
        baseline = snapshot.baseline_model
        return Settings(
            snapshot=snapshot,
            protecting=Protecting(snapshot, recognisers(), self.metrics),
            planning=Planning(
                RouteTable(snapshot),
                mode=config.mode,
                calibrations=self.calibrations,
                holding=holding,
                wellbeing=self.wellbeing,
            ),
            effects=Effects(
                upstream=self.upstream,
                books=self.books,
                clock=self.clock,
                dispatcher=Dispatcher(snapshot, drains=self.drains),
                holding=holding,
                wellbeing=self.wellbeing,
                retry_budgets=self.retry_budgets,
                dice=random.random,
                limits=AttemptLimits(
                    max_attempts=config.retry.max_attempts,
                    retry_after_cap_s=config.retry.retry_after_cap_s,
                    deadline_s=config.retry.deadline_s,
                ),
                baseline=None if baseline is None else baseline.endpoints[0].prices,
                price_version=snapshot.price_version,
                splice_cost=config.server.usage_cost,
                cache_watch=self.cache_watch,
                collapse=_collapse(config.cache.prompt.alert),
                runaway=guard_of(snapshot, self.runaway_watch),
                kept=self.kept,
                recordings=self.recordings,
            ),
            observe=observe,
            quality_levels={**QUALITY_LEVELS, **config.quality_levels},
        )

    def open(self) -> Recovery:
        """Bring the ledger up to date, load what has been spent, start draining."""
        now_ms = self.clock.now_ms()
        store = self.store
        found = recover(store.journals, store.ledger, self.journal, self.drainer, now_ms, replica=store.replica)
        self._forget_dead_journals()
        if self.keys_used is not None:
            self.keys_used.abandon(self._is_dead)
        budgets = budgets_of(self.engine.snapshot, self.store.governance.budgets())
        if self.borrowing is None:
            spent = self.store.ledger.spent(budgets, now_ms)
            self.authority.preload({where: (s.settled_nanousd, s.held_nanousd) for where, s in spent.items()})
        else:
            self.borrowing.open(budgets, now_ms)
        self.drainer.start()
        if self.content is not None:
            self.content.recorder.start()
        if self._in_groups:
            self.journal.write_in_groups(self.outbox.due)
        return found

    def _forget_dead_journals(self) -> None:
        """Nobody need wait for what has just been recovered."""
        watermarks = self.store.stores.watermarks
        if watermarks is None:
            return
        for chain_id in filter(self._is_dead, watermarks.behind(END_OF_TIME_MS)):
            watermarks.ended(chain_id)

    def _is_dead(self, owner: str) -> bool:
        """Whether the process of this chain, of this host, has ended."""
        if owner == self.journal.chain_id or not is_of(self.store.replica, owner):
            return False
        lock = lock_chain(self.store.journals, owner)
        if lock is None:
            return False
        lock.release(remove=True)
        return True

    def reconfigure(self, snapshot: Snapshot, stored: tuple[Budget, ...]) -> None:
        """Take a new configuration and the store's budgets whole. Requests in flight keep theirs; what has been spent
        stays spent."""
        self.authority.configure(budgets_of(snapshot, stored))
        self.wellbeing.use(*_leaving_alone(snapshot.config))
        self.retry_budgets.policy = _retry_budget(snapshot.config.retry)
        self.engine.use(self.settings(snapshot))
        self._tell_whom(snapshot)

    @property
    def store_error(self) -> str | None:
        """Why the ledger's store did not take the last lines; None while it does."""
        return self.drainer.last_error

    def relieve(self) -> None:
        """Memory is short: let go of what can be had again."""
        if self.cache is not None:
            self.cache.clear()

    def forget(self) -> None:
        """Drop the answers that are kept in memory, whosesoever."""
        self.relieve()
        if self.once is not None:
            self.once.kept.clear()
        if self.kept is not None:
            self.kept.clear()

    def close(self) -> bool:
        """Stop draining and close everything; True where the store has every line."""
        self.upstream.close()
        self.outbox.flush()
        self.journal.write_in_groups(None)
        complete = self.drainer.close()
        if self.borrowing is not None:
            self.borrowing.close(complete)
        self.beside.close()
        if self.content is not None:
            self.content.close()
        if self.keys_used is not None:
            self.keys_used.close()
        self.store.database.close()
        return complete


def open_telemetry(snapshot: Snapshot, instance: str) -> "OtlpTelemetry | None":
    """Whom requests are told of; None where nobody is. Raises BasculeError where the extra is missing."""
    otlp = snapshot.config.telemetry.otlp
    if otlp is None:
        return None
    try:
        from bascule.telemetry.otlp import OtlpTelemetry
    except ModuleNotFoundError as error:
        raise BasculeError("`telemetry.otlp` needs OpenTelemetry: pip install 'bascule[otel]'") from error
    headers = {name: secret.reveal().decode() for name, secret in snapshot.telemetry_headers.items()}
    return OtlpTelemetry(otlp, headers, instance=instance)


def _leaving_alone(config: Config) -> tuple[BreakerPolicy | None, OutlierPolicy | None]:
    """Who is left alone or tried last, and when. Observing, nobody is: nothing is changed or refused."""
    if config.mode == "observe":
        return None, None
    breaker, outlier = config.breaker, config.outlier
    return (
        BreakerPolicy(**{name: getattr(breaker, name) for name in BreakerPolicy.__struct_fields__})
        if breaker.enabled
        else None,
        OutlierPolicy(**{name: getattr(outlier, name) for name in OutlierPolicy.__struct_fields__})
        if outlier.enabled
        else None,
    )


def _retry_budget(retry: Retry) -> RetryBudgetPolicy:
    return RetryBudgetPolicy(share=retry.budget_share, reserve=retry.budget_reserve, window_s=retry.budget_window_s)


def _collapse(alert: PromptCacheAlert) -> CollapsePolicy | None:
    if not alert.enabled:
        return None
    return CollapsePolicy(**{name: getattr(alert, name) for name in CollapsePolicy.__struct_fields__})


def _kept(config: Config) -> KeptAnswers | None:
    store = config.responses.store
    if not store.enabled:
        return None
    return KeptAnswers(
        ttl_s=store.ttl_s,
        max_entries=store.max_entries,
        max_bytes=store.max_bytes,
        max_body_bytes=config.server.limits.max_body_bytes,
    )


def _keys_used(config: Config, store: Store) -> Idempotency | None:
    """Raises StoreError."""
    limits = config.idempotency
    if not limits.enabled:
        return None
    return store.stores.idempotency(limits.max_rows, limits.max_rows_per_key)


def _cache(config: Config) -> ExactCache | None:
    exact = config.cache.exact
    if not exact.enabled:
        return None
    return ExactCache(
        ttl_s=exact.ttl_s,
        max_entries=MAX_CACHED_ANSWERS,
        max_bytes=exact.max_bytes,
        max_entry_bytes=exact.max_entry_bytes,
    )
