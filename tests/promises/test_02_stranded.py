"""Promise 2: when all has settled, the same request is sent until it is refused, and hardly any money is left over."""

import re
from pathlib import Path

import pytest
from tests.acceptance.wire import Seen
from tests.promises.budgeted import ASKS, Fleet, fleet
from tests.promises.conftest import Figure

from bascule.testing.script import Script

pytestmark = pytest.mark.real

SMALL = ("capped", "agent")


def figures(refused: Seen) -> tuple[int, int]:
    """What was needed and what was left, as the 402 says."""
    found = re.findall(r"\$(\d+\.\d{9})", refused.json()["error"]["message"])
    needed, left = (round(float(text) * 1e9) for text in found[:2])
    return needed, left


def stranded(several: Fleet, kinds: tuple[str, ...], at_once: int, figure: Figure) -> None:
    worst = 0.0
    for kind in kinds:
        limit = ASKS[kind].limit_nanousd
        tokens = 5_000 if kind == "agent" else 80
        several.provider.use(Script(output_tokens=tokens, ttft_s=0.02))
        several.at_once(kind, at_once)
        several.spent()
        several.settled()
        refused = several.until_refused(kind)
        assert refused.status == 402, refused.body
        needed, left = figures(refused)
        remains = limit - several.spent()
        assert 0 <= remains <= max(needed, limit // 10), f"{kind}: {remains / limit:.1%} stranded"
        assert needed > left == remains, f"{kind}: the 402 says {left} is left, and {remains} is"
        worst = max(worst, min(remains / limit, remains / needed))
    figure("stranded", worst, "holds")


@pytest.mark.promise(2, fault="tail of one small budget, 3 workers", limit="<= max(1 hold, 10 %)")
def test_three_workers(tmp_path: Path, full: bool, figure: Figure) -> None:
    with fleet(tmp_path, workers=3) as several:
        stranded(several, tuple(ASKS) if full else SMALL, 300 if full else 60, figure)


@pytest.mark.promise(2, fault="tail of one small budget, 3 replicas on PostgreSQL", limit="<= max(1 hold, 10 %)")
def test_three_replicas(tmp_path: Path, postgres_url: str, full: bool, figure: Figure) -> None:
    with fleet(tmp_path, replicas=3, database=postgres_url) as several:
        stranded(several, SMALL if full else SMALL[:1], 300 if full else 60, figure)
