"""No secret leaves: canary keys, then a look into everything that the gateway wrote, said and kept."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.acceptance.configuration import ANTHROPIC_PRICE, OPENAI_PRICE, PROVIDER_KEY, model
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import Seen, post

from bascule.testing.script import Script

pytestmark = pytest.mark.real

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
CLIENT_KEY = "bk-client-canary-Zq7!w+Rt/5=Yp"
ADMIN_KEY = "bk-admin-canary-8Hn4Jx2Lc6Vb"
WRONG_KEY = "bk-wrong-canary-1Ms9Dk3Ft5Gy"
PROMPT = "canary prompt: my neighbour's cat is called Ferdinand"
ANSWER = "canary answer: a fine name for any cat"


ECHOING = f"Incorrect API key provided: {PROVIDER_KEY}"
SCRIPTS = (
    Script(text=ANSWER),
    Script(status=401, error_message=ECHOING, headers={"x-echo": PROVIDER_KEY}),
    Script(status=400, error_message=ECHOING),
    Script(status=403, error_message=ECHOING),
    Script(status=404, error_message=ECHOING),
    Script(status=429, error_message=ECHOING),
    Script(status=500, error_message=ECHOING),
    Script(fault="error_first", error_message=ECHOING),
    Script(fault="error_mid", error_message=ECHOING),
    Script(fault="truncated_json"),
    Script(fault="reset_mid"),
)


def forms(secret: str) -> set[bytes]:
    """As it is, quoted, encoded, and its telling beginning."""
    plain = secret.encode()
    found = {plain, base64.b64encode(plain).rstrip(b"="), quote(secret, safe="").encode(), plain.hex().encode()}
    return found | {json.dumps(secret)[1:-1].encode(), plain[:18]}


def leaks(data: bytes, secrets: list[str]) -> list[str]:
    return [secret for secret in secrets if any(form in data for form in forms(secret))]


def kept(gateway: Gateway) -> dict[Path, bytes]:
    """Every file below the gateway's folder, its logs included, its configuration excluded."""
    paths = [path for path in gateway.folder.rglob("*") if path.is_file() and path != gateway.file]
    assert any(path.name == "ledger.sqlite3" for path in paths)
    assert gateway.stderr in paths
    return {path: path.read_bytes() for path in paths}


def send(gateway: Gateway, path: str, headers: dict[str, str], **more: Any) -> Seen:
    body = {"model": "oai", "max_tokens": 50, "messages": [{"role": "user", "content": PROMPT}], **more}
    return asyncio.run(post(gateway.url, path, body, headers))


def test_canaries_stay_inside(make_gateway: MakeGateway, provider: Provider) -> None:
    models = {f"oai-{n}": model("openai-type", f"oai-{n}", OPENAI_PRICE) for n in range(len(SCRIPTS))}
    models |= {f"ant-{n}": model("anthropic-type", f"ant-{n}", ANTHROPIC_PRICE) for n in range(len(SCRIPTS))}
    gateway = make_gateway(
        {"CLIENT_KEY": CLIENT_KEY, "ADMIN_KEY": ADMIN_KEY},
        models=models,
        retry={"max_attempts": 1},
        admin={"secret": "env:ADMIN_KEY"},
        keys={"ci": {"secret": "env:CLIENT_KEY"}},
        budgets=[{"scope": "key:ci", "limit_usd": 5, "window": "day", "mode": "strict"}],
    ).start("--log-level", "debug")
    said: list[bytes] = []

    def say(path: str, headers: dict[str, str], **more: Any) -> None:
        seen = send(gateway, path, headers, **more)
        said.append(seen.body + json.dumps(seen.headers).encode())

    ways = [
        {"authorization": f"Bearer {CLIENT_KEY}"},
        {"x-api-key": CLIENT_KEY},
        {"x-goog-api-key": CLIENT_KEY},
        {"authorization": f"Bearer {WRONG_KEY}"},
        {"x-api-key": WRONG_KEY},
        {"authorization": f"Basic {WRONG_KEY}"},
        {"authorization": f"Bearer {CLIENT_KEY}", "x-bascule-session": ADMIN_KEY[:10]},
    ]
    for number, script in enumerate(SCRIPTS):
        provider.use(script)
        for path in (CHAT, MESSAGES):
            for stream in (False, True):
                say(path, ways[0], stream=stream, model=f"{'ant' if path == MESSAGES else 'oai'}-{number}")
        assert len(provider.served) == 4  # no open breaker kept the provider's words away
    provider.use(Script(text=ANSWER))
    for headers in ways:
        say(CHAT, headers)
    say(f"{CHAT}?key={quote(CLIENT_KEY, safe='')}", {})
    say(f"{CHAT}?key={quote(WRONG_KEY, safe='')}", {})
    say(CHAT, ways[0], model={"oops": CLIENT_KEY[:4]})
    say("/v1/nothing", {"authorization": f"Bearer {WRONG_KEY}"})
    said += [gateway.get("/metrics", ADMIN_KEY)[1].encode(), gateway.get("/metrics", CLIENT_KEY)[1].encode()]
    said += [gateway.get("/v1/models", CLIENT_KEY)[1].encode()]
    for arguments in (("keys", "list", "--json"), ("ledger", "export"), ("budgets", "show", "--json"), ("report",)):
        said.append(gateway.run(*arguments).encode())
    assert gateway.stop() == 0
    secrets = [PROVIDER_KEY, CLIENT_KEY, ADMIN_KEY, WRONG_KEY]
    assert not [leaks(one, secrets) for one in said if leaks(one, secrets)]
    for path, data in kept(gateway).items():
        assert leaks(data, secrets) == [], path
        assert PROMPT.encode() not in data, path  # record_content: none
        assert ANSWER.encode() not in data, path
    for one in provider.upstream.served:
        assert leaks(json.dumps([one.request_headers, one.request_body]).encode(), secrets[1:]) == []


def test_no_secret_on_a_command_line(make_gateway: MakeGateway) -> None:
    gateway = make_gateway({"CLIENT_KEY": CLIENT_KEY}, keys={"ci": {"secret": "env:CLIENT_KEY"}}).start()
    assert leaks(Path(f"/proc/{gateway.pid}/cmdline").read_bytes(), [PROVIDER_KEY, CLIENT_KEY]) == []


def test_a_redirect_carries_no_credential(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script(fault="redirect"))
    gateway = make_gateway().start()
    before = provider.upstream.trap_hits
    assert send(gateway, CHAT, {}).status == 502
    assert provider.upstream.trap_hits == before


def test_what_is_private_says_so(make_gateway: MakeGateway, provider: Provider) -> None:
    provider.use(Script(text=ANSWER))
    gateway = make_gateway().start()
    for path in (CHAT, MESSAGES):
        assert send(gateway, path, {}).headers["cache-control"] == "private, no-store"
        assert send(gateway, path, {}, model="gpt-99").headers["cache-control"] == "private, no-store"


def test_the_look_finds_what_is_there() -> None:
    for hidden in (ECHOING, quote(CLIENT_KEY, safe=""), base64.b64encode(ADMIN_KEY.encode()).decode(), WRONG_KEY[:20]):
        assert leaks(f"… {hidden} …".encode(), [PROVIDER_KEY, CLIENT_KEY, ADMIN_KEY, WRONG_KEY]), hidden
