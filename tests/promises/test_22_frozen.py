"""Promise 22: PostgreSQL is frozen, neither dead nor alive, under traffic."""

import asyncio
import json
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.promises.conftest import Figure
from tests.promises.replicated import ADMIN, replicated
from tests.promises.stormy import DRAINED, TARIFF

from bascule.testing.chaos.client import Seen, post
from bascule.testing.chaos.gateway import GatewayProcess
from bascule.testing.chaos.reconcile import reconcile
from bascule.testing.chaos.traffic import Planned, Storm, storm
from bascule.testing.script import Script

if TYPE_CHECKING:
    from tests.postgres import Postgres

pytestmark = pytest.mark.real

RATE_PER_S = 20
ADDED_MS = 250.0
HANG_MS = 1_000.0
"""Of the small run, whose machine has other work: what waits for a frozen database waits for 2 s."""
SOUND = Storm(seed=22, targets=DRAINED, groups=(), leave_share=0, stream_share=0.5, sound_first=0)
BACK_WITHIN_S = 20.0
BRIDGED = {"ahead_s": 90, "term_s": 90}
"""Enough is borrowed ahead of a strict budget for as long as the database is frozen."""
BUDGETS = [{"scope": "team:platform", "limit_usd": 100, "window": "day", "mode": "strict"}]


async def timed(url: str, key: str, request: Planned) -> tuple[Seen, float]:
    headers = {"authorization": f"Bearer {key}", "x-bascule-tag": f"n={request.number}"}
    started_s = time.perf_counter()
    seen = await post(url, request.path, request.body, headers, timeout_s=30)
    return seen, (time.perf_counter() - started_s) * 1_000


async def steadily(url: str, key: str, planned: Sequence[Planned]) -> list[tuple[Seen, float]]:
    """Requests at an even pace, whether or not earlier ones are answered."""

    async def one(place: int, request: Planned) -> tuple[Seen, float]:
        await asyncio.sleep(place / RATE_PER_S)
        return await timed(url, key, request)

    return await asyncio.gather(*(one(place, request) for place, request in enumerate(planned)))


def p99(answers: Sequence[tuple[Seen, float]]) -> float:
    return sorted(ms for _, ms in answers)[int(len(answers) * 0.99)]


def key_of(printed: str) -> str:
    return str(json.loads(printed)["secret"])


def recovered(gateway: GatewayProcess) -> float:
    """Seconds until the store has every line again."""
    started_s = time.monotonic()
    while gateway.metric("bascule_ledger_backlog_lines", ADMIN) or gateway.metric("bascule_store_down", ADMIN):
        assert time.monotonic() - started_s < BACK_WITHIN_S, gateway.output()
        time.sleep(0.05)
    return time.monotonic() - started_s


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lives(gateway: GatewayProcess) -> None:
    deadline_s = time.monotonic() + 30
    while True:
        try:
            assert gateway.get("/healthz")[0] == 200
            return
        except OSError:
            assert gateway.running, gateway.output()
            assert time.monotonic() < deadline_s, gateway.output()
            time.sleep(0.05)


def known(gateway: GatewayProcess, key: str) -> None:
    """The gateway has seen a key that a command made."""
    deadline_s = time.monotonic() + 30
    while True:
        with suppress(OSError):  # between waiting and serving nobody listens for a moment
            if gateway.get("/v1/models", key)[0] == 200:
                return
        assert time.monotonic() < deadline_s, gateway.output()
        time.sleep(0.1)


@pytest.mark.promise(22, fault="PostgreSQL is down or frozen at the start", limit="alive, not ready, 503, then serves")
@pytest.mark.parametrize("how", ["down", "frozen"])
def test_a_start_without_the_database_waits_for_it(
    tmp_path: Path, postgres: "Postgres", postgres_url: str, how: str, figure: Figure
) -> None:
    (request,) = storm(SOUND, 1)
    with replicated(tmp_path, postgres_url, 1) as ((gateway,), upstream):
        key = key_of(gateway.run("keys", "create", "ci", "--json"))
        assert gateway.stop() == 0
        (postgres.stop if how == "down" else postgres.freeze)()
        try:
            port = free_port()
            gateway.url = f"http://127.0.0.1:{port}"
            gateway.begin("--port", str(port))
            lives(gateway)
            assert gateway.get("/readyz")[0] == 503
            assert "PostgreSQL" in gateway.get("/readyz")[1]
            assert asyncio.run(timed(gateway.url, key, request))[0].status == 503
            assert gateway.get("/v1/models", "bsk-of-nobody")[0] == 503
        finally:
            (postgres.start if how == "down" else postgres.thaw)()
        began_s = time.monotonic()
        known(gateway, key)
        figure("served after", time.monotonic() - began_s, "s")
        assert asyncio.run(timed(gateway.url, key, request))[0].status == 200
        assert gateway.get("/readyz")[0] == 200
        assert len(upstream.served) == 1


