"""A one-cent strict budget under 300 requests at once: never exceeded, hardly stranded, and kept over restarts."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import pytest
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.money import billed_nanousd
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import Leave, Seen, post

from bascule.testing.script import Script

pytestmark = pytest.mark.real

CENT = 10_000_000
"""In nano-USD."""
KEY = "bk-budget-canary-5Yt8Wd3Pq"
ADMIN = "bk-admin-canary-9Kf2Lm7Zx"
AT_ONCE = 300
MOST_SERIAL = 1_500


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One kind of request."""

    path: str
    model: str
    stream: bool
    max_tokens: int | None = None
    n: int = 1

    def body(self) -> dict[str, Any]:
        text = "Tell me about the bridges of this city, and which of them can be opened. " * 4
        found: dict[str, Any] = {"model": self.model, "stream": self.stream}
        found["messages"] = [{"role": "user", "content": text}]
        if self.max_tokens is not None:
            found["max_tokens"] = self.max_tokens
        if self.n > 1:
            found["n"] = self.n
        return found


CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
ASKS = {
    "openai, capped": Ask(path=CHAT, model="oai", stream=False, max_tokens=300),
    "openai, capped, streamed": Ask(path=CHAT, model="oai", stream=True, max_tokens=300),
    "openai, free": Ask(path=CHAT, model="oai", stream=False),
    "openai, free, streamed": Ask(path=CHAT, model="oai", stream=True),
    "openai, free, three choices": Ask(path=CHAT, model="oai", stream=True, n=3),
    "anthropic, capped": Ask(path=MESSAGES, model="ant", stream=False, max_tokens=90),
    "anthropic, capped, streamed": Ask(path=MESSAGES, model="ant", stream=True, max_tokens=90),
    "anthropic, large cap": Ask(path=MESSAGES, model="ant", stream=True, max_tokens=350),
    "across, free": Ask(path=CHAT, model="ant", stream=False),
    "across, free, streamed": Ask(path=CHAT, model="ant", stream=True),
    "across, capped": Ask(path=MESSAGES, model="oai", stream=True, max_tokens=300),
}


def send(url: str, ask: Ask, leave: Leave | None = None) -> Any:
    return post(url, ask.path, ask.body(), {"x-api-key": KEY}, leave=leave)


async def at_once(url: str, ask: Ask, count: int) -> list[Seen]:
    """One in ten leaves early."""
    leaving = [Leave(after_s=0.05) if place % 10 == 9 else None for place in range(count)]
    return await asyncio.gather(*(send(url, ask, leave) for leave in leaving))


def until_refused(url: str, ask: Ask) -> Seen:
    """The same request, one after another, until 402."""

    async def serially() -> Seen:
        for _ in range(MOST_SERIAL):
            seen: Seen = await send(url, ask)
            if seen.status != 200:
                return seen
        raise AssertionError(f"{MOST_SERIAL} requests were served")

    return asyncio.run(serially())


def spent(provider: Provider) -> int:
    """What the provider counts, at book price."""
    provider.quiet()
    return sum(billed_nanousd(one.model, one.dialect, one.usage) for one in provider.served)


@pytest.fixture
def budgeted(make_gateway: MakeGateway) -> Gateway:
    return make_gateway(
        {"CI_KEY": KEY, "ADMIN_KEY": ADMIN},
        admin={"secret": "env:ADMIN_KEY"},
        keys={"ci": {"secret": "env:CI_KEY"}},
        budgets=[{"scope": "key:ci", "limit_usd": 0.01, "window": "day", "mode": "strict"}],
    )


@pytest.mark.parametrize("kind", ASKS)
def test_a_strict_budget_is_neither_exceeded_nor_stranded(kind: str, budgeted: Gateway, provider: Provider) -> None:
    ask = ASKS[kind]
    provider.use(Script(output_tokens=80, ttft_s=0.03, gap_s=0.0005, cached_tokens=5))
    budgeted.start()
    seen = asyncio.run(at_once(budgeted.url, ask, AT_ONCE))
    provider.quiet()
    budgeted.settled(ADMIN)
    assert {one.status for one in seen if not one.left} <= {200, 402}
    assert sum(one.status == 200 for one in seen) >= 1
    assert spent(provider) <= CENT
    provider.upstream.use(Script(output_tokens=80, cached_tokens=5))
    refused = until_refused(budgeted.url, ask)
    budgeted.settled(ADMIN)
    assert refused.status == 402, refused.body
    needed, left = figures(refused)
    total = spent(provider)
    stranded = CENT - total
    print(f"{kind}: {stranded / CENT:.1%} stranded, one hold {needed / CENT:.1%}, {len(provider.served)} served")
    assert 0 <= stranded <= max(0.15 * CENT, needed)
    assert left == stranded
    assert sum(row["cost_nanousd"] for row in budgeted.rows()) == total


def figures(refused: Seen) -> tuple[int, int]:
    """What was needed and what was left, in nano-USD, as the 402 says."""
    error = refused.json()["error"]
    assert error["code"] == "insufficient_quota" or error["type"]
    found = re.findall(r"\$(\d+\.\d{9})", error["message"])
    assert len(found) >= 2, error
    needed, left = (round(float(text) * 1e9) for text in found[:2])
    assert needed > left
    return needed, left


def test_a_restart_keeps_what_was_spent(budgeted: Gateway, provider: Provider) -> None:
    ask = ASKS["anthropic, capped"]
    provider.use(Script(output_tokens=80))
    budgeted.start()
    until_refused(budgeted.url, ask)
    before = spent(provider)
    assert budgeted.stop() == 0
    budgeted.start()
    assert until_refused(budgeted.url, ask).status == 402
    assert spent(provider) == before


def test_a_crash_never_frees_what_was_held(budgeted: Gateway, provider: Provider) -> None:
    """Streams that are killed in the middle are spent at their hold; the provider's count stays under the limit."""
    ask = ASKS["anthropic, capped, streamed"]
    provider.use(Script(output_tokens=80, gap_s=0.05))
    budgeted.start()

    async def crash() -> None:
        streams = [asyncio.create_task(send(budgeted.url, ask)) for _ in range(20)]
        await asyncio.sleep(0.6)
        await asyncio.to_thread(budgeted.kill)
        await asyncio.gather(*streams)

    asyncio.run(crash())
    provider.quiet()
    in_flight = spent(provider)
    assert in_flight > 0
    budgeted.start()
    rows = budgeted.rows()
    assert sum(row["cost_nanousd"] for row in rows if row["recovered"]) >= in_flight
    provider.upstream.use(Script(output_tokens=80))
    until_refused(budgeted.url, ask)
    assert spent(provider) <= CENT
    assert budgeted.metric("bascule_open_holds", ADMIN) == 0
    budgeted.verify()


def test_what_the_command_shows_is_what_is_left(budgeted: Gateway, provider: Provider) -> None:
    provider.use(Script(output_tokens=80))
    budgeted.start()
    asyncio.run(send(budgeted.url, ASKS["anthropic, capped"]))
    shown = budgeted.run("budgets", "show", "--json")
    settled = f"{spent(provider) / 1e9:.9f}"
    left = f"{(CENT - spent(provider)) / 1e9:.9f}"
    assert f'"settled_usd": "{settled}"' in shown or f'"settled_usd":"{settled}"' in shown, shown
    assert left in shown
