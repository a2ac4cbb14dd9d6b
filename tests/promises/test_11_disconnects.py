"""Promise 11: half of the clients hang up, before the first byte or in the middle, and the provider bills on."""

import asyncio
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs
from tests.promises.conftest import Figure
from tests.promises.stormy import CANCELLED, DRAINED, TARIFF, stormy

from bascule.testing.chaos.attempts import TOLERANCE
from bascule.testing.chaos.bills import billed_nanousd
from bascule.testing.chaos.client import Leave
from bascule.testing.chaos.gateway import GatewayProcess
from bascule.testing.chaos.reconcile import marked, reconcile
from bascule.testing.chaos.surfaces import visible_tokens
from bascule.testing.chaos.traffic import Planned, Provided, Storm, Target, drive, storm
from bascule.testing.script import Bill

pytestmark = pytest.mark.real

SEED = 20261121
SOUND = 40
KEY = "bk-leaving-4Fd8Ws2Jq"
LIMIT_USD = 5


def leaving(targets: tuple[Target, ...], count: int, bill: Bill, *, early: bool = True) -> list[Planned]:
    """After some ordinary requests every other client leaves: half of those before the first byte, or none.

    No hidden reasoning in what is left: it has no bytes, and what nobody can see nobody can estimate. A strict budget's
    hold covers it."""
    made_of = Storm(seed=SEED, targets=targets, groups=(), leave_share=0, stream_share=0.8, bill=bill, sound_first=0)
    dice = random.Random(SEED)

    def left(one: Planned) -> Planned:
        script = structs.replace(one.scripts[0], reasoning_tokens=0)
        if one.number < SOUND or one.number % 2:
            return replace(one, scripts=(script,))
        if early and one.number % 4 == 0:
            leave = Leave(after_s=dice.uniform(0.01, 0.1), reset=dice.random() < 0.5)
            return replace(one, leave=leave, scripts=(structs.replace(script, ttft_s=0.3),))
        leave = Leave(after_bytes=dice.randint(400, 3000), reset=dice.random() < 0.5)
        return replace(one, leave=leave, scripts=(structs.replace(script, gap_s=0.01),))

    return [left(one) for one in storm(made_of, count)]


def nanousd(text: str) -> int:
    return int(text.replace(".", ""))


@pytest.mark.promise(11, fault="half of the clients leave streams that are drained; billed in full", limit="exact")
def test_a_drained_stream_is_recorded_to_the_token(tmp_path: Path, full: bool, figure: Figure) -> None:
    traffic = leaving(DRAINED, 600 if full else 160, "full")
    with stormy(tmp_path) as (gateway, upstream):
        upstream.use(Provided(traffic))
        gateway.start()
        seen = asyncio.run(drive(gateway.url, traffic, over_s=len(traffic) / 100))
        upstream.quiet()
        gateway.settled()
        rows = gateway.rows()
        found = reconcile(rows, upstream.served, TARIFF)
        billed = {marked(one): one for one in upstream.served}
        wrong = [
            row
            for row in rows
            if row["cost_nanousd"]
            != billed_nanousd(TARIFF, row, billed[row["tags"]["n"]].dialect, billed[row["tags"]["n"]].usage)
        ]
        figure("left", sum(one.left for one in seen))
        figure("not exact", len(wrong))
        assert sum(one.left for one in seen) >= 0.4 * (len(traffic) - SOUND)
        assert not found.findings, found.report()
        assert not wrong
        assert dict(found.sources) == {"reported": len(rows)}


@pytest.mark.promise(
    11, fault="half of the clients leave streams that are cut off", limit="error <= 15 %, never below what was seen"
)
def test_a_cancelled_stream_is_estimated_near_what_was_generated(tmp_path: Path, full: bool, figure: Figure) -> None:
    traffic = leaving(CANCELLED, 600 if full else 160, "generated")
    with stormy(tmp_path) as (gateway, upstream):
        upstream.use(Provided(traffic))
        gateway.start()
        # Spread out: what is on its way while we are busy is not our estimate's error.
        seen = asyncio.run(drive(gateway.url, traffic, over_s=len(traffic) / 60))
        upstream.quiet()
        gateway.settled()
        rows = gateway.rows()
        found = reconcile(rows, upstream.served, TARIFF)
        worst = max(abs(ratio - 1) for ratio in found.ratios)
        figure("estimated", len(found.ratios))
        figure("worst error", f"{worst:.1%}")
        figure("below seen", below_seen(traffic, seen, rows))
        assert not found.findings, found.report()
        assert sum(row["error_class"] == "client_gone" for row in rows) >= 0.2 * (len(traffic) - SOUND)
        assert worst <= TOLERANCE
        assert below_seen(traffic, seen, rows) == 0
        assert all(row["usage_source"] == "estimated" for row in rows if row["error_class"] == "client_gone")


def below_seen(traffic, seen, rows) -> int:
    """Rows with fewer tokens than reached their client."""
    by_number = {row["tags"]["n"]: row for row in rows}
    return sum(
        (by_number[str(one.number)]["tokens_out"] or 0) + (by_number[str(one.number)]["tokens_reasoning"] or 0)
        < visible_tokens(answer)
        for one, answer in zip(traffic, seen, strict=True)
        if one.stream and by_number[str(one.number)]["tokens_out"] is not None
    )


@pytest.mark.promise(
    11, fault="cut-off streams that are billed in full all the same, on a strict budget", limit="counter >= bill"
)
def test_a_strict_budget_is_charged_what_a_cancelled_stream_may_have_cost(
    tmp_path: Path, full: bool, figure: Figure
) -> None:
    # Before the first byte nothing is known, and the whole hold is charged: that would hide what is looked for here.
    traffic = leaving(CANCELLED, 300 if full else 100, "full", early=False)
    keys = {"leaving": {"secret": "env:LEAVING"}}
    budgets = [{"scope": "key:leaving", "limit_usd": LIMIT_USD, "window": "day", "mode": "strict"}]
    with stormy(tmp_path, keys=keys, budgets=budgets) as (gateway, upstream):
        gateway.env["LEAVING"] = KEY
        upstream.use(Provided(traffic))
        gateway.start()
        asyncio.run(drive(gateway.url, traffic, key=KEY, over_s=len(traffic) / 60))
        upstream.quiet()
        settled = charged(gateway)
        rows = {row["tags"]["n"]: row for row in gateway.rows()}
        bill = sum(billed_nanousd(TARIFF, rows[marked(one)], one.dialect, one.usage) for one in upstream.served)
        figure("billed over charged", f"{bill / settled:.3f}")
        assert sum(row["error_class"] == "client_gone" for row in rows.values()) >= 0.2 * (len(traffic) - SOUND)
        assert bill <= settled <= LIMIT_USD * 1_000_000_000


def charged(gateway: GatewayProcess) -> int:
    """What the budget counts once nothing is held any more, in nano-USD."""
    while True:
        (budget,) = json.loads(gateway.run("budgets", "show", "--json"))
        if not nanousd(budget["held_usd"]):
            return nanousd(budget["settled_usd"])
