"""Stopping, reloading, and keys and budgets made beside a gateway that runs."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import Leave, Seen, post

from bascule.testing.chaos.gateway import GatewayFailed
from bascule.testing.script import Script

pytestmark = pytest.mark.real

CHAT = "/v1/chat/completions"
FIRST, SECOND = "bk-first-3Hd8Kz", "bk-second-6Pw1Ys"
BOSS = "bk-boss-9Jw4Rm-as-long-as-it-should-be"
SEEN_WITHIN_S = 2.0


def ask(gateway: Gateway, key: str = "any", *, model: str = "oai", stream: bool = False) -> Any:
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hello."}]}
    return post(gateway.url, CHAT, body, {"authorization": f"Bearer {key}"})


def status(gateway: Gateway, key: str, **more: Any) -> int | None:
    seen: Seen = asyncio.run(ask(gateway, key, **more))
    return seen.status


def soon(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_stream_that_is_open_at_the_end_is_finished(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script(output_tokens=40, gap_s=0.05))
    gateway = make_gateway().start()

    async def stop_in_the_middle() -> list[Seen]:
        streams = [asyncio.create_task(ask(gateway, stream=True)) for _ in range(5)]
        await asyncio.sleep(0.8)
        gateway.signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        refused = await ask(gateway)
        assert refused.status is None  # the listener is closed at once
        return await asyncio.gather(*streams)

    for seen in asyncio.run(stop_in_the_middle()):
        assert seen.body.endswith(b"data: [DONE]\n\n")
        assert seen.body.count(b'"content"') >= 40
    assert gateway.wait() == 0
    rows = gateway.rows()
    assert [row["usage_source"] for row in rows] == ["reported"] * 5
    gateway.verify()


@pytest.mark.parametrize("patience_s", [1, 0.5, 0])
def test_what_outlasts_the_patience_ends_with_an_error_and_a_row(
    make_gateway: MakeGateway, provider: Provider, patience_s: float
) -> None:
    provider.use(Script(output_tokens=400, gap_s=0.05))
    gateway = make_gateway(server={"drain_timeout_s": patience_s}).start()

    async def stop_in_the_middle() -> Seen:
        stream = asyncio.create_task(ask(gateway, stream=True))
        await asyncio.sleep(0.5)
        gateway.signal(signal.SIGTERM)
        seen: Seen = await stream
        return seen

    seen = asyncio.run(stop_in_the_middle())
    gateway.wait(10)
    assert not seen.body.endswith(b"data: [DONE]\n\n")
    assert b'"error"' in seen.body
    (row,) = gateway.rows()
    assert row["kind"] == "settle"
    assert row["usage_source"] == "estimated"
    assert row["cost_nanousd"] > 0


def test_a_stop_does_not_wait_for_half_a_request(make_gateway: MakeGateway, provider: Provider) -> None:
    gateway = make_gateway().start()
    at = urlsplit(gateway.url)
    with socket.create_connection((at.hostname, at.port), timeout=5) as line:
        line.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{")
        assert status(gateway, "any") == 200  # the half one was read by now
        gateway.signal(signal.SIGTERM)
        assert gateway.wait(5) == 0
        answer = line.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close" in answer


def test_a_reload_takes_effect_and_a_broken_file_does_not(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script())
    gateway = make_gateway().start()
    config = json.loads(gateway.file.read_text(encoding="utf-8"))
    gateway.file.write_text("models: [this is: not a configuration", encoding="utf-8")
    gateway.signal(signal.SIGHUP)
    assert soon(lambda: "old configuration stays" in gateway.output(), 3)
    assert status(gateway, "any") == 200
    assert gateway.running
    config["aliases"] = {"gpt-4o-mini": "oai"}
    assert status(gateway, "any", model="gpt-4o-mini") == 404
    gateway.write_config(config)
    gateway.signal(signal.SIGHUP)
    assert soon(lambda: status(gateway, "any", model="gpt-4o-mini") == 200, SEEN_WITHIN_S)


def test_a_reload_changes_no_spend_and_cuts_no_stream(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script(output_tokens=40, gap_s=0.04))
    gateway = make_gateway(
        {"FIRST": FIRST, "BOSS": BOSS},
        admin={"secret": "env:BOSS"},
        keys={"first": {"secret": "env:FIRST"}},
        budgets=[{"scope": "key:first", "limit_usd": 1, "window": "day", "mode": "strict"}],
    ).start()

    async def reload_often() -> list[Seen]:
        streams = [asyncio.create_task(ask(gateway, FIRST, stream=True)) for _ in range(10)]
        for _ in range(50):
            await asyncio.sleep(0.02)
            gateway.signal(signal.SIGHUP)
        return await asyncio.gather(*streams)

    for seen in asyncio.run(reload_often()):
        assert seen.body.endswith(b"data: [DONE]\n\n")
    gateway.settled(BOSS)
    spent = sum(row["cost_nanousd"] for row in gateway.rows())
    (budget,) = json.loads(gateway.run("budgets", "show", "--json"))
    assert nanousd(budget["settled_usd"]) == spent > 0
    assert nanousd(budget["held_usd"]) == 0


def nanousd(text: str) -> int:
    return int(text.replace(".", ""))


def test_keys_made_and_revoked_beside_a_running_gateway(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script())
    gateway = make_gateway({"FIRST": FIRST}, keys={"first": {"secret": "env:FIRST"}}).start()
    made = json.loads(gateway.run("keys", "create", "ci", "--json"))
    secret = made["secret"]
    assert soon(lambda: status(gateway, secret) == 200, SEEN_WITHIN_S)
    assert gateway.rows()[-1]["key"] == "ci"
    fresh = json.loads(gateway.run("keys", "rotate", "ci", "--json"))["secret"]
    assert soon(lambda: status(gateway, fresh) == 200, SEEN_WITHIN_S)
    gateway.run("keys", "revoke", "ci")
    assert soon(lambda: status(gateway, fresh) == 401, SEEN_WITHIN_S)
    assert status(gateway, FIRST) == 200
    assert secret not in gateway.run("keys", "list", "--json")


def test_the_first_key_closes_an_open_gateway(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script())
    gateway = make_gateway().start()
    assert status(gateway, "any") == 200
    secret = json.loads(gateway.run("keys", "create", "ci", "--json"))["secret"]
    assert soon(lambda: status(gateway, "any") == 401, SEEN_WITHIN_S)
    assert status(gateway, secret) == 200


def test_a_budget_set_beside_a_running_gateway_holds(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script())
    gateway = make_gateway({"FIRST": FIRST}, keys={"first": {"secret": "env:FIRST"}}).start()
    assert status(gateway, FIRST) == 200
    gateway.run("budgets", "set", "key:first", "--limit-usd", "0.000001", "--window", "day")
    assert soon(lambda: status(gateway, FIRST) == 402, SEEN_WITHIN_S)


def test_a_second_gateway_on_a_data_directory_is_refused(make_gateway: MakeGateway, provider: Provider) -> None:
    """Each would count a strict budget alone. The first one and what it has open are left in peace."""
    provider.use(Script(output_tokens=40, gap_s=0.05))
    gateway = make_gateway().start()
    beside = Gateway(gateway.folder, json.loads(gateway.file.read_text(encoding="utf-8")), gateway.env)

    async def second_start() -> Seen:
        stream = asyncio.create_task(ask(gateway, stream=True))
        await asyncio.sleep(0.5)
        with pytest.raises(GatewayFailed, match=rf"served by another process \({gateway.pid}\)"):
            await asyncio.to_thread(beside.start)
        seen: Seen = await stream
        return seen

    try:
        seen = asyncio.run(second_start())
        assert seen.body.endswith(b"data: [DONE]\n\n")
        (row,) = gateway.rows()
        assert row["usage_source"] == "reported"
        gateway.verify()
    finally:
        beside.kill()
    gateway.stop()
    beside.start().kill()


def test_health_and_metrics(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script())
    keys = {"first": {"secret": "env:FIRST"}}
    gateway = make_gateway({"FIRST": FIRST, "BOSS": BOSS}, keys=keys, admin={"secret": "env:BOSS"}).start()
    assert gateway.get("/healthz")[0] == 200
    assert gateway.get("/readyz")[0] == 200
    assert gateway.get("/metrics")[0] == 401
    assert status(gateway, FIRST) == 200
    assert gateway.get("/metrics", FIRST)[0] == 403
    page = gateway.get("/metrics", BOSS)[1]
    assert 'bascule_requests_total{status="200",surface="openai_chat"} 1.0' in page
    assert 'bascule_tokens_total{model="oai"' in page
    assert "bascule_cost_usd_total" in page
    assert "bascule_time_to_first_token_seconds" in page


def test_clients_that_leave_free_everything(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script(output_tokens=60, gap_s=0.02))
    gateway = make_gateway().start()
    body = {"model": "ant", "stream": True, "messages": [{"role": "user", "content": "Hello."}]}

    async def leave() -> None:
        left = Leave(after_bytes=200, reset=True)
        await asyncio.gather(*(post(gateway.url, CHAT, body, leave=left) for _ in range(100)))

    asyncio.run(leave())
    provider.quiet()
    gateway.settled()
    assert [row["usage_source"] for row in gateway.rows()] == ["reported"] * 100  # drained to the end
