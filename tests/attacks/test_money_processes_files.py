"""The files that a gateway lives on change under it. No money is lost, and none counted twice."""

import asyncio
import os
from pathlib import Path

import pytest
from tests.promises.budgeted import ADMIN, PATIENCE_S, fleet

from bascule.testing.script import Script

pytestmark = pytest.mark.real

KIND = "capped"


def test_a_journal_that_is_cut_off_before_a_crash(tmp_path: Path) -> None:
    """What the store has of it is enough: the open attempts are settled at their hold, and none is forgotten."""
    with fleet(tmp_path) as several:
        several.provider.use(Script(output_tokens=80, gap_s=0.05))
        [gateway] = several.gateways

        async def attack() -> None:
            streams = [asyncio.create_task(several.send(KIND)) for _ in range(20)]
            async with asyncio.timeout(PATIENCE_S):
                while several.provider.upstream.in_flight < 20 or gateway.metric("bascule_ledger_backlog_lines", ADMIN):
                    await asyncio.sleep(0.05)
            for journal in (gateway.data_dir / "journal").glob("*.jsonl"):
                os.truncate(journal, 0)
            gateway.kill()
            await asyncio.gather(*streams, return_exceptions=True)

        asyncio.run(attack())
        gateway.start()
        billed = several.spent()
        several.settled()
        rows = several.rows(KIND)
        assert [row["recovered"] for row in rows] == [True] * 20
        assert sum(row["cost_nanousd"] for row in rows) >= billed
        gateway.verify()
