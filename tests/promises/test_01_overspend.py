"""Promise 1: hundreds of requests at one small strict budget, and what the provider counted stays under it."""

from pathlib import Path

import pytest
from tests.promises.budgeted import ASKS, Fleet, fleet
from tests.promises.conftest import Figure

from bascule.testing.script import Script

pytestmark = pytest.mark.real

SMALL = ("capped", "uncapped-streamed", "three-choices", "thinking")


def overspend(several: Fleet, kinds: tuple[str, ...], at_once: int, figure: Figure) -> None:
    worst = served = 0
    for kind in kinds:
        several.provider.use(Script(output_tokens=80, ttft_s=0.1, gap_s=0.0005, cached_tokens=5))
        seen = several.at_once(kind, at_once)
        assert {one.status for one in seen if not one.left} <= {200, 402, 503}
        spent = several.spent()
        served += sum(one.status == 200 for one in seen)
        worst = max(worst, spent - ASKS[kind].limit_nanousd)
        assert spent <= ASKS[kind].limit_nanousd, f"{kind}: overspent"
        assert any(one.status == 200 for one in seen), f"{kind}: nothing was served"
        assert any(one.status in (402, 503) for one in seen), f"{kind}: nothing was refused"
    several.settled()
    for kind in kinds:
        paid = sum(row["cost_nanousd"] for row in several.rows(kind))
        assert paid <= ASKS[kind].limit_nanousd, f"{kind}: the ledger says more than the limit"
    figure("overspend", max(0, worst), "nanousd")
    figure("served", served)


@pytest.mark.promise(1, fault="300 at once at one small budget, 1 worker", limit="overspend 0")
def test_one_worker(tmp_path: Path, full: bool, figure: Figure) -> None:
    with fleet(tmp_path) as alone:
        overspend(alone, tuple(ASKS) if full else SMALL[:1], 300 if full else 200, figure)


@pytest.mark.promise(1, fault="300 at once at one small budget, 3 workers", limit="overspend 0")
def test_three_workers(tmp_path: Path, full: bool, figure: Figure) -> None:
    with fleet(tmp_path, workers=3) as several:
        overspend(several, tuple(ASKS) if full else SMALL, 300 if full else 200, figure)


@pytest.mark.promise(1, fault="300 at once at one small budget, 3 replicas on PostgreSQL", limit="overspend 0")
def test_three_replicas(tmp_path: Path, postgres_url: str, full: bool, figure: Figure) -> None:
    with fleet(tmp_path, replicas=3, database=postgres_url) as several:
        overspend(several, tuple(ASKS) if full else SMALL[:2], 300 if full else 200, figure)
