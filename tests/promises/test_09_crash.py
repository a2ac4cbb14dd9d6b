"""Promise 9: a gateway is killed in the middle of everything, or asked to stop, and starts again."""

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.promises.conftest import Figure
from tests.promises.replicated import ADMIN, replicated
from tests.promises.stormy import DRAINED, SHORT, TARGETS, TARIFF, stormy

from bascule.testing.chaos.client import Seen
from bascule.testing.chaos.driving import WhileDriving
from bascule.testing.chaos.findings import Reconciliation
from bascule.testing.chaos.gateway import GatewayProcess
from bascule.testing.chaos.reconcile import reconcile
from bascule.testing.chaos.surfaces import looks_complete, tells_an_error
from bascule.testing.chaos.traffic import Planned, Provided, Storm, drive, storm
from bascule.testing.script import Script

pytestmark = pytest.mark.real

SEED = 20261121
SOUND = 40
BEFORE, AFTER = 140, 40
OVER_S = 1.2
KILLED_AT_S = 0.4 * OVER_S
"""At 40 % of the requests."""


def crash(folder: Path, seed: int) -> Reconciliation:
    """Mixed faults, kill -9 in the middle of them, a new start, mixed faults, and what the ledger has of it all."""
    made_of = Storm(seed=seed, targets=TARGETS, sound_first=SOUND)
    before, after = storm(made_of, SOUND + BEFORE), storm(made_of, AFTER, first=1_000)
    with stormy(folder, SHORT) as (gateway, upstream):
        upstream.use(Provided(before + after))
        gateway.start()
        asyncio.run(drive(gateway.url, before[:SOUND]))
        if seed % 3 == 1:  # a crash soon after an orderly stop, in the same budget window
            assert gateway.stop() == 0
            gateway.start()
        with WhileDriving(lambda: drive(gateway.url, before[SOUND:], over_s=OVER_S)):
            if seed % 3 == 2:  # a crash among reloads
                reload_for(gateway, KILLED_AT_S)
            else:
                time.sleep(KILLED_AT_S)
            gateway.kill()
        gateway.start()
        asyncio.run(drive(gateway.url, after))
        upstream.quiet()
        gateway.settled()
        rows = gateway.rows()
        gateway.verify()
        return reconcile(rows, upstream.served, TARIFF, crashed=True)


def reload_for(gateway: GatewayProcess, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        gateway.signal(signal.SIGHUP)
        time.sleep(0.1)


@pytest.mark.promise(
    9, fault="kill -9 at 40 % of mixed faults, then a new start", limit="missing 0, extra 0, recovered flagged"
)
def test_a_crash_loses_and_doubles_nothing(tmp_path: Path, full: bool, figure: Figure) -> None:
    seeds = 20 if full else 2
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(lambda seed: crash(tmp_path / f"seed{seed}", SEED + seed), range(seeds)))
    figure("seeds", seeds)
    figure("attempts", sum(one.rows for one in found))
    figure("missing", sum(one.count("missing") for one in found))
    figure("extra", sum(one.count("extra") for one in found))
    figure("recovered", sum(one.recovered for one in found))
    for seed, one in enumerate(found):
        assert not one.findings, f"seed {SEED + seed}: {one.report()}"
    assert all(one.recovered for one in found), [one.recovered for one in found]


