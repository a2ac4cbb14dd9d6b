"""The ledger against what the provider counted, under faults, leaving clients, and a crash."""

import asyncio
import random
import time
from dataclasses import replace

import pytest
from tests.acceptance.configuration import ANTHROPIC_PRICE, OPENAI_PRICE, model, providers
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.reconcile import TOLERANCE, Reconciliation, Row, reconcile
from tests.acceptance.traffic import (
    Driving,
    Planned,
    Provided,
    drive,
    looks_complete,
    plan,
    tells_an_error,
    visible_tokens,
)
from tests.acceptance.wire import Leave, Seen

pytestmark = pytest.mark.real

SEED = 20261121
REQUESTS = 500
CUT = ("oai-cut", "ant-cut")
SOUND_FIRST = 100
"""Ordinary traffic before a storm: estimates rest on what the models have reported since the start, see
`decide.calibration`; before that on a ratio assumed for all models, which need not be within 15 % of this one's."""


def storm(first: int, count: int) -> list[Planned]:
    """The first `SOUND_FIRST` are sound."""
    dice = random.Random(SEED + first)
    return [plan(first + place, dice, sound=place < SOUND_FIRST) for place in range(count)]


def assert_near(found: Reconciliation) -> None:
    """Of estimates hardly any is far below its bill: only of calls that we cut off while the provider was ahead."""
    assert sum(ratio < 1 - TOLERANCE for ratio in found.ratios) <= 0.05 * len(found.ratios), found.report()


def assert_honest(planned: list[Planned], seen: list[Seen], rows: list[Row]) -> None:
    """Whoever waited got either a whole answer, which its last row confirms, or was told of an error."""
    last = {row["tags"]["n"]: row for row in sorted(rows, key=lambda row: row["attempt_no"])}
    for one, answer in zip(planned, seen, strict=True):
        if not answer.left:
            whole = looks_complete(answer)
            assert whole != tells_an_error(answer), (one, answer)
            assert whole == (last[str(one.number)]["error_class"] is None), (one, answer, last[str(one.number)])


def unleash(gateway: Gateway, planned: list[Planned]) -> list[Seen]:
    """The sound ones, then all others at once."""
    first = asyncio.run(drive(gateway.url, planned[:SOUND_FIRST]))
    return first + asyncio.run(drive(gateway.url, planned[SOUND_FIRST:]))


@pytest.fixture
def gateway(make_gateway: MakeGateway, provider: Provider) -> Gateway:
    """Providers that are drained when a client leaves, and the same ones cut off; a route over both types."""
    both = providers(provider.openai_url, provider.anthropic_url)
    for settings in both.values():
        settings["timeouts"] = {"first_byte_s": 5, "idle_s": 1.5, "total_s": 60}
    cut = {f"{name}-cut": {**settings, "disconnect": "cancel"} for name, settings in both.items()}
    return make_gateway(
        providers={**both, **cut},
        models={
            "oai-cut": model("openai-type-cut", "oai-cut", OPENAI_PRICE),
            "ant-cut": model("anthropic-type-cut", "ant-cut", ANTHROPIC_PRICE),
        },
        routes={"either": {"candidates": ["oai", "ant"], "objective": "cheapest"}},
    )


def test_each_served_attempt_is_one_true_row(gateway: Gateway, provider: Provider) -> None:
    planned = storm(0, REQUESTS)
    provider.use(Provided(planned))
    gateway.start()
    seen = unleash(gateway, planned)
    provider.quiet()
    gateway.settled()
    rows = gateway.rows()
    found = reconcile(rows, provider.served)
    print(found.report(), f"{sum(one.left for one in seen)} clients left", sep="\n")
    assert not found.findings, found.report()
    assert_near(found)
    assert sum(one.left for one in seen) >= REQUESTS * 0.2
    assert not [one.broken for one in seen if one.broken and not one.left]
    assert_honest(planned, seen, rows)
    assert {"reported", "estimated", "none"} <= set(found.sources)
    assert len({row["error_class"] for row in rows}) >= 8
    assert gateway.verify()["attempts"] == len(rows)
    assert gateway.stop() == 0
    assert gateway.rows() == rows


def test_no_row_is_below_what_its_client_saw(gateway: Gateway, provider: Provider) -> None:
    """Clients that leave in the middle of a stream from a provider that is cut off then."""
    dice = random.Random(SEED)
    planned = [one for one in (plan(5000 + place, dice, sound=True) for place in range(200)) if one.body["stream"]]
    planned = [
        replace(one, leave=Leave(after_bytes=dice.randint(500, 5000)), body={**one.body, "model": dice.choice(CUT)})
        for one in planned
    ]
    provider.use(Provided(planned))
    gateway.start()
    seen = asyncio.run(drive(gateway.url, planned))
    provider.quiet()
    gateway.settled()
    rows = {row["tags"]["n"]: row for row in gateway.rows()}
    cut = 0
    for one, answer in zip(planned, seen, strict=True):
        row = rows[str(one.number)]
        cut += row["error_class"] == "client_gone"
        assert (row["tokens_out"] or 0) + (row["tokens_reasoning"] or 0) >= visible_tokens(answer), row
    assert cut >= 20
    assert sum(visible_tokens(answer) for answer in seen) > 500


def test_a_crash_loses_and_doubles_nothing(gateway: Gateway, provider: Provider) -> None:
    before, after = storm(1000, REQUESTS // 2), storm(2000, REQUESTS // 2)
    provider.use(Provided(before + after))
    gateway.start()
    asyncio.run(drive(gateway.url, before[:SOUND_FIRST]))
    driving = Driving(gateway.url, before[SOUND_FIRST:], over_s=2.0)
    time.sleep(0.9)
    gateway.kill()
    driving.join(100)
    gateway.start()
    unleash(gateway, after)
    provider.quiet()
    gateway.settled()
    rows = gateway.rows()
    found = reconcile(rows, provider.served, crashed=True)
    print(found.report())
    assert not found.findings, found.report()
    assert_near(found)
    assert sum(row["recovered"] for row in rows) >= 3
    assert gateway.verify()["attempts"] == len(rows)
