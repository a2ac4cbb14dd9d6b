"""Several real gateways on one PostgreSQL, before the scripted provider of `stormy`."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.configuration import PROVIDER_ENV
from tests.promises.stormy import SHORT, stormy

from bascule.testing.chaos.gateway import GatewayProcess
from bascule.testing.upstream.threaded import ThreadedUpstream

ADMIN = "the-admin-secret-of-these-replicas"
BOUNDS = {"connect_timeout_s": 2, "statement_timeout_s": 2}
"""Of the connections to PostgreSQL: an outage of seconds is then an outage."""


@contextmanager
def replicated(
    folder: Path, url: str, count: int, **more: Any
) -> Iterator[tuple[list[GatewayProcess], ThreadedUpstream]]:
    """Gateways that serve, and their provider. `more`: sections of the configuration."""
    folder.mkdir(exist_ok=True)
    shared = {"database": url, "postgres": BOUNDS, "admin": {"secret": "env:BASCULE_ADMIN"}}
    others: list[GatewayProcess] = []
    try:
        with stormy(folder / "r0", SHORT, **shared, **more) as (first, upstream):
            first.env["BASCULE_ADMIN"] = ADMIN
            first.start()
            for number in range(1, count):
                place = folder / f"r{number}"
                (place / "data").mkdir(parents=True)
                shutil.copy(first.file, place / "bascule.yaml")
                shutil.copy(first.data_dir / "pepper", place / "data" / "pepper")  # as an operator has to
                others.append(GatewayProcess(place, None, {**PROVIDER_ENV, "BASCULE_ADMIN": ADMIN}).start())
            yield [first, *others], upstream
    finally:
        for gateway in others:
            gateway.kill()
