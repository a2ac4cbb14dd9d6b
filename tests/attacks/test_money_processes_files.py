"""The files that a gateway lives on change under it. No money is lost, and none counted twice."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.process import Gateway
from tests.promises.budgeted import ADMIN, ASKS, PATIENCE_S, Fleet, fleet, nanousd, until

from bascule.testing.script import Script

pytestmark = pytest.mark.real

KIND = "capped"
LIMIT_NANOUSD = ASKS[KIND].limit_nanousd


def burst(several: Fleet, count: int) -> list[int | None]:
    """The statuses of as many requests at once."""

    async def all_of_them() -> list[int | None]:
        return [one.status for one in await asyncio.gather(*[several.send(KIND) for _ in range(count)])]

    return asyncio.run(all_of_them())


def ledger_is_the_bill(several: Fleet) -> None:
    several.settled()
    rows = several.rows(KIND)
    assert len(rows) == len(several.provider.served)
    paid = sum(row["cost_nanousd"] for row in rows)
    assert paid == several.spent()
    until("budget", lambda: (nanousd(several.budget(KIND)["settled_usd"]) == paid, several.budget(KIND), paid))
    several.gateways[0].verify()


def started(gateway: Gateway) -> int:
    """How many workers have begun to serve so far."""
    return gateway.output().count("startup complete")


def test_a_worker_that_is_started_again_shares_the_budgets_of_the_others(tmp_path: Path) -> None:
    """`workers: 1` has been written into the file, and nobody has restarted; then a worker dies."""
    with fleet(tmp_path, workers=3) as several:
        several.provider.use(Script(output_tokens=280, ttft_s=0.01))
        [gateway] = several.gateways
        before = gateway.file.read_text()
        config: dict[str, Any] = json.loads(before)
        config["server"]["workers"] = 1
        gateway.write_config(config)
        os.kill(several.workers()[0], signal.SIGKILL)
        until("another", lambda: (started(gateway) == 4 or "cannot serve" in gateway.output(), gateway.output()))
        assert set(burst(several, 100)) == {200, 402}
        several.until_refused(KIND)
        assert several.spent() <= LIMIT_NANOUSD
        gateway.file.write_text(before)
        until("workers", lambda: (started(gateway) == 4, gateway.output()[-2_000:]))
        ledger_is_the_bill(several)
        several.until_refused(KIND)
        assert several.spent() <= LIMIT_NANOUSD


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
