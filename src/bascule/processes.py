"""`bascule serve` as processes: one, or several at one port, each with a `Service` and uvicorn around it."""

import asyncio
import logging
import math
import signal
import socket
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Mapping
from types import FrameType
from typing import cast

import uvicorn

from bascule.compose import data_dir_of, open_store, read_document, snapshot_of
from bascule.config.load import Document
from bascule.config.shape import Config
from bascule.config.sources import Secrets
from bascule.decide.redaction import Redactor
from bascule.link import Snapshot, with_server
from bascule.model.errors import BasculeError, ConfigError
from bascule.server.hardening import forbid_core_dumps
from bascule.server.listening import judge_address
from bascule.server.logs import configure_logging
from bascule.server.metrics_shared import forget_metrics
from bascule.server.protocol import gateway_protocol
from bascule.server.stopping import StoppingServer
from bascule.server.waiting import wait_for_store
from bascule.server.workers import Workers, bound_socket
from bascule.service import WORKERS, Service, secrets_of
from bascule.storage.claim import claim
from bascule.storage.sqlite.leases import forget_leases

log = logging.getLogger("bascule.service")

KEEP_ALIVE_S = 75
BACKLOG = 2048

Announce = Callable[[Snapshot, str], None]


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

    def service(number: int, at: int | None, others: Config | None = None) -> Service:
        made = Service(config_path, environment, host=host, port=at, workers=workers, worker=number, others=others)
        configure_logging(made.redactor, level=log_level)
        return made

    forbid_core_dumps()
    document = with_server(read_document(config_path, environment), host=host, port=port, workers=workers)
    _await_store(document, environment, log_level)
    server = document.config.server
    if server.workers == 1:
        alone = service(0, port)
        claimed = claim(alone.store.data_dir)
        forget_leases(alone.store.data_dir)
        judge_address(server.host, server.port)
        try:
            _serve(alone, announce)
        finally:
            claimed.release()
    else:
        _serve_together(document, environment, service, announce, log_level)


def _await_store(document: Document, environment: Mapping[str, str], log_level: str) -> None:
    """Where several replicas share a database: until it answers."""
    if document.config.database is None or document.problems:
        return  # what is wrong is said where everything is that is wrong

    def attempt() -> None:
        secrets = Secrets(environment, document.directory)
        open_store(data_dir_of(document), document.config, secrets).database.close()

    server = document.config.server
    configure_logging(Redactor([]), level=log_level)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    if not wait_for_store(attempt, server.host, server.port):
        raise SystemExit(0)


def _serve_together(
    document: Document,
    environment: Mapping[str, str],
    service: Callable[[int, int, Config], Service],
    announce: Announce,
    log_level: str,
) -> None:
    """Workers at one port, which this process watches."""
    server = document.config.server
    secrets = Secrets(environment, document.directory)
    store = open_store(data_dir_of(document), document.config, secrets)
    try:
        snapshot = snapshot_of(document, environment, stored_keys=bool(store.governance.keys()))
    finally:
        store.database.close()  # before the first worker is forked: a connection belongs to one process
    configure_logging(Redactor(secrets_of(snapshot, *secrets.given)), level=log_level)
    claimed = claim(store.data_dir)
    try:
        judge_address(server.host, server.port)
        forget_leases(store.data_dir)
        forget_metrics(store.data_dir / WORKERS)
        with bound_socket(server.host, server.port) as held:
            at = held.getsockname()[1]
            begun = with_server(document, port=at).config

            def serve(number: int, is_ready: Callable[[], None]) -> int:
                try:
                    _serve(service(number, at, begun), lambda _, __: is_ready(), bound_socket(server.host, at))
                except BasculeError as error:
                    log.error("worker %d cannot serve: %s", number, error)
                    return 2 if isinstance(error, ConfigError) else 1
                return 0

            together = Workers(
                server.workers,
                serve,
                announce=lambda: announce(snapshot, _address(held)),
                drain_timeout_s=server.drain_timeout_s,
            )
            status = together.run()
    finally:
        claimed.release()
    raise SystemExit(status)


def _serve(service: Service, announce: Announce, listening: socket.socket | None = None) -> None:
    """One process's serving, at a socket of its own or at the configured address."""
    server = service.snapshot.config.server
    application = service.application()
    config = uvicorn.Config(
        application,
        host=server.host,
        port=server.port,
        loop="uvloop",
        # uvicorn asks for a class and calls it; what makes the connections here is a function with the same arguments.
        http=cast("type[asyncio.Protocol]", gateway_protocol(application.hot, service.gateway.outbox)),
        proxy_headers=False,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(server.drain_timeout_s),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    served = _Announcing(config, lambda address: announce(service.snapshot, address), on_stop=service.begin_to_stop)
    served.run(None if listening is None else [listening])


def _leave(number: int, frame: FrameType | None) -> None:
    """uvicorn raises the signal that ended it once more when all is done: a stop that was asked for is no failure."""
    raise SystemExit(0)


class _Announcing(StoppingServer):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None], *, on_stop: Callable[[], None]) -> None:
        super().__init__(config, on_stop=on_stop)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit or not self.servers:
            return
        self._announce(_address(self.servers[0].sockets[0]))


def _address(listening: socket.socket | TransportSocket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
