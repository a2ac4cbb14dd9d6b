"""A real gateway before a provider that makes a token of every byte, asked for as long as there is money."""

import asyncio
import json
from typing import Any

import pytest
from tests.acceptance import conftest
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.provider import Provider
from tests.acceptance.test_budgets import ADMIN, CENT, KEY, spent
from tests.acceptance.wire import post

from bascule.testing.script import Script

pytestmark = pytest.mark.real

provider, make_gateway = conftest.provider, conftest.make_gateway
NUMBERS = "1" + "e15,1" * 2_000 + "e15"
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {"x": ["NUMBERS"]}}
TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": [CALL]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "done"}]},
]
ASKED = {"model": "oai", "max_tokens": 20, "messages": TURNS, "tools": [{"name": "f", "input_schema": {}}]}


def test_numbers_that_grow_on_their_way_exceed_no_budget(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script(output_tokens=20, input_tokens_per_byte=1.0))
    gateway = make_gateway(
        {"CI_KEY": KEY, "ADMIN_KEY": ADMIN},
        admin={"secret": "env:ADMIN_KEY"},
        keys={"ci": {"secret": "env:CI_KEY"}},
        budgets=[{"scope": "key:ci", "limit_usd": CENT / 1e9, "window": "day", "mode": "strict"}],
    )
    gateway.start()
    body = json.dumps(ASKED).replace('"NUMBERS"', NUMBERS).encode()

    async def until_refused() -> list[int]:
        statuses = [200]
        while statuses[-1] == 200 and len(statuses) < 20:
            seen = await post(gateway.url, "/v1/messages", body, {"x-api-key": KEY})
            statuses.append(seen.status)
        return statuses

    statuses = asyncio.run(until_refused())
    gateway.settled(ADMIN)
    assert 0 < spent(provider) <= CENT
    assert sum(row["cost_nanousd"] for row in gateway.rows()) == spent(provider)
    assert statuses == [200, 200, 402]
