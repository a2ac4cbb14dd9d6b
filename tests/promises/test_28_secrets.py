"""Promise 28: canary keys everywhere, every kind of failure; all that was written, said and kept is searched.

The environment of the process itself (`/proc/PID/environ`) holds what the operator put there; keys in files are not.
"""

import asyncio
import base64
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.acceptance.configuration import OPENAI_PRICE, PROVIDER_KEY, model, providers
from tests.acceptance.conftest import MakeGateway, make_gateway, provider  # noqa: F401
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import Seen, post
from tests.promises.conftest import Figure

from bascule.decide.redaction import Redactor
from bascule.server.logs import JsonFormatter, PlainFormatter
from bascule.testing.script import Script

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
CLIENT_KEY = "bk-7client-canary-Zq7!w+Rt/5=Yp"
ADMIN_KEY = "bk-8admin-canary-8Hn4Jx2Lc6Vb"
WRONG_KEY = "bk-9wrong-canary-1Ms9Dk3Ft5Gy"
PROMPT = "canary prompt: my neighbour's cat is called Ferdinand"
ANSWER = "canary answer: a fine name for any cat"


ECHOES = (
    PROVIDER_KEY,
    quote(PROVIDER_KEY, safe="").lower(),
    base64.b64encode(f"user:{PROVIDER_KEY}".encode()).decode(),
    PROVIDER_KEY[:12] + "…",
    PROVIDER_KEY.encode().hex(),
)
ECHOING = "Incorrect API key provided: " + ", ".join(ECHOES)
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
    """As it is, quoted, encoded (base64 wherever it stands in what was encoded), and its first 12 characters."""
    plain = secret.encode()
    found = {
        plain,
        quote(secret, safe="").encode(),
        plain.hex().encode(),
        json.dumps(secret)[1:-1].encode(),
        plain[:12],
    }
    found |= {base64.b64encode(b"\0" * before + plain)[4:-4] for before in range(3)}
    return found | {form.lower() for form in found if b"%" in form}


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


@pytest.mark.promise(28, fault="canary keys; echoes of them with 401 to 500 and in streams; DEBUG", limit="leaks 0")
def test_canaries_stay_inside(make_gateway: MakeGateway, provider: Provider, full: bool, figure: Figure) -> None:  # noqa: F811
    # One provider for each request that fails: a breaker would keep its next words away.
    failing = {
        f"{kind}-{number}-{stream}": kind
        for kind in ("openai-type", "anthropic-type")
        for number in range(len(SCRIPTS))
        for stream in (False, True)
    }
    shapes = providers(provider.openai_url, provider.anthropic_url)
    models = {name: model(name, name, OPENAI_PRICE) for name in failing}
    gateway = make_gateway(
        {"CLIENT_KEY": CLIENT_KEY, "ADMIN_KEY": ADMIN_KEY},
        providers=shapes | {name: shapes[kind] for name, kind in failing.items()},
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
        {"authorization": f"Bearer {CLIENT_KEY}", "x-bascule-session": ADMIN_KEY[:9]},
    ]
    for number, script in enumerate(SCRIPTS):
        provider.use(script)
        for path in (CHAT, MESSAGES):
            for stream in (False, True):
                kind = "anthropic-type" if path == MESSAGES else "openai-type"
                say(path, ways[0], stream=stream, model=f"{kind}-{number}-{stream}")
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
    for page in ("keys", "budgets", "ledger", "ledger?rows=requests", "reports", "sessions", "config", "audit"):
        status, body = gateway.get(f"/bascule/api/{page}", ADMIN_KEY)
        assert status == 200, page
        said.append(body.encode())
    process = Path(f"/proc/{gateway.pid}")
    said.append((process / "cmdline").read_bytes())
    assert re.search(r"Max core file size +0 +0 ", (process / "limits").read_text())
    commands = [("ledger", "export"), ("keys", "list", "--json"), ("budgets", "show", "--json"), ("report",),
                ("audit", "list", "--json"), ("check",)]  # fmt: skip
    for arguments in commands if full else commands[:1]:
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
    figure("answers and files", len(said) + len(kept(gateway)))
    figure("leaks", 0)


@pytest.mark.promise(28, fault="a provider that redirects", limit="leaks 0")
def test_a_redirect_carries_no_credential(make_gateway: MakeGateway, provider: Provider) -> None:  # noqa: F811
    provider.use(Script(fault="redirect"))
    gateway = make_gateway().start()
    before = provider.upstream.trap_hits
    assert send(gateway, CHAT, {}).status == 502
    assert provider.upstream.trap_hits == before


@pytest.mark.promise(28, fault="answers and errors that a cache on the way may keep", limit="all private")
def test_what_is_private_says_so(make_gateway: MakeGateway, provider: Provider) -> None:  # noqa: F811
    provider.use(Script(text=ANSWER))
    gateway = make_gateway().start()
    for path in (CHAT, MESSAGES):
        assert send(gateway, path, {}).headers["cache-control"] == "private, no-store"
        assert send(gateway, path, {}, model="gpt-99").headers["cache-control"] == "private, no-store"


@pytest.mark.promise(28, fault="every form of a key in messages, fields and tracebacks of the log", limit="leaks 0")
def test_the_log_says_no_form_of_it(figure: Figure) -> None:
    redactor = Redactor([CLIENT_KEY, ADMIN_KEY, PROVIDER_KEY])
    said = 0
    for secret in (CLIENT_KEY, ADMIN_KEY, PROVIDER_KEY):
        encoded = [base64.b64encode(f"{'u' * before}{secret}:more".encode()).decode() for before in range(4)]
        escaped = quote(secret, safe="")
        for shown in (secret, secret[:12], secret[:17], escaped, escaped.lower(), secret.encode().hex(), *encoded):
            try:
                raise ValueError(shown)
            except ValueError:
                record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed: %s", (shown,), sys.exc_info())
            record.__dict__["where"] = {"header": shown, "raw": shown.encode()}
            for formatter in (JsonFormatter(redactor), PlainFormatter(redactor)):
                assert leaks(formatter.format(record).encode(), [secret]) == [], shown
                said += 1
    figure("lines", said)


def test_the_look_finds_what_is_there() -> None:
    secrets = [PROVIDER_KEY, CLIENT_KEY, ADMIN_KEY, WRONG_KEY]
    encoded = base64.b64encode(b"me:" + ADMIN_KEY.encode()).decode()
    for hidden in (*ECHOES, quote(CLIENT_KEY, safe=""), encoded, WRONG_KEY[:20], WRONG_KEY[:12]):
        assert leaks(f"… {hidden} …".encode(), secrets), hidden
