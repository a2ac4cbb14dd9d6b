"""Calls an ASGI application without a network; a composed gateway over a scratch folder, with its admin API."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from msgspec import Struct

from bascule.model.entry import HeldScope, Intent, Settlement
from bascule.model.money import Rates
from bascule.model.usage import Usage
from bascule.service import Service

Message = MutableMapping[str, Any]
App = Callable[..., Awaitable[None]]


class Answer(Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


Call = Callable[..., Awaitable[Answer]]


def scope_of(method: str, target: str, headers: Sequence[tuple[bytes, bytes]]) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": list(headers),
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8787),
    }


async def request(
    app: App,
    method: str,
    target: str,
    *,
    headers: dict[str, str] | None = None,
    parts: Iterable[bytes] = (b"",),
    hosts: Sequence[str] = ("127.0.0.1:8787",),
    leaves: bool = False,
) -> Answer:
    """One request, its body in `parts`; then the client waits, or leaves before the last part."""
    pairs = [(b"host", host.encode("latin-1")) for host in hosts]
    pairs += [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    chunks = list(parts)
    waiting: list[Message] = [
        {"type": "http.request", "body": body, "more_body": at < len(chunks) - 1} for at, body in enumerate(chunks)
    ]
    if leaves:
        waiting[-1] = {"type": "http.disconnect"}
    sent: list[Message] = []

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of(method, target, pairs), receive, send)
    starts = [message for message in sent if message["type"] == "http.response.start"]
    if not starts:
        return Answer(0, {}, b"")
    assert len(starts) == 1
    names = [name.decode("latin-1") for name, _ in starts[0]["headers"]]
    assert len(names) == len(set(names)), f"a header was sent twice: {names}"
    values = [value.decode("latin-1") for _, value in starts[0]["headers"]]
    body = b"".join([message.get("body", b"") for message in sent if message["type"] == "http.response.body"])
    return Answer(starts[0]["status"], dict(zip(names, values, strict=True)), body)


@pytest.fixture
def call() -> Call:
    """`await call(app, method, target, …)` is the answer; status 0 where nothing was answered."""
    return request


CONFIG = """
data_dir: data
providers:
  local:
    dialect: openai_chat
    base_url: http://127.0.0.1:9/v1
    api_key: env:LOCAL_KEY
    headers: {x-extra: a-header-secret}
models:
  small:
    endpoints: [{provider: local, model: small-up}]
    price: {input: 0.10, output: 0.40}
routes:
  auto: {candidates: [small], max_cost_usd: 0.05}
aliases: {tiny: small}
keys:
  ci: {secret: "env:CI_KEY", org: acme, team: platform, models: [auto, small]}
  look: {secret: "env:LOOK_KEY", role: auditor}
  lead:
    {secret: "env:LEAD_KEY", org: acme, team: platform, models: [auto, small], max_output_tokens: 4000,
     rate: {rpm: 60}, tags: {cost: web}, role: team_admin}
  lost: {secret: "env:LOST_KEY", role: team_admin}
  boss: {secret: "env:BOSS_KEY", role: admin}
budgets:
  - {scope: "team:platform", limit_usd: 2000, window: total}
  - {scope: "user:*", limit_usd: 3, window: total}
"""

SECRETS = {
    "admin": "the-admin-secret-of-this-test-00",
    "ci": "the-ci-key-of-this-test-00000000",
    "look": "the-look-key-of-this-test-000000",
    "lead": "the-lead-key-of-this-test-000000",
    "lost": "the-lost-key-of-this-test-000000",
    "boss": "the-boss-key-of-this-test-000000",
}
NOON = 1_795_262_400_000
"""2026-11-21T12:00:00Z"""

PROVIDER_SECRET = "the-provider-key-of-this-test-00"


class Gate:
    """A composed gateway that has not been started, and its application."""

    def __init__(self, folder: Path, config: str) -> None:
        (folder / "bascule.yaml").write_text(config)
        environment = {f"{name.upper()}_KEY": secret for name, secret in SECRETS.items()}
        environment |= {"LOCAL_KEY": PROVIDER_SECRET, "BASCULE_ADMIN": SECRETS["admin"]}
        self.service = Service(str(folder / "bascule.yaml"), environment, host=None, port=None)
        self.app = self.service.application()
        self.count = 0

    async def __call__(
        self, who: str | None, method: str, target: str, body: Any = None, *, secret: str | None = None, **given: Any
    ) -> Answer:
        """Call the admin API as one of SECRETS' holders, or with another secret, or with none."""
        headers = dict(given.pop("headers", {}))
        presented = SECRETS[who] if who is not None else secret
        if presented is not None:
            headers["authorization"] = f"Bearer {presented}"
        parts = given.pop("parts", (b"" if body is None else json.dumps(body).encode(),))
        return await request(self.app, method, "/bascule/api" + target, headers=headers, parts=parts, **given)

    @property
    def trail(self) -> list[tuple[str, str, str]]:
        return [(entry.by, entry.action, entry.target) for entry in self.service.store.governance.audit()]

    def attempt(
        self, *, cost: int | None = 1_000_000, start_ms: int = 1_795_262_400_000, end: bool = True, **who: Any
    ) -> str:
        """Write an attempt into the running gateway's journal."""
        self.count += 1
        given = {"request_id": f"req_{self.count:04d}", "model": "small", "provider": "local", "key": "ci",
                 "team": "platform", "hold_nanousd": 2_000_000, "dialect_in": "openai_chat",
                 "held": (HeldScope("team:platform", "total"),)} | who  # fmt: skip
        attempt_id = f"att_{self.count:04d}.1"
        journal = self.service.gateway.journal
        journal.intent(Intent(attempt_id=attempt_id, attempt_no=1, ts_start_ms=start_ms, **given))
        if end:
            usage = Usage(tokens_in=1_000, tokens_out=100, source="reported")
            done = Settlement(
                attempt_id=attempt_id,
                ts_end_ms=start_ms + 500,
                status=200,
                usage=usage,
                cost_nanousd=cost,
                rates=Rates(input=100_000, output=400_000),
            )
            journal.settle(done)
        return attempt_id

    def drain(self) -> None:
        self.service.gateway.drainer.drain()


@pytest.fixture
def make_gate(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    made: list[Gate] = []

    def make(config: str = CONFIG, *, admin: bool = True) -> Gate:
        gate = Gate(tmp_path, config + ("admin: {secret: env:BASCULE_ADMIN}\n" if admin else ""))
        made.append(gate)
        return gate

    yield make
    for gate in made:
        gate.service.gateway.close()


@pytest.fixture
def gate(make_gate: Callable[..., Gate]) -> Gate:
    return make_gate()


@pytest.fixture
def noon() -> int:
    return NOON


@pytest.fixture
def secrets() -> list[str]:
    """Every secret of the configuration."""
    return [*SECRETS.values(), PROVIDER_SECRET, "a-header-secret"]
