"""One Idempotency-Key, one upstream call: real processes, 50 at once, another body, `kill -9` before and after."""

import asyncio
import json
import random
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.configuration import PROVIDER_ENV, configuration
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import Seen, post
from tests.promises.conftest import Figure

from bascule.testing.script import Script

CHAT = "/v1/chat/completions"
IN_FLIGHT_WITHIN_S = 10.0
RECORDED = {"record_content": "full", "content_key": "env:CONTENT_KEY"}
CONTENT_KEY = {"CONTENT_KEY": "k" * 64}


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def gateway(provider: Provider, tmp_path: Path) -> Iterator[Gateway]:
    config = configuration(provider.openai_url, provider.anthropic_url, idempotency={"store_wait_s": 5})
    made = Gateway(tmp_path, config, PROVIDER_ENV).start()
    yield made
    made.kill()


def body(seed: int, stream: bool) -> dict[str, Any]:
    return {"model": "oai", "stream": stream, "messages": [{"role": "user", "content": f"Number {seed}."}]}


async def ask(gateway: Gateway, key: str, seed: int, *, stream: bool = False) -> Seen:
    return await post(gateway.url, CHAT, body(seed, stream), {"authorization": "Bearer any", "idempotency-key": key})


def header(seen: Seen, name: str) -> str | None:
    headers: Mapping[str, str] = seen.headers
    return headers.get(name)


def code(seen: Seen) -> tuple[int | None, str | None]:
    """Status and code; an answer has none."""
    return seen.status, None if seen.status == 200 else json.loads(seen.body)["error"]["code"]


@pytest.mark.promise(33, fault="50 parallel requests with one key, whole and streamed", limit="1 attempt each")
def test_parallel_requests_are_one_attempt(gateway: Gateway, provider: Provider, figure: Figure, full: bool) -> None:
    provider.use(Script(output_tokens=20, ttft_s=0.2))
    dice = random.Random(33)
    rounds, width = (20, 50) if full else (2, 50)

    async def at_once(key: str, seed: int, stream: bool) -> list[Seen]:
        return await asyncio.gather(*[ask(gateway, key, seed, stream=stream) for _ in range(width)])

    for number in range(rounds):
        stream = bool(number % 2)
        before = len(provider.served)
        seen = asyncio.run(at_once(f"round-{number}", dice.randrange(10**6), stream))
        assert len(provider.served) - before == 1
        assert {one.status for one in seen} == {200}
        assert len({one.body for one in seen}) == 1
        assert sum(header(one, "idempotent-replayed") == "true" for one in seen) == width - 1
        assert not stream or seen[0].body.endswith(b"data: [DONE]\n\n")
    assert len(gateway.rows()) == rounds
    figure("attempts of 50", len(provider.served) / rounds)


@pytest.mark.promise(33, fault="48 parallel over 3 replicas on PostgreSQL, then one of them killed", limit="1 attempt")
def test_replicas_share_the_key(
    provider: Provider, postgres_url: str, tmp_path: Path, figure: Figure, full: bool
) -> None:
    env = {**PROVIDER_ENV, **CONTENT_KEY, "BASCULE_DATABASE": postgres_url}
    config = configuration(
        provider.openai_url,
        provider.anthropic_url,
        database="env:BASCULE_DATABASE",
        idempotency={"store_wait_s": 5, "wait_s": 3},
        privacy=RECORDED,
    )
    replicas = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        replicas.append(Gateway(tmp_path / name, config, env))
    try:
        for replica in replicas:
            if replica is not replicas[0]:
                replica.data_dir.mkdir(mode=0o700)
                shutil.copy(replicas[0].data_dir / "pepper", replica.data_dir)
            replica.start()
        for number in range(10 if full else 1):
            provider.use(Script(output_tokens=5, ttft_s=0.5))
            seen = asyncio.run(spread(replicas, f"round-{number}", number))
            assert len(provider.served) == 1
            assert {code(one) for one in seen} == {(200, None)}
            assert len({one.body for one in seen}) == 1

        provider.use(Script(output_tokens=200, gap_s=0.05))
        asyncio.run(killed_in_the_middle(replicas[0], provider, "killed", 1))
        elsewhere = asyncio.run(ask(replicas[1], "killed", 1, stream=True))
        assert code(elsewhere) == (409, "idempotency_in_progress")
        replicas[0].start()
        again = [asyncio.run(ask(replica, "killed", 1, stream=True)) for replica in replicas]
        assert {code(one) for one in again} == {(409, "not_replayable")}
        assert len(provider.served) == 1
    finally:
        for replica in replicas:
            replica.kill()
    figure("attempts of 48", 1)


