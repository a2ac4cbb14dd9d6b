"""A failed attempt's own cost is kept on failover: one row per attempt, each at its own model's price."""

import random
from pathlib import Path
from typing import Any

import pytest
from tests.playbooks.engine.wire import (
    ROLE,
    a_stream,
    answered,
    chat,
    in_band_error,
    openai_error,
    streamed,
    usage,
    used,
)
from tests.promises.conftest import Figure
from tests.promises.steady import Upstream, gateway, steady

from bascule.model.row import AttemptRow
from bascule.offline.rows import requests
from bascule.testing.transport import Break, Reply, broken, stream, whole

PRICES = {"small": (1_000, 10_000), "big": (3_000, 30_000)}
"""Nano-USD per token, in and out."""
IN_FULL = "retry: {budget_reserve: 1000}\nbreaker: {enabled: false}\noutlier: {enabled: false}\n"
UNKNOWN = ("reset", "truncated", "server_error", "protocol")


def first_replies(tokens_in: int) -> dict[str, Reply]:
    """What goes wrong at the first model, with what it reported to have used by then."""
    return {
        "error event after usage": stream(ROLE, used(tokens_in, 0), in_band_error()),
        "reset after usage": stream(ROLE, used(tokens_in, 0), Break("reset")),
        "error event": stream(ROLE, in_band_error()),
        "reset": stream(ROLE, Break("reset")),
        "refused": broken("connect", request_sent=False),
        "500": openai_error(500),
        "500 with usage": whole({"error": {"message": "it broke"}, "usage": usage(tokens_in, 0)}, status=500),
    }


@pytest.mark.promise(13, fault="errors before content, then another provider", limit="rows = attempts, own price")
@pytest.mark.parametrize("fault", first_replies(0))
def test_both_attempts_are_rows_at_their_own_price(tmp_path: Path, figure: Figure, fault: str) -> None:
    with gateway(tmp_path, more=IN_FULL) as world:
        world.upstream.at = {"one.test": [first_replies(100)[fault]], "two.test": [a_stream()]}
        answer = world.ask(streamed("auto"), key="ci-secret-0123456789abcdef")
        assert answer.status == 200
        failed, served = world.rows
        figure("rows", len(world.rows))
        assert len(world.rows) == len(world.upstream.calls) == 2
        assert (failed.model, served.model) == ("small", "big")
        assert served.cost_nanousd == 10 * 3_000 + 5 * 30_000
        if "usage" in fault:
            assert failed.cost_nanousd == 100 * 1_000
        elif fault in ("refused", "500"):
            assert failed.cost_nanousd == 0
        else:
            assert failed.cost_nanousd == failed.hold_nanousd
            assert failed.hold_nanousd > 0
        (logical,) = requests(world.store.view)
        assert logical.attempts == 2
        assert logical.cost_nanousd == failed.cost_nanousd + served.cost_nanousd


@pytest.mark.promise(13, fault="seeded mixed failures over two providers", limit="rows = attempts, sum = sum")
def test_mixed_traffic_adds_up(tmp_path: Path, figure: Figure, full: bool) -> None:
    dice = random.Random(13)
    count = 3_000 if full else 300
    billed = {"one.test": 0, "two.test": 0}

    def reply(host: str, now_s: float) -> Reply:
        tokens_in, tokens_out = dice.randint(1, 500), dice.randint(1, 90)
        price_in, price_out = PRICES["small" if host == "one.test" else "big"]
        is_stream = (
            b'"stream": true' in world.upstream.calls[-1].body or b'"stream":true' in world.upstream.calls[-1].body
        )
        draw = dice.random()
        if draw < 0.2:
            return openai_error(dice.choice([500, 503, 529]))
        if is_stream and draw < 0.4:
            billed[host] += tokens_in * price_in
            return stream(ROLE, used(tokens_in, 0), in_band_error())
        billed[host] += tokens_in * price_in + tokens_out * price_out
        if is_stream:
            return stream(*a_stream().parts[:-2], used(tokens_in, tokens_out), b"data: [DONE]\n\n")
        return answered(tokens_in=tokens_in, tokens_out=tokens_out)

    def ask(number: int) -> dict[str, Any]:
        return {"body": streamed("auto") if number % 2 else chat("auto")}

    with gateway(tmp_path, more=IN_FULL) as world:
        Upstream(world, reply)
        sent = steady(world, ask, rate_rps=50.0, seconds=count / 50)
        rows = world.rows
        missing = len(world.upstream.calls) - len(rows)
        figure("missing rows", missing)
        figure("attempts", len(rows))
        assert missing == 0
        for host, model in (("one.test", "small"), ("two.test", "big")):
            assert sum(cost(row) for row in rows if row.model == model) == billed[host]
        logical = list(requests(world.store.view))
        assert len(logical) == len(sent)
        assert sum(one.cost_nanousd or 0 for one in logical) == sum(billed.values())
        assert sum(one.attempts for one in logical) == len(rows) > len(sent)


def cost(row: AttemptRow) -> int:
    assert row.cost_nanousd is not None
    return row.cost_nanousd
