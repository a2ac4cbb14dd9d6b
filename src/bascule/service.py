"""`serve` as a process: a gateway, its edge, uvicorn around both, and reloading."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from prometheus_client.core import Metric

from bascule.compose import (
    DEFAULT_FILE,
    Gateway,
    configured_keys,
    data_dir_of,
    database_secrets,
    key_ring,
    open_leases,
    open_store,
    open_telemetry,
    read_document,
    snapshot_of,
)
from bascule.config.load import Document
from bascule.config.secret import Secret
from bascule.config.shape import Config
from bascule.config.sources import Secrets
from bascule.decide.redaction import Redactor
from bascule.gateway.alerts import BudgetAlerts
from bascule.gateway.audit import AuditHead, enter_configuration
from bascule.gateway.resuming import resumed
from bascule.link import Snapshot, with_server
from bascule.link.build import SHORT_SECRET_BYTES
from bascule.model.errors import BasculeError, ConfigError, Problem
from bascule.model.ids import ulid
from bascule.model.policy import Budget, KeyPolicy
from bascule.ports import Governance, StoredKey
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.routes import admin_routes
from bascule.server.admin.work import Readings
from bascule.server.app import application, edge_limits
from bascule.server.asgi import Application
from bascule.server.feedback import FeedbackPage
from bascule.server.lifespan import Lifespan
from bascule.server.live import Watch
from bascule.server.load import LoadWatch
from bascule.server.memory import settle_garbage_collector
from bascule.server.memory_use import memory_reader
from bascule.server.metrics_page import Gauges, families
from bascule.server.metrics_shared import SharedMetrics
from bascule.server.responses_page import ResponsesPage
from bascule.server.stopping import all_have_ended
from bascule.storage.keys import KeyHasher, create_key, live_keys, open_pepper, revoke_key, rotate_key
from bascule.storage.skew import judge_clock

log = logging.getLogger("bascule.service")

KEEP_ALIVE_S = 75
BACKLOG = 2048
WORKERS = "workers"
"""The folder in which workers tell each other what they have counted."""
MAX_FEEDBACK_WAITING = 256

Announce = Callable[[Snapshot, str], None]


class Service:
    """One served configuration file, from start to stop."""

    def __init__(
        self,
        config_path: str | None,
        environment: Mapping[str, str],
        *,
        host: str | None,
        port: int | None,
        workers: int | None = None,
        worker: int = 0,
        others: Config | None = None,
    ) -> None:
        """`worker` is the number of this process among several, and `others` is what those serve: where the file has
        other workers, ledger or database by now, budgets would be counted twice.

        Raises ConfigError with every mistake, StoreError where the data directory cannot be used.
        """
        self._path = config_path
        self._environment = environment
        self._host = host
        self._port = port
        self._workers = workers
        document = self._read()
        if others is not None:
            _judge_fixed(others, document.config)
        secrets = Secrets(environment, document.directory)
        self.store = open_store(data_dir_of(document), document.config, secrets)
        self.snapshot = self._link(document)
        self.keys = key_ring(self.store, self.snapshot)
        self.redactor = Redactor(secrets_of(self.snapshot, *secrets.given, *database_secrets(document, secrets)))
        leases = open_leases(self.store, document.config)
        self.telemetry = open_telemetry(self.snapshot, f"{socket.gethostname()}:{os.getpid()}")
        self.gateway = Gateway(
            self.snapshot, self.store, self.keys, worker=worker, leases=leases, telemetry=self.telemetry
        )
        self._shared_metrics = None
        if document.config.server.workers > 1:
            self._shared_metrics = SharedMetrics(self.store.data_dir / WORKERS, worker, self.gateway.epoch)
        self._revision = self.store.governance.revision()
        self._resumed = self._resumed_before = resumed(self.store.governance)
        self._taking = asyncio.Lock()
        """One change of what is served at a time."""
        self._alerts = BudgetAlerts(
            authority=self.gateway.authority,
            settings=self.store.governance,
            clock=self.gateway.clock,
            metrics=self.gateway.metrics,
            tell=self.gateway.alerting.tell,
        )
        self._watch = Watch(self._file(), reload=self.reload, refresh=self.refresh, told=self._reload_ended)
        self._is_stopping = False
        self._application = self._make_application()
        self._load = LoadWatch(
            self._application.hot,
            read_memory=memory_reader(
                self.snapshot.config.overload.memory.limit_bytes, workers=self.snapshot.config.server.workers
            ),
            relieve=self.gateway.relieve,
            told=self.gateway.operator_alerts.memory_short,
        )
        self._audit_head = AuditHead(self.store.governance)

    def _file(self) -> Path | None:
        if self._path is not None:
            return Path(self._path)
        return DEFAULT_FILE if DEFAULT_FILE.exists() else None

    def _read(self) -> Document:
        return with_server(
            read_document(self._path, self._environment), host=self._host, port=self._port, workers=self._workers
        )

    def _link(self, document: Document) -> Snapshot:
        stored_keys = bool(self.store.governance.keys())
        return snapshot_of(document, self._environment, stored_keys=stored_keys)

    async def start(self) -> None:
        """Recover, load what was spent, begin to drain and to watch."""
        self._enter(self.snapshot, changed=None)
        judge_clock(self.gateway.clock, self.store.stores.watermarks)
        self.gateway.open()
        if self.gateway.borrowing is not None:
            self.gateway.borrowing.lender.start()
        self._audit_head.start()
        self._watch.start()
        self._alerts.start()
        self.gateway.evidence.start()
        self.gateway.ledger_watch.start()
        self._load.start()
        settle_garbage_collector()

    def begin_to_stop(self) -> None:
        """Not ready any more; what is in flight goes on."""
        self._is_stopping = True

    async def stop(self) -> None:
        await all_have_ended(self.gateway.metrics)
        await self._load.stop()
        await self._watch.stop()
        await self._alerts.stop()
        await self.gateway.comparisons.stop()
        await self.gateway.evidence.stop()
        if self.gateway.borrowing is not None:
            await self.gateway.borrowing.lender.stop()
        await self.gateway.ledger_watch.stop()
        await self.gateway.alerting.stop()
        await self._audit_head.stop()
        self.gateway.close()
        if self.telemetry is not None:
            await asyncio.to_thread(self.telemetry.close)

    async def reload(self) -> None:
        """Validate first, enter it in the audit trail, then swap whole. Raises ConfigError, StoreError; everything then
        stays as it was."""
        async with self._taking:
            snapshot, budgets = await asyncio.to_thread(self._read_anew)
            self.redactor.register(secrets_of(snapshot))
            self.keys.configure(configured_keys(snapshot))
            self.gateway.reconfigure(snapshot, budgets)
            self._application.hot.configure(edge_limits(snapshot.config.server), snapshot.config.overload)
            self.snapshot = snapshot

    def _read_anew(self) -> tuple[Snapshot, tuple[Budget, ...]]:
        """The configuration and the budgets of the store. Beside the event loop."""
        _judge_file(self._file())
        snapshot = self._link(self._read())
        _judge_fixed(self.snapshot.config, snapshot.config)
        if not (self.keys.is_open or snapshot.keys or self.store.governance.keys()):
            raise ConfigError((THE_LAST_KEY,))
        budgets = self.store.governance.budgets()
        self._enter(snapshot, changed=_changed_sections(self.snapshot, snapshot))
        return snapshot, budgets

    def _reload_ended(self, error: BasculeError | None) -> None:
        self.gateway.metrics.reload("taken" if error is None else "refused")
        if error is not None:
            self.gateway.operator_alerts.reload_refused(error)

    def _enter(self, snapshot: Snapshot, *, changed: list[str] | None) -> None:
        now_ms = self.gateway.clock.now_ms()
        enter_configuration(self.store.governance, snapshot.policy_version, changed=changed, now_ms=now_ms)

    async def refresh(self) -> None:
        """Keys and budgets that a command or another process made. Raises StoreError."""
        async with self._taking:
            budgets = await asyncio.to_thread(self._changed_budgets)
            if budgets is not None:
                self.gateway.reconfigure(self.snapshot, budgets)
                self._resume_sessions()

    def _resume_sessions(self) -> None:
        """Those that were let go on since the last look."""
        for session_id, at_ms in self._resumed.items():
            if self._resumed_before.get(session_id) != at_ms:
                self.gateway.runaway_watch.resume(session_id)
        self._resumed_before = self._resumed

    def _changed_budgets(self) -> tuple[Budget, ...] | None:
        """None where neither keys nor budgets have changed. Beside the event loop."""
        self.keys.refresh()
        revision = self.store.governance.revision()
        if self._shared_metrics is not None:
            self._shared_metrics.publish(families(self.gateway.metrics, self.gauges()))
        if revision == self._revision:
            return None
        budgets = self.store.governance.budgets()
        self._resumed = resumed(self.store.governance)
        self._revision = revision
        return budgets

    def application(self) -> Application:
        """What uvicorn serves."""
        return self._application

    def _make_application(self) -> Application:
        return application(
            engine=self.gateway.engine,
            keys=self.keys,
            clock=self.gateway.clock,
            server=self.snapshot.config.server,
            overload=self.snapshot.config.overload,
            measured=self.measured,
            readiness=self.readiness,
            lifespan=Lifespan(self.start, self.stop),
            admin=[*admin_routes(self.administration()), *self.feedback().routes(), *self.responses().routes()],
        )

    def feedback(self) -> FeedbackPage:
        store = self.store
        return FeedbackPage(
            keys=self.keys,
            clock=self.gateway.clock,
            ledger=store.view,
            outcomes=store.outcomes,
            readings=Readings(waiting=MAX_FEEDBACK_WAITING),
        )

    def responses(self) -> ResponsesPage:
        return ResponsesPage(keys=self.keys, clock=self.gateway.clock, kept=self.gateway.kept)

    def administration(self) -> AdminPorts:
        """What the admin API works on."""
        gateway, store = self.gateway, self.store
        return AdminPorts(
            governance=store.governance,
            key_maker=StoredKeys(store.governance, open_pepper(store.data_dir)),
            ledger=store.view,
            analytics=store.analytics,
            outcomes=store.outcomes,
            authority=gateway.authority,
            journal=gateway.journal,
            keys=self.keys,
            clock=gateway.clock,
            snapshot=lambda: self.snapshot,
            refresh=self.refresh,
            content=gateway.content,
            forget=gateway.forget,
            adjustment_id=lambda now_ms: f"adj_{ulid(now_ms, secrets.randbits(80))}",
        )

    def measured(self) -> list[Metric]:
        """What all workers have counted."""
        own = families(self.gateway.metrics, self.gauges())
        return own if self._shared_metrics is None else self._shared_metrics.summed(own)

    def gauges(self) -> Gauges:
        gateway, slots, load = self.gateway, self._application.hot.slots, self._load
        memory = (
            []
            if load.memory is None
            else [
                ("bascule_memory_used_bytes", "Memory used, of the limit", load.memory.used_bytes),
                ("bascule_memory_limit_bytes", "Memory that may be used", load.memory.limit_bytes),
            ]
        )
        content = gateway.content
        dropped = 0 if content is None else content.recorder.dropped
        return Gauges(
            [
                ("bascule_recordings_dropped", "Recordings that the disk did not take, since the start", dropped),
                ("bascule_in_flight_limit", "Requests that may be served at once just now", slots.limit),
                ("bascule_waiting_requests", "Requests that wait for others to end", slots.waiting),
                (
                    "bascule_event_loop_lag_seconds",
                    "How late the event loop is, the least of half a second",
                    load.lag_s,
                ),
                *memory,
                (
                    "bascule_store_down",
                    "1 while the ledger's store takes no lines",
                    int(gateway.store_error is not None),
                ),
                ("bascule_ledger_backlog_lines", "Ledger lines not in the store yet", gateway.drainer.backlog),
                ("bascule_open_holds", "Attempts that hold money", gateway.authority.open_holds),
                ("bascule_upstream_connections", "Open upstream connections", gateway.upstream.open_connections),
                ("bascule_retry_budgets_spent", "Requests given up for want of budget", gateway.retry_budgets.refused),
            ],
            gateway.wellbeing.breakers(gateway.clock.monotonic_s()),
        )

    def readiness(self) -> str | None:
        """Ready as long as new work is taken: a store that is down for a while is the journal's business, and a
        readiness that followed it would take every replica out of service at once."""
        if self._is_stopping:
            return "the gateway is stopping"
        return "the ledger's journal did not take a line just now" if self.gateway.books.outage.is_recent else None


THE_LAST_KEY = Problem(
    "keys",
    "no key is left, which would open the gateway to everybody who reaches it",
    "Keep one, or restart the gateway if that is meant",
)
"""A file that lost its keys by mistake must not open a door that has a lock; nor does revoking the last stored key."""


class StoredKeys:
    """Implements the admin API's `KeyMaker` over the store."""

    def __init__(self, governance: Governance, hasher: KeyHasher) -> None:
        self._governance = governance
        self._hasher = hasher

    def live(self, now_ms: int) -> list[StoredKey]:
        return live_keys(self._governance, now_ms)

    def create(self, policy: KeyPolicy, *, by: str, now_ms: int) -> tuple[StoredKey, str]:
        new = create_key(self._governance, self._hasher, policy, by=by, now_ms=now_ms)
        return new.stored, new.secret

    def rotate(self, name: str, *, by: str, now_ms: int, grace_ms: int) -> tuple[StoredKey, str] | None:
        new = rotate_key(self._governance, self._hasher, name, by=by, now_ms=now_ms, grace_ms=grace_ms)
        return None if new is None else (new.stored, new.secret)

    def revoke(self, name_or_id: str, *, by: str, now_ms: int) -> int:
        return revoke_key(self._governance, name_or_id, by=by, now_ms=now_ms)