async def spread(replicas: list[Gateway], key: str, seed: int) -> list[Seen]:
    return await asyncio.gather(*[ask(replicas[number % len(replicas)], key, seed) for number in range(48)])


@pytest.mark.promise(33, fault="another body under the key, while it is served and after", limit="all 422")
def test_another_body_is_refused(gateway: Gateway, provider: Provider, figure: Figure) -> None:
    provider.use(Script(output_tokens=5, ttft_s=0.5))

    async def altered() -> list[Seen]:
        first = asyncio.create_task(ask(gateway, "k", 1))
        await until_served(provider, 1)
        meanwhile = await ask(gateway, "k", 2)
        await first
        return [meanwhile, await ask(gateway, "k", 2), await ask(gateway, "k", 1, stream=True)]

    seen = asyncio.run(altered())
    assert [code(one) for one in seen] == [(422, "idempotency_mismatch")] * 3
    assert len(provider.served) == 1
    figure("second calls", len(provider.served) - 1)


@pytest.mark.promise(33, fault="kill -9 in the middle of a request and after its answer", limit="0 silent second calls")
def test_a_crash_does_not_send_it_again(gateway: Gateway, provider: Provider, figure: Figure, full: bool) -> None:
    rounds = 4 if full else 1
    for number in range(rounds):
        provider.use(Script(output_tokens=200, gap_s=0.05))
        gateway_died = asyncio.run(killed_in_the_middle(gateway, provider, f"mid-{number}", number))
        assert gateway_died.status in (None, 200)
        assert not gateway_died.body.endswith(b"data: [DONE]\n\n")
        gateway.start()
        provider.use(Script(output_tokens=5))
        again = asyncio.run(ask(gateway, f"mid-{number}", number, stream=True))
        assert code(again) == (409, "not_replayable")
        row = [row for row in gateway.rows() if row["idempotency_key"] == f"mid-{number}"]
        assert [one["attempt_id"] in again.body.decode() for one in row] == [True]

        answered = asyncio.run(ask(gateway, f"after-{number}", number))
        assert answered.status == 200
        gateway.kill()
        gateway.start()
        lost = asyncio.run(ask(gateway, f"after-{number}", number))
        assert code(lost) == (409, "not_replayable")
        assert len(provider.served) == 1
    figure("second calls after a kill", 0)


@pytest.mark.promise(33, fault="kill -9 after the answer, where content may be kept", limit="answered by the first")
def test_an_answer_that_may_be_kept_outlives_a_kill(provider: Provider, tmp_path: Path, figure: Figure) -> None:
    provider.use(Script(output_tokens=20))
    config = configuration(
        provider.openai_url,
        provider.anthropic_url,
        privacy=RECORDED,
        idempotency={"store_wait_s": 5},
    )
    gateway = Gateway(tmp_path, config, {**PROVIDER_ENV, **CONTENT_KEY}).start()
    try:
        first = [asyncio.run(ask(gateway, f"kept-{stream}", 1, stream=stream)) for stream in (False, True)]
        asyncio.run(ask(gateway, "another", 2))  # what is written of the first two is written by now
        gateway.kill()
        gateway.start()
        again = [asyncio.run(ask(gateway, f"kept-{stream}", 1, stream=stream)) for stream in (False, True)]
    finally:
        gateway.kill()
    assert [(one.status, one.body) for one in again] == [(200, one.body) for one in first]
    assert {header(one, "idempotent-replayed") for one in again} == {"true"}
    assert len(provider.served) == 3
    figure("second calls", 0)


async def killed_in_the_middle(gateway: Gateway, provider: Provider, key: str, seed: int) -> Seen:
    asked = asyncio.create_task(ask(gateway, key, seed, stream=True))
    await until_served(provider, 1)
    await asyncio.sleep(0.2)
    gateway.kill()
    return await asked


async def until_served(provider: Provider, count: int) -> None:
    deadline = time.monotonic() + IN_FLIGHT_WITHIN_S
    while len(provider.served) < count:
        assert time.monotonic() < deadline, "the request never reached the provider"
        await asyncio.sleep(0.01)
