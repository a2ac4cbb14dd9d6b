"""Promise 7, reloads: SIGHUP under load drops no request, cuts no stream and changes nothing of what was spent."""

import asyncio
import json
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.promises.conftest import Figure
from tests.promises.peers import config_for, request, serving, upstream

from bascule.testing.chaos.client import Seen, raw

MODEL = "words-20-20"


@pytest.mark.promise(
    7, fault="50 SIGHUPs under load, every fifth with a broken file", limit="counters = ledger; 0 dropped"
)
def test_reloads_under_load(tmp_path: Path, figure: Figure, full: bool) -> None:
    clients = 60 if full else 12
    key, boss = "loaded-key-3Hd8Kz", "boss-of-this-test-9Jw4Rm-as-long-as-it-should-be"
    with upstream() as up:
        config: dict[str, Any] = config_for(
            up,
            MODEL,
            keys={"loaded": {"secret": "env:LOADED"}},
            admin={"secret": "env:BOSS"},
            budgets=[{"scope": "key:loaded", "limit_usd": 100, "window": "month", "mode": "strict"}],
        )
        with serving(tmp_path / "gw", config, {"LOADED": key, "BOSS": boss}) as gateway:
            sound = gateway.file.read_text(encoding="utf-8")
            is_over = asyncio.Event()

            async def client(seen: list[Seen]) -> None:
                while not is_over.is_set():
                    seen.append(await raw(gateway.url, request(MODEL, key=key)))

            async def reload_often() -> None:
                for number in range(50):
                    broken = number % 5 == 4
                    gateway.file.write_text("models: [" if broken else sound, encoding="utf-8")
                    gateway.signal(signal.SIGHUP)
                    await asyncio.sleep(0.08)
                gateway.file.write_text(sound, encoding="utf-8")
                is_over.set()

            async def both() -> list[Seen]:
                seen: list[Seen] = []
                await asyncio.gather(reload_often(), *[client(seen) for _ in range(clients)])
                return seen

            seen = asyncio.run(both())
            gateway.settled(boss)
            dropped = [one for one in seen if one.status != 200]
            figure("requests", len(seen))
            figure("dropped", len(dropped))
            assert not dropped, dropped[:2]
            streams = [one for one in seen if one.headers["content-type"].startswith("text/event-stream")]
            assert streams
            assert all(one.body.endswith(b"data: [DONE]\n\n") for one in streams)
            rows = gateway.rows()
            assert len(rows) == len(seen) == up.served
            (budget,) = json.loads(gateway.run("budgets", "show", "--json"))
            spent = sum(row["cost_nanousd"] for row in rows)
            counted = int(Decimal(budget["settled_usd"]) * 10**9)
            figure("counters_minus_ledger", counted - spent, "nanousd")
            assert counted == spent > 0
            assert Decimal(budget["held_usd"]) == 0
            page = gateway.get("/metrics", boss)[1]
            refused = [line for line in page.splitlines() if line.startswith('bascule_reloads_total{result="refused"}')]
            assert float(refused[0].split()[1]) >= 5, page
