"""Promise 7, restarts: what was spent is what the ledger says, before and after."""

import signal
from pathlib import Path

import pytest
from tests.promises.budgeted import Fleet, fleet, nanousd, until
from tests.promises.conftest import Figure

from bascule.testing.script import Script

pytestmark = pytest.mark.real

KIND = "thinking"


def agree(several: Fleet) -> int:
    """The counter and the ledger, once they say the same."""
    several.settled()
    paid = sum(row["cost_nanousd"] for row in several.rows(KIND))
    until("the counter is the ledger's sum", lambda: (counter(several) == paid, counter(several), paid))
    return paid


def counter(several: Fleet) -> int:
    return nanousd(several.budget(KIND)["settled_usd"])


def through_a_restart(several: Fleet, figure: Figure) -> None:
    several.provider.use(Script(output_tokens=80, ttft_s=0.01))
    [gateway] = several.gateways
    several.at_once(KIND, 20)
    for _ in range(5):
        gateway.signal(signal.SIGHUP)
    several.at_once(KIND, 20)
    several.spent()
    before = agree(several)
    assert before > 0
    assert gateway.stop() == 0, gateway.output()[-2_000:]
    gateway.start()
    assert agree(several) == before
    several.at_once(KIND, 10)
    several.spent()
    after = agree(several)
    figure("difference", after - sum(row["cost_nanousd"] for row in several.rows(KIND)), "nanousd")


@pytest.mark.promise(7, fault="restart in mid-window, 1 worker", limit="counter = ledger")
def test_one_worker(tmp_path: Path, figure: Figure) -> None:
    with fleet(tmp_path) as alone:
        through_a_restart(alone, figure)


@pytest.mark.promise(7, fault="SIGHUP and restart in mid-window, 3 workers", limit="counter = ledger")
def test_three_workers(tmp_path: Path, figure: Figure) -> None:
    with fleet(tmp_path, workers=3) as several:
        through_a_restart(several, figure)
