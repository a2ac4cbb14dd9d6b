"""Promise 10: the store is down, locked or full, the spool is full; nothing is lost, doubled or unbilled."""

import asyncio
import resource
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.promises.conftest import Figure
from tests.promises.replicated import replicated
from tests.promises.stormy import DRAINED, PATIENT, SHORT, TARIFF, stormy

from bascule.testing.chaos.driving import WhileDriving
from bascule.testing.chaos.findings import Reconciliation
from bascule.testing.chaos.gateway import GatewayProcess
from bascule.testing.chaos.reconcile import reconcile
from bascule.testing.chaos.traffic import Provided, Storm, drive, storm
from bascule.testing.script import Script

if TYPE_CHECKING:
    from tests.postgres import Postgres

pytestmark = pytest.mark.real

SEED = 20261130
SOUND = 60
CAUGHT_UP_S = 30.0


def caught_up(gateways: list[GatewayProcess]) -> float:
    """Seconds until the store has every line of each."""
    started_s = time.monotonic()
    while any(gateway.metric("bascule_ledger_backlog_lines") for gateway in gateways):
        assert time.monotonic() - started_s < CAUGHT_UP_S, "the store does not catch up"
        time.sleep(0.05)
    return time.monotonic() - started_s


def told(found: Reconciliation, figure: Figure) -> None:
    figure("attempts", found.rows)
    figure("missing", found.count("missing"))
    figure("extra", found.count("extra"))
    assert found.rows >= 40
    assert not found.findings, found.report()


@pytest.mark.promise(10, fault="PostgreSQL stopped 30 s under mixed faults, 3 replicas", limit="missing 0, extra 0")
def test_a_database_that_is_away_delays_and_loses_nothing(
    tmp_path: Path, postgres: "Postgres", postgres_url: str, full: bool, figure: Figure
) -> None:
    away_s = 30.0 if full else 2.5
    made_of = Storm(seed=SEED, targets=DRAINED, leave_share=0, sound_first=SOUND)
    traffic = storm(made_of, SOUND + (400 if full else 60))
    with replicated(tmp_path, postgres_url, 3 if full else 2) as (gateways, upstream):
        upstream.use(Provided(traffic))
        urls = [gateway.url for gateway in gateways]
        asyncio.run(drive(urls, traffic[:SOUND]))
        postgres.stop()
        try:
            seen = asyncio.run(drive(urls, traffic[SOUND:], over_s=away_s))
            upstream.quiet()
            assert [gateway.get("/healthz")[0] for gateway in gateways] == [200] * len(gateways)
            assert [gateway.get("/readyz")[0] for gateway in gateways] == [200] * len(gateways)
            assert sum(gateway.metric("bascule_ledger_backlog_lines") for gateway in gateways) > 0
        finally:
            postgres.start()
        figure("caught up in", caught_up(gateways), "s")
        for gateway in gateways:
            gateway.settled()
        rows = gateways[0].rows()
        gateways[0].verify()
        told(reconcile(rows, upstream.served, TARIFF), figure)
        ours = [one.body for one in seen if b"ledger" in one.body or b"this key" in one.body]
        assert ours == [], "what the journal takes is served"


@pytest.mark.promise(10, fault="another process locks the SQLite ledger", limit="missing 0, extra 0")
def test_a_locked_ledger_delays_and_loses_nothing(tmp_path: Path, full: bool, figure: Figure) -> None:
    locked_s = 30.0 if full else 1.5
    traffic = storm(
        Storm(seed=SEED + 1, targets=DRAINED, leave_share=0, sound_first=SOUND), SOUND + (300 if full else 50)
    )
    with stormy(tmp_path, SHORT) as (gateway, upstream):
        upstream.use(Provided(traffic))
        gateway.start()
        asyncio.run(drive(gateway.url, traffic[:SOUND]))
        locking = sqlite3.connect(gateway.data_dir / "ledger.sqlite3", isolation_level=None, timeout=10)
        locking.execute("BEGIN IMMEDIATE")
        try:
            asyncio.run(drive(gateway.url, traffic[SOUND:], over_s=locked_s))
            upstream.quiet()
            assert gateway.metric("bascule_ledger_backlog_lines") > 0
        finally:
            locking.execute("ROLLBACK")
            locking.close()
        figure("caught up in", caught_up([gateway]), "s")
        gateway.settled()
        rows = gateway.rows()
        gateway.verify()
        told(reconcile(rows, upstream.served, TARIFF), figure)


@pytest.mark.promise(10, fault="the disk of spool and ledger is full", limit="new work 503, nothing sent, missing 0")
def test_a_full_disk_refuses_new_work_and_loses_nothing(tmp_path: Path, full: bool, figure: Figure) -> None:
    made_of = Storm(seed=SEED + 2, targets=DRAINED, groups=(), leave_share=0, stream_share=1, sound_first=0)
    running, refused, after = (storm(made_of, 20, first=first) for first in (0, 1_000, 2_000))
    with stormy(tmp_path, PATIENT) as (gateway, upstream):
        upstream.use(Script(text="a bridge " * 40, gap_s=0.03))
        gateway.start()
        unlimited = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
        try:
            with WhileDriving(lambda: drive(gateway.url, running, over_s=0.1)) as driving:
                deadline_s = time.monotonic() + 20
                while upstream.upstream.in_flight < len(running):
                    assert time.monotonic() < deadline_s, f"{upstream.upstream.in_flight} streams are open"
                    time.sleep(0.01)
                resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (1, unlimited[1]))  # no file takes another byte
                before = len(upstream.served) + upstream.upstream.in_flight
                seen = asyncio.run(drive(gateway.url, refused, over_s=5.0 if full else 0.5))
                assert [one.status for one in seen] == [503] * len(refused)
                assert len(upstream.served) + upstream.upstream.in_flight <= before
            assert [one.status for one in driving.seen] == [200] * len(running)
            upstream.quiet()
            assert gateway.get("/healthz")[0] == 200
            assert gateway.get("/readyz")[0] == 503
        finally:
            resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, unlimited)
        seen = asyncio.run(drive(gateway.url, after))
        assert [one.status for one in seen] == [200] * len(after)
        caught_up([gateway])
        gateway.settled()
        rows = gateway.rows()
        gateway.verify()
        figure("refused", len(refused))
        told(reconcile(rows, upstream.served, TARIFF), figure)
