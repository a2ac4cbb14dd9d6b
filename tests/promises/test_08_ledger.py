"""Promise 8: the ledger against what the provider counted, attempt by attempt, under every fault there is."""

import asyncio
from pathlib import Path

import pytest
from tests.promises.conftest import Figure
from tests.promises.stormy import TARGETS, TARIFF, stormy

from bascule.testing.chaos.honesty import dishonest
from bascule.testing.chaos.reconcile import reconcile
from bascule.testing.chaos.traffic import Provided, Storm, drive, storm
from bascule.testing.fault_table import FAULTS

pytestmark = pytest.mark.real

SEED = 20261121


@pytest.mark.promise(
    8, fault="mixed faults of all kinds, four dialects, clients that leave", limit="missing 0, extra 0"
)
def test_each_served_attempt_is_one_true_row(tmp_path: Path, full: bool, figure: Figure) -> None:
    made_of = Storm(seed=SEED, targets=TARGETS)
    traffic = storm(made_of, 1_000 if full else 300)
    with stormy(tmp_path) as (gateway, upstream):
        upstream.use(Provided(traffic))
        gateway.start()
        sound = made_of.sound_first
        seen = asyncio.run(drive(gateway.url, traffic[:sound]))
        seen += asyncio.run(drive(gateway.url, traffic[sound:], at_once=200))
        upstream.quiet()
        gateway.settled()
        rows = gateway.rows()
        found = reconcile(rows, upstream.served, TARIFF)
        print(found.report())
        met = {name for one in traffic for name in one.faults}
        figure("attempts", found.rows)
        figure("faults", len(met))
        figure("missing", found.count("missing"))
        figure("extra", found.count("extra"))
        figure("other findings", len(found.findings) - found.count("missing") - found.count("extra"))
        assert not found.findings, found.report()
        lies = dishonest(traffic, seen, rows)
        assert not lies, lies
        # A client may have left before the fault that was meant for it.
        assert not full or len(set(FAULTS) - met) <= 1
        assert {"reported", "estimated", "none"} <= set(found.sources)
        assert len({row["error_class"] for row in rows}) >= 8
        assert sum(one.left for one in seen) >= 0.15 * len(traffic)
        assert gateway.verify()["attempts"] == len(rows)
        assert gateway.stop() == 0
        assert gateway.rows() == rows
