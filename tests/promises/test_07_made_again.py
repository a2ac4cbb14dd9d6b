"""Promise 7, several workers: what a reload takes away and gives back is lent once, and a worker that is started again
counts with the others."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.process import Gateway
from tests.promises.budgeted import ASKS, Fleet, fleet, nanousd, until
from tests.promises.conftest import Figure
from tests.unit.storage.lending.test_lender import BUDGET, Worker

from bascule.model.budget import Hold
from bascule.storage.sqlite.leases import SqliteLeases
from bascule.testing.clock import FakeClock
from bascule.testing.script import Script

KIND = "capped"
LIMIT_NANOUSD = ASKS[KIND].limit_nanousd
OPEN, MORE = 100, 800


@pytest.mark.promise(
    7, fault="a budget taken away and made again over open requests, 2 workers", limit="lent once: overspend 0"
)
def test_a_budget_that_is_made_again_over_an_open_request_is_lent_once(tmp_path: Path, figure: Figure) -> None:
    async def test() -> int:
        leases, clock = SqliteLeases(tmp_path), FakeClock()
        first, second = [Worker(tmp_path, leases, clock, name) for name in ("first", "second")]
        first.start()
        second.start()
        assert isinstance(await first.hold("open", OPEN), Hold)
        for budgets in ((), (BUDGET,)):
            first.authority.configure(budgets)
            await asyncio.sleep(0.1)  # rounds, in which the worker says what it counts
        assert isinstance(await first.hold("more", MORE), Hold)
        await asyncio.sleep(0.1)
        held = OPEN + MORE
        for number in range(40):
            if isinstance(await second.hold(f"of the other {number}", 50), Hold):
                held += 50
        await first.lender.stop()
        await second.lender.stop()
        leases.shut()
        return held

    held = asyncio.run(asyncio.wait_for(test(), 60))
    figure("overspend", max(0, held - BUDGET.limit_nanousd), "nanousd")
    assert held == BUDGET.limit_nanousd


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


@pytest.mark.real
@pytest.mark.promise(7, fault="a worker dies after `workers: 1` came into the file", limit="overspend 0")
def test_a_worker_that_is_started_again_shares_the_budgets_of_the_others(tmp_path: Path, figure: Figure) -> None:
    """Nobody has restarted the gateway, so the file is not what it serves."""
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
        figure("overspend", max(0, several.spent() - LIMIT_NANOUSD), "nanousd")
        assert several.spent() <= LIMIT_NANOUSD
        gateway.file.write_text(before)
        until("workers", lambda: (started(gateway) == 4, gateway.output()[-2_000:]))
        ledger_is_the_bill(several)
        several.until_refused(KIND)
        assert several.spent() <= LIMIT_NANOUSD
