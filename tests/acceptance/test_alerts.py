"""A real gateway tells a real receiver, signed; and a session that was stopped goes on by command."""

import json
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from hmac import digest
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.process import Gateway
from tests.promises.traps import Answer, Hit, counting

pytestmark = pytest.mark.real

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
TOKEN = "T0KEN-in-the-address-0123456789"
WAIT_S = 15.0


def answered(hit: Hit) -> Answer:
    body = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "no"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }  # fmt: skip
    return 200, {"content-type": "application/json"}, json.dumps(body).encode()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def ask(gateway: Gateway) -> int:
    body = {"model": "m", "messages": [{"role": "user", "content": "again"}]}
    headers = {"content-type": "application/json", "x-bascule-session": "loop"}
    request = urllib.request.Request(f"{gateway.url}/v1/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def verified(hit: Hit) -> dict[str, Any]:
    """What was told, once the signature is right."""
    lines = [line.split(b": ", 1) for line in hit.head.split(b"\r\n")[1:] if b": " in line]
    headers = {name.lower(): value for name, value in lines}
    signed = b"%b.%b.%b" % (headers[b"webhook-id"], headers[b"webhook-timestamp"], hit.body)
    assert headers[b"webhook-signature"] == b"v1," + b64encode(digest(b"k" * 32, signed, "sha256"))
    assert abs(int(headers[b"webhook-timestamp"]) - time.time()) < 60
    told: dict[str, Any] = json.loads(hit.body)
    return told


def test_a_gateway_tells_and_listens(tmp_path: Path) -> None:
    with counting(answer=answered) as provider, counting("127.0.0.2") as receiver:
        config: dict[str, Any] = {
            "providers": {"p": {"dialect": "openai_chat", "base_url": f"{provider.url}/v1", "api_key": "none"}},
            "models": {"m": {"endpoints": [{"provider": "p", "model": "up"}], "price": {"input": 1, "output": 1}}},
            "cache": {"exact": {"enabled": False}},
            "runaway": {"action": "stop", "identical_requests": 4},
            "alerts": {
                "webhooks": [{"name": "ops", "url": "env:HOOK", "secret": "env:HOOK_SECRET"}],
                "allow_private": ["127.0.0.2"],
            },
        }
        env = {"HOOK": f"{receiver.url}/{TOKEN}", "HOOK_SECRET": SECRET}
        gateway = Gateway(tmp_path, config, env).start()
        try:
            statuses = [ask(gateway) for _ in range(7)]
            assert statuses == [200] * 5 + [403] * 2
            until(lambda: len(receiver.hits) >= 3)
            steps = [verified(hit)["data"]["step"] for hit in receiver.hits]
            assert steps == ["warn", "degrade", "stop"]

            gateway.run("sessions", "resume", "loop", "-c", str(gateway.file))
            until(lambda: ask(gateway) == 200)

            gateway.write_config({**config, "retry": {"max_attempts": 0}})
            until(lambda: verified(receiver.hits[-1])["type"] == "reload_failed")
            gateway.write_config(config)

            told = gateway.run("alerts", "test", "-c", str(gateway.file))
            assert "ok" in told
            assert verified(receiver.hits[-1])["type"] == "test"
        finally:
            gateway.stop()
        assert all(hit.line == f"POST /{TOKEN} HTTP/1.1" for hit in receiver.hits)
        assert TOKEN not in gateway.output()
        assert SECRET not in gateway.output()
