"""Promise 9 with several replicas on one PostgreSQL: one of them is killed in the middle of everything."""

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.promises.conftest import Figure
from tests.promises.replicated import ADMIN, replicated
from tests.promises.stormy import DRAINED, TARIFF

from bascule.testing.chaos.driving import WhileDriving
from bascule.testing.chaos.findings import Reconciliation
from bascule.testing.chaos.reconcile import reconcile
from bascule.testing.chaos.traffic import Provided, Storm, drive, storm

if TYPE_CHECKING:
    from tests.postgres import Postgres

pytestmark = pytest.mark.real

SEED = 20261201
SOUND = 60
OVER_S = 1.5


def crash(folder: Path, url: str, seed: int, full: bool) -> Reconciliation:
    """Mixed faults over three replicas, kill -9 of one, a new start, and what the ledger has of it all."""
    traffic = storm(Storm(seed=seed, targets=DRAINED, leave_share=0, sound_first=SOUND), SOUND + (200 if full else 90))
    with replicated(folder, url, 3) as (gateways, upstream):
        upstream.use(Provided(traffic))
        urls = [gateway.url for gateway in gateways]
        asyncio.run(drive(urls, traffic[:SOUND]))
        first, dying, _ = gateways
        with WhileDriving(lambda: drive(urls, traffic[SOUND:], over_s=OVER_S)):
            time.sleep(OVER_S * 0.4)
            dying.kill()
        upstream.quiet()
        told = first.command("ledger", "export", "-c", str(first.file))
        assert "incomplete: 1 journals of other replicas" in told.stderr
        dying.start()
        for gateway in gateways:
            gateway.settled(ADMIN)
        whole = first.command("ledger", "export", "-c", str(first.file))
        assert "incomplete" not in whole.stderr
        rows = [json.loads(line) for line in whole.stdout.splitlines()]
        first.verify()
        return reconcile(rows, upstream.served, TARIFF, crashed=True)


@pytest.mark.promise(
    9, fault="kill -9 of one of 3 replicas on PostgreSQL, then a new start", limit="missing 0, extra 0; told meanwhile"
)
def test_a_replica_that_dies_is_missed_and_comes_back_whole(
    tmp_path: Path, postgres: "Postgres", full: bool, figure: Figure
) -> None:
    found = [
        crash(tmp_path / f"seed{seed}", postgres.new_database(), SEED + seed, full) for seed in range(4 if full else 1)
    ]
    figure("attempts", sum(one.rows for one in found))
    figure("missing", sum(one.count("missing") for one in found))
    figure("extra", sum(one.count("extra") for one in found))
    figure("recovered", sum(one.recovered for one in found))
    for one in found:
        assert not one.findings, one.report()
    assert any(one.recovered for one in found), "it was killed with nothing open: the test proves nothing"