def secrets_of(snapshot: Snapshot, *others: Secret) -> list[str]:
    """What no log may hold. `snapshot.read` has a region or an account's name among the secrets: those are short."""
    addresses = {webhook.url for webhook in snapshot.webhooks}
    read = [secret for secret in (*snapshot.read, *others) if secret not in addresses]
    found = [secret for secret in read if len(secret.reveal()) >= SHORT_SECRET_BYTES]
    found += [key.secret for key in snapshot.keys]
    found += snapshot.telemetry_headers.values()
    found += [secret for provider in snapshot.providers.values() for secret in provider.secrets]
    found += snapshot.content_keys
    found += [secret for webhook in snapshot.webhooks for secret in webhook.secrets]
    if snapshot.admin_secret is not None:
        found.append(snapshot.admin_secret)
    values = [secret.reveal() for secret in found]
    return [value.decode(encoding, "replace") for value in values for encoding in ("utf-8", "latin-1")]


def _changed_sections(old: Snapshot, new: Snapshot) -> list[str]:
    was, now = old.config, new.config
    return [name for name in was.__struct_fields__ if getattr(was, name) != getattr(now, name)]


def _judge_file(path: Path | None) -> None:
    """Raises ConfigError where what is to be read again would be waited for without end, and every reload behind it."""
    if path is not None and (path.is_fifo() or path.is_char_device()):
        what = "cannot be read again: it is a pipe or a device"
        raise ConfigError((Problem(str(path), what, "Put the configuration into a file"),))


def _judge_fixed(old: Config, new: Config) -> None:
    """Raises ConfigError where something has changed that takes a restart."""
    if _fixed(old) != _fixed(new):
        changed = "address, workers, data_dir, database, durability, privacy or telemetry changed"
        raise ConfigError((Problem("server", changed, "Restart the gateway for that"),))


def _fixed(config: Config) -> tuple[object, ...]:
    """What a gateway cannot change while it serves."""
    return (
        config.server.host,
        config.server.port,
        config.server.workers,
        config.data_dir,
        config.database,
        config.durability,
        config.privacy,
        config.telemetry,
    )