def of_several(seed: int, full: bool) -> tuple[list[Planned], list[Planned]]:
    """Traffic before and after: more ordinary requests first, since each process learns by itself what tokens are."""
    made_of = Storm(seed=seed, targets=TARGETS, sound_first=3 * SOUND)
    count = BEFORE if full else BEFORE // 2
    return storm(made_of, 3 * SOUND + count), storm(made_of, AFTER // 2, first=1_000)


def told(found: list[Reconciliation], figure: Figure) -> None:
    figure("seeds", len(found))
    figure("attempts", sum(one.rows for one in found))
    figure("missing", sum(one.count("missing") for one in found))
    figure("extra", sum(one.count("extra") for one in found))
    figure("recovered", sum(one.recovered for one in found))
    for one in found:
        assert not one.findings, one.report()
        assert one.recovered


def crash_of_workers(folder: Path, seed: int, full: bool) -> Reconciliation:
    """Even seeds lose one of three workers, odd ones all of them."""
    before, after = of_several(SEED + 100 + seed, full)
    with stormy(folder, SHORT, server={"workers": 3}) as (gateway, upstream):
        upstream.use(Provided(before + after))
        gateway.start()
        asyncio.run(drive(gateway.url, before[: 3 * SOUND]))
        with WhileDriving(lambda: drive(gateway.url, before[3 * SOUND :], over_s=OVER_S)):
            time.sleep(KILLED_AT_S)
            if seed % 2:
                gateway.kill()
            else:
                os.kill(gateway.workers()[0], signal.SIGKILL)
        if not gateway.running:
            gateway.start()
        asyncio.run(drive(gateway.url, after))
        upstream.quiet()
        gateway.settled()
        rows = gateway.rows()
        gateway.verify()
        return reconcile(rows, upstream.served, TARIFF, crashed=True)


@pytest.mark.promise(9, fault="kill -9 of one of 3 workers, or of all", limit="missing 0, extra 0, recovered flagged")
def test_a_crash_of_workers_loses_and_doubles_nothing(tmp_path: Path, full: bool, figure: Figure) -> None:
    told([crash_of_workers(tmp_path / f"seed{seed}", seed, full) for seed in range(6 if full else 1)], figure)


@pytest.mark.promise(
    9, fault="kill -9 of one of 3 replicas on PostgreSQL", limit="missing 0, extra 0, recovered flagged"
)
def test_a_crash_of_a_replica_loses_and_doubles_nothing(
    tmp_path: Path, postgres_url: str, full: bool, figure: Figure
) -> None:
    before, after = of_several(SEED + 200, full)
    with replicated(tmp_path, postgres_url, 3 if full else 2) as (gateways, upstream):
        upstream.use(Provided(before + after))
        urls = [gateway.url for gateway in gateways]
        asyncio.run(drive(urls, before[: 3 * SOUND]))
        with WhileDriving(lambda: drive(urls, before[3 * SOUND :], over_s=OVER_S)):
            time.sleep(KILLED_AT_S)
            gateways[-1].kill()
        gateways[-1].start()
        asyncio.run(drive([gateway.url for gateway in gateways], after))
        upstream.quiet()
        for gateway in gateways:
            gateway.settled(ADMIN)
        found = reconcile(gateways[0].rows(), upstream.served, TARIFF, crashed=True)
        gateways[0].verify()
    told([found], figure)


@pytest.mark.promise(9, fault="SIGTERM with 50 open streams", limit="each is finished and reported")
def test_a_stop_finishes_what_is_open(tmp_path: Path, full: bool, figure: Figure) -> None:
    made_of = Storm(seed=SEED, targets=DRAINED, groups=(), leave_share=0, stream_share=1, sound_first=0)
    traffic = storm(made_of, 50)
    text = " ".join(["bridge"] * 100)
    with stormy(tmp_path) as (gateway, upstream):
        upstream.use(Script(text=text, gap_s=0.05 if full else 0.015))
        gateway.start()
        with WhileDriving(lambda: drive(gateway.url, traffic, over_s=0.1)) as driving:
            deadline = time.monotonic() + 20
            while upstream.upstream.in_flight < len(traffic):
                assert time.monotonic() < deadline, f"{upstream.upstream.in_flight} streams are open"
                time.sleep(0.01)
            gateway.signal(signal.SIGTERM)
            status = gateway.wait(60)
        rows = gateway.rows()
        found = reconcile(rows, upstream.served, TARIFF)
        figure("streams finished", sum(finished(traffic, driving.seen)))
        figure("missing", found.count("missing"))
        assert status == 0, gateway.output()
        assert not found.findings, found.report()
        assert all(finished(traffic, driving.seen))
        assert [row["usage_source"] for row in rows] == ["reported"] * 50
        gateway.verify()


def finished(traffic: list[Planned], seen: list[Seen]) -> list[bool]:
    return [
        looks_complete(one.surface, answer) and not tells_an_error(answer)
        for one, answer in zip(traffic, seen, strict=True)
    ]
