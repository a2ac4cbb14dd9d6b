"""Promise 4: whatever happens to a request or to its worker, its hold ends, and it ends once."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.acceptance.wire import Leave
from tests.promises.budgeted import PATIENCE_S, Fleet, fleet, nanousd, until
from tests.promises.conftest import Figure
from tests.schedules.random_schedules import run

from bascule.testing.script import Script

pytestmark = pytest.mark.real

KIND = "capped-streamed"
OPEN = 12


async def leave_open(several: Fleet, victim_of: Callable[[], int]) -> int:
    """As many streams as the budget lets through, some of whose clients leave; then one process is killed: which."""
    leaving = [Leave(after_s=0.4) if number % 4 == 3 else None for number in range(OPEN)]
    streams = [asyncio.create_task(several.send(KIND, leave)) for leave in leaving]
    async with asyncio.timeout(PATIENCE_S):
        while several.provider.upstream.in_flight + sum(stream.done() for stream in streams) < OPEN:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)  # the clients that leave have left
    victim = victim_of()
    os.kill(victim, signal.SIGKILL)
    await asyncio.gather(*streams)
    return victim


def busiest(pids: list[int]) -> int:
    """The one with most connections: another may have got none of the streams."""
    return max(pids, key=lambda pid: len(psutil.Process(pid).net_connections()))


def charged(several: Fleet) -> int:
    rows = several.rows(KIND)
    assert all(row["kind"] != "intent" for row in rows), "an attempt is still open"
    return sum(max(row["cost_nanousd"] or 0, 0) for row in rows)


@pytest.mark.promise(4, fault="SIGKILL of one of 3 workers with open streams", limit="open 0, counters = ledger")
def test_a_killed_workers_holds_end_at_once(tmp_path: Path, figure: Figure) -> None:
    with fleet(tmp_path, workers=3, leases={"term_s": 600}) as several:
        several.provider.use(Script(output_tokens=80, gap_s=0.02))
        victim = asyncio.run(leave_open(several, lambda: busiest(several.workers())))
        billed = several.spent()
        until("workers", lambda: (len(several.workers()) == 3 and victim not in several.workers(), several.workers()))
        until("open holds", lambda: (nanousd(several.budget(KIND)["held_usd"]) == 0, several.budget(KIND)))
        several.settled()
        recovered = [row for row in several.rows(KIND) if row["recovered"]]
        until(
            "the counter is the ledger's sum",
            lambda: (nanousd(several.budget(KIND)["settled_usd"]) == charged(several) >= billed, several.budget(KIND)),
        )
        figure("recovered", len(recovered))
        figure("open", several.budget(KIND)["held_usd"], "USD")
        several.provider.upstream.use(Script(output_tokens=80))
        several.until_refused(KIND)
        assert several.spent() <= 20_000_000


@pytest.mark.promise(4, fault="SIGKILL of one of 2 replicas that never returns", limit="open 0 after its term")
def test_a_lost_replicas_holds_end_with_its_term(tmp_path: Path, postgres_url: str, figure: Figure) -> None:
    with fleet(tmp_path, replicas=2, database=postgres_url, leases={"term_s": 1.5}) as several:
        several.provider.use(Script(output_tokens=80, gap_s=0.02))
        victim = asyncio.run(leave_open(several, lambda: busiest([gateway.pid for gateway in several.gateways])))
        [place] = [place for place, gateway in enumerate(several.gateways) if gateway.pid != victim]
        stays = several.gateways[place]
        several.gateways[1 - place].wait()
        billed = several.spent()
        until(
            "open holds", lambda: (nanousd(several.budget(KIND, place)["held_usd"]) == 0, several.budget(KIND, place))
        )
        found = several.budget(KIND, place)
        figure("open", found["held_usd"], "USD")
        assert nanousd(found["settled_usd"]) >= billed
        stays.settled("bk-admin-of-budgets-9Kf2Lm7Zx")


@pytest.mark.promise(4, fault="random schedules with deaths and lost answers", limit="refunded once")
def test_no_hold_is_refunded_twice(full: bool, figure: Figure) -> None:
    schedules = 200_000 if full else 5_000
    run(seed=4, schedules=schedules)
    figure("schedules", schedules)
