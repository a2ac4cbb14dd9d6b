"""Small strict budgets under many requests at once: on one worker, on three, and on three replicas."""

import asyncio
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from tests.acceptance.configuration import PROVIDER_ENV, configuration
from tests.acceptance.money import billed_nanousd
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import Leave, Seen, post

ADMIN = "bk-admin-of-budgets-9Kf2Lm7Zx"
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
TEXT = "Tell me about the bridges of this city, and which of them can be opened. " * 4
PATIENCE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One kind of request, with a key and a budget of its own."""

    path: str
    model: str
    limit_usd: float = 0.01
    body: dict[str, Any] = field(default_factory=dict)

    def sent(self) -> dict[str, Any]:
        return {"model": self.model, "messages": [{"role": "user", "content": TEXT}], **self.body}

    @property
    def limit_nanousd(self) -> int:
        return round(self.limit_usd * 1e9)


THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1_024}, "max_tokens": 1_500}
ASKS = {
    "capped": Ask(path=CHAT, model="oai", body={"max_tokens": 300}),
    "uncapped-streamed": Ask(path=CHAT, model="oai", body={"stream": True}),
    "three-choices": Ask(path=CHAT, model="oai", body={"stream": True, "n": 3}),
    "thinking": Ask(path=MESSAGES, model="ant", limit_usd=0.1, body=THINKING),
    "uncapped": Ask(path=CHAT, model="oai"),
    "capped-streamed": Ask(path=MESSAGES, model="ant", limit_usd=0.02, body={"stream": True, "max_tokens": 90}),
    "thinking-streamed": Ask(path=MESSAGES, model="ant", limit_usd=0.1, body={**THINKING, "stream": True}),
    "translated": Ask(path=CHAT, model="ant", limit_usd=0.02, body={"max_tokens": 90}),
    "agent": Ask(path=MESSAGES, model="ant", limit_usd=2.0, body={"max_tokens": 32_000, "stream": True}),
}


def key_of(kind: str) -> str:
    return f"bk-{kind}-5Yt8Wd3Pq"


class Fleet:
    """Gateways before one provider, each request to the next of them."""

    def __init__(self, gateways: Sequence[Gateway], provider: Provider) -> None:
        self.gateways = gateways
        self.provider = provider
        self._next = 0

    async def send(self, kind: str, leave: Leave | None = None) -> Seen:
        gateway = self.gateways[self._next % len(self.gateways)]
        self._next += 1
        ask = ASKS[kind]
        return await post(gateway.url, ask.path, ask.sent(), {"x-api-key": key_of(kind)}, leave=leave)

    def at_once(self, kind: str, count: int) -> list[Seen]:
        """One in ten leaves early."""

        async def burst() -> list[Seen]:
            leaving = [Leave(after_s=0.05) if place % 10 == 9 else None for place in range(count)]
            return await asyncio.gather(*(self.send(kind, leave) for leave in leaving))

        return asyncio.run(burst())

    def until_refused(self, kind: str) -> Seen:
        """The same request, one after another, until 402. Where the authority is asked and slow, again."""

        async def serially() -> Seen:
            busy = 0
            while True:
                seen = await self.send(kind)
                if seen.status == 503 and busy < 100:
                    busy += 1
                    await asyncio.sleep(0.05)
                elif seen.status != 200:
                    return seen

        return asyncio.run(serially())

    def spent(self) -> int:
        """What the provider has counted since its script was set, at book price."""
        self.provider.quiet()
        return sum(billed_nanousd(one.model, one.dialect, one.usage) for one in self.provider.served)

    def budget(self, kind: str, of: int = 0) -> dict[str, Any]:
        """One key's budget as the admin API of one gateway has it."""
        status, page = self.gateways[of].get("/bascule/api/budgets", ADMIN)
        assert status == 200, page
        import json

        [found] = [one for one in json.loads(page)["data"] if one["scope"] == f"key:{kind}"]
        return dict(found)

    def rows(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in self.gateways[0].rows() if row["key"] == kind]

    def settled(self) -> None:
        for gateway in self.gateways:
            gateway.settled(ADMIN)

    def workers(self) -> list[int]:
        """The processes that serve."""
        return [
            child.pid for gateway in self.gateways for child in psutil.Process(gateway.pid).children(recursive=False)
        ]


@contextmanager
def fleet(
    folder: Path, *, workers: int = 1, replicas: int = 1, database: str | None = None, **more: Any
) -> Iterator[Fleet]:
    """`more`: sections of the configuration."""
    provider = Provider()
    provider.start()
    config = configuration(
        provider.openai_url,
        provider.anthropic_url,
        server={"workers": workers, "drain_timeout_s": 5},
        admin={"secret": "env:ADMIN"},
        keys={kind: {"secret": f"env:K{at}"} for at, kind in enumerate(ASKS)},
        budgets=[
            {"scope": f"key:{kind}", "limit_usd": ask.limit_usd, "window": "month", "mode": "strict"}
            for kind, ask in ASKS.items()
        ],
        **({} if database is None else {"database": database}),
        **more,
    )
    env = {**PROVIDER_ENV, "ADMIN": ADMIN, **{f"K{at}": key_of(kind) for at, kind in enumerate(ASKS)}}
    made: list[Gateway] = []
    with ExitStack() as stack:
        stack.callback(provider.stop)
        for number in range(replicas):
            place = folder / f"r{number}"
            place.mkdir(parents=True)
            if number:
                (place / "data").mkdir()
                shutil.copy(made[0].data_dir / "pepper", place / "data" / "pepper")
            gateway = Gateway(place, config, env)
            stack.callback(gateway.kill)
            made.append(gateway.start())
        yield Fleet(made, provider)


def until(what: str, holds: Any, patience_s: float = PATIENCE_S) -> None:
    """Wait for a condition. Raises AssertionError with its last value."""
    deadline_s = time.monotonic() + patience_s
    while not (found := holds())[0]:
        assert time.monotonic() < deadline_s, f"{what}: {found}"
        time.sleep(0.05)


def nanousd(text: str) -> int:
    return round(float(text) * 1e9)
