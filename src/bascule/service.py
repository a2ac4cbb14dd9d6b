"""`serve` as a process: a gateway, its edge, uvicorn around both, and reloading."""

import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import uvicorn

from bascule.compose import (
    DEFAULT_FILE,
    Gateway,
    configured_keys,
    data_dir_of,
    key_ring,
    open_store,
    read_document,
    snapshot_of,
)
from bascule.config.load import Document
from bascule.link import Snapshot, with_server
from bascule.model.errors import ConfigError, Problem
from bascule.server.app import application
from bascule.server.lifespan import Lifespan
from bascule.server.live import Watch
from bascule.server.logs import Redactor, configure_logging
from bascule.server.metrics_page import Gauges

KEEP_ALIVE_S = 75
BACKLOG = 2048

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
    ) -> None:
        """Raises ConfigError with every mistake, StoreError where the data directory cannot be used."""
        self._path = config_path
        self._environment = environment
        self._host = host
        self._port = port
        self._workers = workers
        document = self._read()
        self.store = open_store(data_dir_of(document), document.config)
        self.snapshot = self._link(document)
        self.keys = key_ring(self.store, self.snapshot)
        self.redactor = Redactor(_secrets(self.snapshot))
        self.gateway = Gateway(self.snapshot, self.store, self.keys)
        self._revision = self.store.governance.revision()
        self._watch = Watch(self._file(), reload=self.reload, refresh=self.refresh)

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
        self.gateway.open()
        self._watch.start()

    async def stop(self) -> None:
        await self._watch.stop()
        self.gateway.close()

    def reload(self) -> None:
        """Validate first, then swap whole. Raises ConfigError; everything then stays as it was."""
        snapshot = self._link(self._read())
        if _needs_restart(self.snapshot, snapshot):
            problem = Problem("server", "address, data_dir or durability changed", "Restart the gateway for that")
            raise ConfigError((problem,))
        self.redactor.register(_secrets(snapshot))
        self.keys.configure(configured_keys(snapshot))
        self.gateway.reconfigure(snapshot)
        self.snapshot = snapshot

    def refresh(self) -> None:
        """Keys and budgets that a command or another process made."""
        self.keys.refresh()
        revision = self.store.governance.revision()
        if revision != self._revision:
            self._revision = revision
            self.gateway.reconfigure(self.snapshot)

    def gauges(self) -> Gauges:
        gateway = self.gateway
        return Gauges(
            [
                ("bascule_ledger_backlog_lines", "Ledger lines not in the store yet", gateway.drainer.backlog),
                ("bascule_open_holds", "Attempts that hold money", gateway.authority.open_holds),
                ("bascule_upstream_connections", "Open upstream connections", gateway.upstream.open_connections),
            ]
        )

    def readiness(self) -> str | None:
        error = self.gateway.drainer.last_error
        return None if error is None else f"the ledger's store does not take lines: {error}"


def _secrets(snapshot: Snapshot) -> list[str]:
    found = [key.secret for key in snapshot.keys]
    found += [provider.secret for provider in snapshot.providers.values() if provider.secret is not None]
    if snapshot.admin_secret is not None:
        found.append(snapshot.admin_secret)
    return [secret.reveal().decode("latin-1") for secret in found]


def _needs_restart(old: Snapshot, new: Snapshot) -> bool:
    was, now = old.config, new.config
    fixed = (was.server.host, was.server.port, was.data_dir, was.durability)
    return fixed != (now.server.host, now.server.port, now.data_dir, now.durability)


def run(
    config_path: str | None,
    environment: Mapping[str, str],
    *,
    host: str | None,
    port: int | None,
    workers: int | None,
    log_level: str,
    announce: Announce,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises BasculeError where it cannot begin."""
    service = Service(config_path, environment, host=host, port=port, workers=workers)
    configure_logging(service.redactor, level=log_level)
    server = service.snapshot.config.server
    app = application(
        engine=service.gateway.engine,
        keys=service.keys,
        clock=service.gateway.clock,
        server=server,
        gauges=service.gauges,
        readiness=service.readiness,
        lifespan=Lifespan(service.start, service.stop),
    )
    config = uvicorn.Config(
        app,
        host=server.host,
        port=server.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(server.drain_timeout_s) or None,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    _Announcing(config, lambda address: announce(service.snapshot, address)).run()


def _leave(number: int, frame: FrameType | None) -> None:
    """uvicorn raises the signal that ended it once more when all is done: a stop that was asked for is no failure."""
    raise SystemExit(0)


class _Announcing(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(None)
        if self.should_exit or not self.servers:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        self._announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")
