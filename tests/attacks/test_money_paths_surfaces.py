"""One strict budget of an organisation, asked for by all its keys, on every path, for every provider, all at once.

The provider makes a token of every byte, answers as long as it may and fails in between; clients leave.
"""

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from tests.acceptance import conftest
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.provider import Provider
from tests.acceptance.test_budgets import ADMIN, CENT, spent
from tests.acceptance.wire import Leave, Seen, post

from bascule.testing.script import Script, mixed

pytestmark = pytest.mark.real

provider, make_gateway = conftest.provider, conftest.make_gateway
LIMIT = 8 * CENT
KEYS = {name: f"bk-{name}-canary-4Tq8Wz" for name in ("one", "two", "three")}
TEXT = "Which of the bridges of this city can be opened? "
MODELS = ("oai", "ant", "gem", "res")
SAID: list[dict[str, Any]] = [{"role": "user", "content": TEXT}]
PARTS = [{"role": "user", "parts": [{"text": TEXT}]}]
AT_ONCE, ASKED = 12, 320
FAILING = mixed(
    [
        (6, Script(output_tokens=10_000, input_tokens_per_byte=1.0)),
        (1, Script(output_tokens=10_000, input_tokens_per_byte=1.0, usage_fault="none")),
        (1, Script(output_tokens=200, input_tokens_per_byte=1.0, fault="reset_mid", bill="full")),
        (1, Script(output_tokens=200, input_tokens_per_byte=1.0, fault="clean_eof", bill="full")),
        (1, Script(output_tokens=200, input_tokens_per_byte=1.0, fault="close_before", bill="full")),
        (1, Script(status=529, error_type="overloaded_error")),
    ],
    seed=7,
)


def chat(model: str, cap: int) -> tuple[str, dict[str, Any]]:
    return "/v1/chat/completions", {"model": model, "max_tokens": cap, "messages": SAID}


def uncapped(model: str, cap: int) -> tuple[str, dict[str, Any]]:
    return "/v1/chat/completions", {"model": model, "stream": True, "messages": SAID, "n": 1}


def messages(model: str, cap: int) -> tuple[str, dict[str, Any]]:
    return "/v1/messages", {"model": model, "stream": True, "max_tokens": cap, "messages": SAID}


def responses(model: str, cap: int) -> tuple[str, dict[str, Any]]:
    return "/v1/responses", {"model": model, "stream": True, "max_output_tokens": cap, "input": TEXT}


def generated(model: str, cap: int) -> tuple[str, dict[str, Any]]:
    config = {"maxOutputTokens": cap}
    return f"/v1beta/models/{model}:streamGenerateContent?alt=sse", {"contents": PARTS, "generationConfig": config}


def fallback(model: str, cap: int) -> tuple[str, dict[str, Any]]:
    return "/v1/chat/completions", {"model": "oai", "models": [*MODELS], "max_tokens": cap, "messages": SAID}


def embedded(model: str, cap: int) -> tuple[str, dict[str, Any]]:
    return "/v1/embeddings", {"model": "embed", "input": [TEXT] * 20}


def counted(model: str, cap: int) -> tuple[str, dict[str, Any]]:
    return "/v1/messages/count_tokens", {"model": "ant", "messages": SAID}


PATHS = (chat, uncapped, messages, responses, generated, fallback, embedded, counted)


def test_no_path_is_beside_the_budget_of_all(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(FAILING)
    gateway = make_gateway(
        {**{f"{name.upper()}_KEY": secret for name, secret in KEYS.items()}, "ADMIN_KEY": ADMIN},
        admin={"secret": "env:ADMIN_KEY"},
        keys={name: {"secret": f"env:{name.upper()}_KEY", "org": "acme"} for name in KEYS},
        budgets=[{"scope": "org:acme", "limit_usd": LIMIT / 1e9, "window": "month", "mode": "strict"}],
    )
    gateway.start()
    dice = random.Random(11)

    async def one(number: int) -> Seen:
        path, body = PATHS[number % len(PATHS)](dice.choice(MODELS), dice.choice((30, 200, 600)))
        spoofed = {"x-bascule-org": "other", "x-bascule-user": f"u{number}", "x-bascule-session": f"s{number}"}
        headers = {"x-api-key": dice.choice([*KEYS.values()]), **spoofed}
        leave = Leave(after_s=dice.choice((0.0, 0.03, 0.2)), reset=number % 2 == 0) if number % 5 == 4 else None
        return await post(gateway.url, path, body, headers, leave=leave)

    async def client(numbers: Iterator[int]) -> list[Seen]:
        return [await one(number) for number in numbers]

    async def clients() -> list[Seen]:
        numbers = iter(range(ASKED))
        return [seen for found in await asyncio.gather(*(client(numbers) for _ in range(AT_ONCE))) for seen in found]

    seen = asyncio.run(clients())
    billed = spent(provider)
    gateway.settled(ADMIN)
    rows = gateway.rows()
    assert {one.status for one in seen if not one.left} <= {200, 402, 502, 503, 529}
    assert {one.dialect for one in provider.served} == {"openai", "anthropic", "gemini", "responses"}
    assert len(rows) == len(provider.served)
    [budget] = json.loads(gateway.get("/bascule/api/budgets", ADMIN)[1])["data"]
    assert LIMIT // 3 < billed <= round(float(budget["settled_usd"]) * 1e9) <= LIMIT
