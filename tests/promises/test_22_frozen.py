"""Promise 22: PostgreSQL is frozen, neither dead nor alive, under traffic."""

import asyncio
import json
import time
from collections.abc import Sequence
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

RATE_PER_S = 40
ADDED_MS = 250.0
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


async def steadily(url: str, key: str, seconds: float, first: int) -> list[tuple[Seen, float]]:
    """Requests at an even pace, whether or not earlier ones are answered."""

    async def one(place: int, request: Planned) -> tuple[Seen, float]:
        await asyncio.sleep(place / RATE_PER_S)
        return await timed(url, key, request)

    planned = storm(SOUND, round(seconds * RATE_PER_S), first=first)
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


def known(gateway: GatewayProcess, key: str) -> None:
    """The gateway has seen a key that a command made."""
    deadline_s = time.monotonic() + 10
    while gateway.get("/v1/models", key)[0] != 200:
        assert time.monotonic() < deadline_s, gateway.output()
        time.sleep(0.1)


@pytest.mark.promise(
    22, fault="PostgreSQL gets SIGSTOP for 60 s under traffic", limit="p99 +< 250 ms, all 200, no 401, recovers"
)
def test_a_frozen_database_hangs_nobody(
    tmp_path: Path, postgres: "Postgres", postgres_url: str, full: bool, figure: Figure
) -> None:
    calm_s, frozen_s = (10.0, 60.0) if full else (1.5, 6.0)
    with replicated(tmp_path, postgres_url, 1, budgets=BUDGETS, leases=BRIDGED) as ((gateway,), upstream):
        upstream.use(Script(text="a bridge", ttft_s=0.02))
        made = gateway.run("keys", "create", "ci", "--team", "platform", "--json")
        key = key_of(made)
        known(gateway, key)
        calm = asyncio.run(steadily(gateway.url, key, calm_s, 0))
        postgres.freeze()
        try:
            frozen = asyncio.run(steadily(gateway.url, key, frozen_s, 10_000))
            assert gateway.get("/healthz")[0] == 200
            assert gateway.get("/readyz")[0] == 200
            (nobodys,) = storm(SOUND, 1, first=90_000)
            stranger = asyncio.run(timed(gateway.url, "bsk-of-another-replica", nobodys))[0]
            assert stranger.status == 503, "an outage is no reason to call a key unknown"
        finally:
            postgres.thaw()
        back_s = recovered(gateway)
        figure("added p99", p99(frozen) - p99(calm), "ms")
        figure("slowest", max(ms for _, ms in frozen), "ms")
        figure("recovered in", back_s, "s")
        assert {seen.status for seen, _ in (*calm, *frozen)} == {200}
        assert p99(frozen) - p99(calm) < ADDED_MS
        gateway.settled(ADMIN)
        rows = gateway.rows()
        gateway.verify()
        found = reconcile(rows, upstream.served, TARIFF)
        assert not found.findings, found.report()
        assert asyncio.run(timed(gateway.url, "bsk-of-nobody", nobodys))[0].status == 401