@pytest.mark.promise(
    22, fault="PostgreSQL gets SIGSTOP for 60 s under traffic", limit="p99 +< 250 ms; 200, or 503 of a budget; recovers"
)
def test_a_frozen_database_hangs_nobody(
    tmp_path: Path, postgres: "Postgres", postgres_url: str, full: bool, figure: Figure
) -> None:
    calm_s, frozen_s = (5.0, 60.0) if full else (1.5, 6.0)
    before = storm(SOUND, round(2 * calm_s * RATE_PER_S))
    during = storm(SOUND, round(2 * frozen_s * RATE_PER_S), first=10_000)
    with replicated(tmp_path, postgres_url, 1, budgets=BUDGETS, leases=BRIDGED) as ((gateway,), upstream):
        upstream.use(Script(text="a bridge", ttft_s=0.02))
        free = key_of(gateway.run("keys", "create", "free", "--json"))
        paid = key_of(gateway.run("keys", "create", "paid", "--team", "platform", "--json"))
        known(gateway, paid)
        calm = asyncio.run(both(gateway.url, free, paid, before))
        postgres.freeze()
        try:
            frozen = asyncio.run(both(gateway.url, free, paid, during))
            assert gateway.get("/healthz")[0] == 200
            assert gateway.get("/readyz")[0] == 200
            (nobodys,) = storm(SOUND, 1, first=90_000)
            stranger = asyncio.run(timed(gateway.url, "bsk-of-another-replica", nobodys))[0]
            assert stranger.status == 503, "an outage is no reason to call a key unknown"
        finally:
            postgres.thaw()
        figure("recovered in", recovered(gateway), "s")
        asyncio.run(serves(gateway.url, paid))
        for name, usual, meanwhile in zip(("free", "budgeted"), calm, frozen, strict=True):
            figure(f"added p99, {name}", p99(meanwhile) - p99(usual), "ms")
        refused = sum(seen.status == 503 for seen, _ in frozen[1])
        lent = next((place for place, (seen, _) in enumerate(frozen[1]) if seen.status == 503), len(frozen[1]))
        figure("the budgeted served for", lent / RATE_PER_S, "s")
        figure("of the budgeted refused", f"{refused} of {len(frozen[1])}")
        assert {seen.status for seen, _ in (*calm[0], *calm[1], *frozen[0])} == {200}
        assert {seen.status for seen, _ in frozen[1]} <= {200, 503}, "within what was borrowed, then 503"
        assert lent >= 4 * RATE_PER_S, "what was borrowed is spent while the authority is silent"
        most_ms = ADDED_MS if full else HANG_MS
        for usual, meanwhile in zip(calm, frozen, strict=True):
            assert p99(meanwhile) - p99(usual) < most_ms
        gateway.settled(ADMIN)
        rows = gateway.rows()
        gateway.verify()
        found = reconcile(rows, upstream.served, TARIFF)
        assert not found.findings, found.report()
        assert asyncio.run(timed(gateway.url, "bsk-of-nobody", nobodys))[0].status == 401


async def both(
    url: str, free: str, paid: str, planned: Sequence[Planned]
) -> tuple[list[tuple[Seen, float]], list[tuple[Seen, float]]]:
    """Two keys at once, each with half of it, the second under a strict budget."""
    half = len(planned) // 2
    return await asyncio.gather(steadily(url, free, planned[:half]), steadily(url, paid, planned[half:]))


async def serves(url: str, key: str) -> None:
    """What a strict budget pays for is served again."""
    deadline_s = time.monotonic() + BACK_WITHIN_S
    (request,) = storm(SOUND, 1, first=95_000)
    while (await timed(url, key, request))[0].status != 200:
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.2)
