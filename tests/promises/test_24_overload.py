"""Promise 24: at ten times what can be served, most is refused at once and for nothing, and nobody starves another."""

import asyncio
import json
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.process import Gateway
from tests.promises.conftest import Figure
from tests.promises.peers import config_for, request, serving, upstream

from bascule.testing.chaos.client import Seen, raw

SLOTS = 40
MODEL = "words-4-100"
"""Two fifths of a second, so that 40 slots serve some 100 a second at the most, which slow clients exceed too."""
BOSS = "boss-of-this-test-9Jw4Rm-as-long-as-it-should-be"
ENV = {"GREEDY": "greedy-key-3Hd8Kz", "CALM": "calm-key-6Pw1Ys-x", "MILD": "mild-key-8Tw2Lq-x", "BOSS": BOSS}
RPM = 10_000


def config(up: Any) -> dict[str, Any]:
    rate = {"rpm": RPM}
    keys = {name: {"secret": f"env:{name.upper()}", "rate": rate} for name in ("greedy", "calm", "mild")}
    limits = {"max_in_flight": SLOTS, "max_connections_per_provider": 200}
    return config_for(up, MODEL, keys=keys, admin={"secret": "env:BOSS"}, server={"limits": limits}) | {
        "budgets": [{"scope": "key:*", "limit_usd": 1000, "window": "total", "mode": "strict"}],
    }


async def ask(gateway: Gateway, key: str, seen: list[tuple[Seen, float]]) -> None:
    began = time.monotonic()
    one = await raw(gateway.url, request(MODEL, key=key))
    seen.append((one, time.monotonic() - began))


async def load(
    gateway: Gateway, for_s: float
) -> tuple[list[tuple[Seen, float]], list[tuple[Seen, float]], list[tuple[int, str]]]:
    """One tenant with 400 clients that ask again at once, two with a few requests a second; health is asked for."""
    greedy: list[tuple[Seen, float]] = []
    others: list[tuple[Seen, float]] = []
    health: list[tuple[int, str]] = []
    until = time.monotonic() + for_s

    async def again(key: str, seen: list[tuple[Seen, float]], pause_s: float, after_s: float = 0) -> None:
        await asyncio.sleep(after_s)
        while time.monotonic() < until:
            await ask(gateway, key, seen)
            await asyncio.sleep(pause_s)

    async def look() -> None:
        while time.monotonic() < until:
            health.append(await asyncio.to_thread(gateway.get, "/healthz"))
            health.append(await asyncio.to_thread(gateway.get, "/metrics", BOSS))
            health.append(await asyncio.to_thread(gateway.get, "/bascule/api/budgets", BOSS))
            await asyncio.sleep(0.3)

    tenants = [again(ENV["GREEDY"], greedy, 0.9, 0.5) for _ in range(400)]
    tenants += [again(ENV[name], others, 0.1) for name in ("CALM", "MILD") for _ in range(2)]
    await asyncio.gather(look(), *tenants)
    return greedy, others, health


@pytest.mark.promise(24, fault="one tenant at ten times the slots", limit="others >= 95 %; 503 < 20 ms, unbilled")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # half-made connections
def test_a_greedy_tenant_starves_nobody(tmp_path: Path, figure: Figure, full: bool) -> None:
    with upstream() as up, serving(tmp_path / "gw", config(up), ENV) as gateway:
        greedy, others, health = asyncio.run(load(gateway, 20 if full else 4))
        gateway.settled(BOSS)
        served = [one for one, _ in greedy if one.status == 200]
        shed = [(one, took_s) for one, took_s in [*greedy, *others] if one.status == 503]
        odd = [one for one, _ in [*greedy, *others] if one.status not in (200, 503)]
        assert not odd, odd[:3]
        assert len(shed) > len(served), "this is no overload"
        share = sum(one.status == 200 for one, _ in others) / len(others)
        figure("others_served", 100 * share, "%")
        figure("greedy_shed", 100 * len([one for one, _ in greedy if one.status == 503]) / len(greedy), "%")
        figure("503_within", 1000 * statistics.median(took_s for _, took_s in shed), "ms (median)")
        assert share >= 0.95, [one.body for one, _ in others if one.status != 200][:3]
        for one, _ in shed:
            assert one.headers["retry-after"] == "1"
            assert json.loads(one.body)["error"]["code"] == "overloaded"
        assert {status for status, _ in health} == {200}
        rows = gateway.rows()
        assert len(rows) == len(greedy) + len(others) - len(shed) == up.served  # unbilled
        assert gateway.metric("bascule_in_flight", BOSS) == 0


@pytest.mark.promise(24, fault="refused requests of a key with a rate", limit="not counted in its rpm")
def test_what_was_shed_has_used_no_rate(tmp_path: Path, figure: Figure) -> None:
    with upstream() as up:
        made = config(up)
        made["keys"]["greedy"]["rate"] = {"rpm": 60}
        made["server"]["limits"]["max_in_flight"] = 2
        with serving(tmp_path / "gw", made, ENV) as gateway:

            async def many() -> list[tuple[Seen, float]]:
                seen: list[tuple[Seen, float]] = []
                await asyncio.gather(*[ask(gateway, ENV["GREEDY"], seen) for _ in range(150)])
                for _ in range(20):
                    await ask(gateway, ENV["GREEDY"], seen)
                return seen

            seen = asyncio.run(many())
            statuses = [one.status for one, _ in seen]
            figure("shed", statuses.count(503))
            figure("limited", statuses.count(429))
            assert statuses.count(503) > 60  # more than a minute's worth
            assert statuses.count(429) == 0
            assert statuses[-20:] == [200] * 20
