"""Promise 30: requests that two readers may read differently, on bare sockets, by everybody but an administrator.

Nothing under the admin API may answer with success, nothing may be changed, no provider may be called without a key.
"""

import asyncio
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from tests.acceptance.conftest import MakeGateway, make_gateway, provider  # noqa: F401
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import Seen, raw
from tests.promises.conftest import Figure
from tests.unit.server.conftest import CONFIG, Gate

from bascule.server.admin.routes import PREFIX, admin_calls
from bascule.server.hot import HOT_ROUTES, MODEL_PREFIXES, MODEL_VERBS
from bascule.testing.script import Script

MEMBER, ADMIN = "bk-member-0123456789abcdef", "bk-Admin-0123456789abcdef"
OPEN_PAGES = (b"Bascule is running. Its API is under /v1, its health at /healthz.\n", b"ok\n", b"ready\n")
"""What anybody may read."""

ADMIN_PATHS = [
    "/metrics",
    *[PREFIX + path for path in ("/keys", "/keys/member", "/budgets", "/ledger", "/config", "/audit", "/reports",
                                 "/ledger/adjustments", "/sessions")],
]  # fmt: skip
DATA_PATHS = [path.decode() for path in HOT_ROUTES] + [
    f"{prefix.decode()}models/oai:{verb.decode()}" for prefix in MODEL_PREFIXES for verb in MODEL_VERBS
]
METHODS = ["GET", "POST", "HEAD", "DELETE", "PATCH", "PUT", "OPTIONS", "TRACE", "get", "POST ", "PROPFIND", "CONNECT"]
BODY = json.dumps(
    {"name": "stolen", "role": "admin", "scope": "key:member", "window": "day", "limit_usd": 9, "model": "oai",
     "messages": [{"role": "user", "content": "hi"}], "input": "hi", "max_tokens": 9,
     "contents": [{"parts": [{"text": "hi"}]}]}
).encode()  # fmt: skip


def strangers() -> list[list[str]]:
    """Who may not administer: nobody, a member, a guess, and what is nearly the secret."""
    shown = ["", "Bearer", "Bearer ", "Bearer null", f"Bearer {MEMBER}", f"Basic {ADMIN}", f"Bearer {ADMIN[:-1]}",
             f"Bearer {ADMIN.lower()}", f"Bearer {ADMIN} x", f"Bearer x {ADMIN}", f"Token {ADMIN}", ADMIN]  # fmt: skip
    return [[f"authorization: {value}"] for value in shown] + [
        [],
        [f"x-api-key: {MEMBER}"],
        [f"x-goog-api-key: {MEMBER}"],
        [f"authorization: Bearer {MEMBER}", f"authorization: Bearer {ADMIN}"],
        [f"x-api-key: {MEMBER}", f"x-goog-api-key: {ADMIN}"],
        [f"cookie: key={ADMIN}; session={ADMIN}"],
        [f"proxy-authorization: Bearer {ADMIN}", f"x-admin-key: {ADMIN}"],
    ]


HEADERS = [
    f"x-original-url: {PREFIX}/keys", f"x-rewrite-url: {PREFIX}/keys", "x-forwarded-host: localhost",
    f"x-forwarded-prefix: {PREFIX}", f"x-forwarded-uri: {PREFIX}/config", "x-real-ip: 127.0.0.1",
    "x-forwarded-for: 127.0.0.1",
    "forwarded: for=127.0.0.1;host=localhost;proto=https", "x-http-method-override: GET", "x-http-method: DELETE",
    "x-method-override: PATCH", "x-bascule-role: admin", "x-bascule-user: admin", "x-script-name: /bascule",
    "content-type: application/x-www-form-urlencoded", "accept: text/html", "upgrade: h2c", "upgrade: websocket",
    "x-forwarded-proto: https", "via: 1.1 admin", "x-remote-user: admin",
]  # fmt: skip
HOSTS = ["127.0.0.1", "localhost", "LOCALHOST:80", "[::1]", "evil.example", "127.0.0.1/healthz?", "admin@127.0.0.1",
         "127.0.0.1:8787#", "", "127.0.0.1, evil.example"]  # fmt: skip
INSIDE = ["/", "//", "/./", "/x/../", "/../", "%2f", "%2F", "%252f", "\\", "%5c", ";a=b/", "/%2e/", "/%2e%2e/", "%00",
          "%c0%af", "%ef%bc%8f", "\t", "%20", "%0d%0a", "/;/"]  # fmt: skip
BEFORE = ["", "/", "//", "/.", "/x/..", "/healthz/..", "/healthz/../..", "/v1/..", "/healthz;", "/healthz%2f..", "/%2e",
          "/v1/models/..", "/v1/models/x/../../..", "http://127.0.0.1", "http://evil.example", "https://localhost:1",
          "//127.0.0.1", "http:", "http://127.0.0.1/healthz/..", "\\", "/healthz?", "/healthz#", "*"]  # fmt: skip
AFTER = ["", "", "/", "//", "/.", "/..;/", "?", "#", "#/healthz", "%23", ".json", "%20", "%00", ";x", "?_method=GET",
         f"?key={MEMBER}", "?key=", f"?key={MEMBER}&key={ADMIN}", f"?authorization=Bearer+{ADMIN}", "/healthz",
         f"?access_token={ADMIN}", "%2f", "\\"]  # fmt: skip


def bent(path: str, dice: random.Random) -> str:
    """The path as another reader might write it; sometimes as it is."""
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        at = dice.randrange(1, len(path))
        match dice.randrange(5):
            case 0:
                slash = path.find("/", at)
                path = path if slash < 0 else path[:slash] + dice.choice(INSIDE) + path[slash + 1 :]
            case 1:
                path = path[:at] + path[at:].swapcase()
            case 2:
                path = f"{path[:at]}%{ord(path[at]):02x}{path[at + 1 :]}"
            case 3:
                path = f"{path[:at]}%25{ord(path[at]):02X}{path[at + 1 :]}"
            case _:
                path = path[:at] + dice.choice(INSIDE) + path[at:]
    return dice.choice(BEFORE) + path + dice.choice(AFTER)


def equals(path: str) -> Iterator[str]:
    """Other ways to write the very same path."""
    yield "http://127.0.0.1" + path
    yield "/" + "".join([f"%{ord(char):02X}" for char in path[1:]])
    for at in range(1, len(path), 3):
        yield f"{path[:at]}%{ord(path[at]):02x}{path[at + 1 :]}"


def requests(paths: list[str], count: int, seed: int) -> Iterator[bytes]:
    """Every path once as it stands by every stranger, then as many bent ones as it takes."""
    dice = random.Random(seed)
    who = strangers()
    for path in paths:
        for stranger in who:
            for method in ("GET", "POST", "DELETE", "PATCH"):
                yield one(method, path, ["host: 127.0.0.1", *stranger])
        for same in equals(path):
            for stranger in ([], [f"authorization: Bearer {MEMBER}"]):
                yield one("GET", same, ["host: 127.0.0.1", *stranger])
    for _ in range(count):
        lines = [f"host: {dice.choice(HOSTS[:4] if dice.random() < 0.7 else HOSTS)}"]
        if dice.random() < 0.1:
            lines.append(f"host: {dice.choice(HOSTS)}")
        lines += [*dice.choice(who), *dice.sample(HEADERS, dice.randrange(4))]
        dice.shuffle(lines)
        yield one(dice.choice(METHODS), bent(dice.choice(paths), dice), lines, dice.choice(("1.1", "1.1", "1.0")))


def one(method: str, target: str, lines: list[str], version: str = "1.1") -> bytes:
    head = [f"{method} {target} HTTP/{version}", *lines, "connection: close", f"content-length: {len(BODY)}"]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + (b"" if method == "HEAD" else BODY)


async def send(url: str, data: bytes) -> Seen:
    try:
        return await raw(url, data, timeout_s=10)
    except (TimeoutError, ValueError, IndexError) as error:  # no answer that could be read is no success
        return Seen(broken=str(error))


def is_no_success(seen: Seen) -> bool:
    """Refused, or a page that anybody may read; of HEAD's answer only the length tells which."""
    if seen.status is None or seen.status >= 400:
        return True
    lengths = {str(len(page)) for page in OPEN_PAGES}
    is_open = seen.body in OPEN_PAGES or (not seen.body and seen.headers.get("content-length") in lengths)
    return seen.status == 200 and is_open


@pytest.fixture
def gateway(make_gateway: MakeGateway, provider: Provider) -> Gateway:  # noqa: F811
    provider.use(Script(text="an answer"))
    return make_gateway(
        {"MEMBER": MEMBER, "ADMIN": ADMIN},
        keys={"member": {"secret": "env:MEMBER"}},
        admin={"secret": "env:ADMIN"},
        server={"limits": {"head_timeout_s": 5, "body_idle_s": 5}},
    ).start()


@pytest.mark.promise(30, fault="paths, hosts, methods, headers and keys bent on bare sockets", limit="admin 2xx 0")
def test_no_admin_answer_without_an_administrator(gateway: Gateway, full: bool, figure: Figure) -> None:
    statuses: dict[int | None, int] = {}

    async def attack() -> None:
        for data in requests(ADMIN_PATHS, 20_000 if full else 700, 30):
            seen = await send(gateway.url, data)
            statuses[seen.status] = statuses.get(seen.status, 0) + 1
            assert is_no_success(seen), (data, seen)
        plain = await send(
            gateway.url, one("GET", f"{PREFIX}/keys", ["host: localhost", f"authorization: Bearer {ADMIN}"])
        )
        assert plain.status == 200
        assert {key["name"] for key in plain.json()["data"]} == {"member"}

    asyncio.run(attack())
    acts = {entry["action"] for entry in json.loads(gateway.run("audit", "list", "--json"))}
    assert acts == {"config.use"}
    figure("requests", sum(statuses.values()))
    figure("refused", sum(count for status, count in statuses.items() if status is None or status >= 400))
    figure("admin 2xx", 0)
    assert {401, 403, 404} <= set(statuses)


@pytest.mark.promise(30, fault="the administrator's secret, and Host and Origin, behind the body", limit="admin 2xx 0")
def test_what_comes_behind_the_body_is_no_header(gateway: Gateway, figure: Figure) -> None:
    """Whoever stands before the gateway has judged the head: a trailer gives nothing and takes nothing away."""
    own = [f"authorization: Bearer {ADMIN}"]
    statuses: list[int | None] = []

    async def attack() -> None:
        for path in ADMIN_PATHS:
            seen = [await send(gateway.url, behind("POST", path, [], late)) for late in (*own, f"x-api-key: {ADMIN}")]
            statuses.extend([one.status for one in seen])
        for late in ("host: evil.example", "origin: http://evil.example"):
            assert (await send(gateway.url, behind("GET", f"{PREFIX}/keys", own, late))).status == 200

    asyncio.run(attack())
    figure("requests", len(statuses))
    figure("admin 2xx", sum(status is not None and status < 400 for status in statuses))
    assert set(statuses) <= {401, 403, 404, 405}


def behind(method: str, target: str, lines: list[str], late: str) -> bytes:
    """A request in chunks, with a trailer."""
    head = [f"{method} {target} HTTP/1.1", "host: 127.0.0.1", *lines, "connection: close", "transfer-encoding: chunked"]
    chunks = b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
    return "\r\n".join(head).encode() + b"\r\n\r\n" + chunks + late.encode() + b"\r\n\r\n"


@pytest.mark.promise(30, fault="the same at the routes that cost, without a key", limit="hits 0")
def test_no_provider_is_called_without_a_key(gateway: Gateway, provider: Provider, full: bool, figure: Figure) -> None:  # noqa: F811
    dice = random.Random(31)
    sent = 0

    async def attack() -> None:
        nonlocal sent
        for _ in range(10_000 if full else 500):
            stranger = dice.choice([who for who in strangers() if MEMBER not in str(who)])
            target = bent(dice.choice(DATA_PATHS), dice)
            if MEMBER in target:
                continue
            lines = ["host: 127.0.0.1", *stranger, *dice.sample(HEADERS, dice.randrange(3))]
            seen = await send(gateway.url, one(dice.choice(("POST", "POST", "GET", "PUT")), target, lines))
            sent += 1
            assert is_no_success(seen), (target, lines, seen)

    asyncio.run(attack())
    assert provider.served == []
    assert gateway.rows() == []
    figure("requests", sent)
    figure("upstream hits", 0)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path, CONFIG + "admin: {secret: env:BASCULE_ADMIN}\n")
    yield made
    made.service.gateway.close()


@pytest.mark.promise(30, fault="every admin route, walked by everybody who has not its role", limit="2xx 0")
def test_every_admin_route_refuses_whoever_has_not_its_role(gate: Gate, figure: Figure) -> None:
    calls = admin_calls(gate.service.administration())
    routes = cast(Starlette, gate.service.application().cold).routes
    served = {path for route in routes if (path := cast(Route, route).path).startswith("/bascule")}
    assert served == {PREFIX + call.path for call in calls}, "an admin route that no table has"
    tried = 0

    async def attack() -> None:
        nonlocal tried
        made = {}
        for role in ("member", "auditor", "team_admin", "admin"):
            key = {"name": f"gone-{role}", "role": role, "org": "acme", "team": "platform"}
            made[role] = (await gate("admin", "POST", "/keys", key)).json["secret"]
            await gate("admin", "DELETE", f"/keys/gone-{role}")
        for call in calls:
            before = gate.trail
            path = re.sub(r"\{.*?\}", "ci", call.path)
            strangers: list[tuple[str | None, str | None]] = [
                (None, None),
                (None, "guess"),
                ("ci", None),
                ("lost", None),
            ]
            strangers += [(None, secret) for secret in made.values()]
            strangers += [
                (who, None) for who, role in (("look", "auditor"), ("lead", "team_admin")) if role not in call.roles
            ]
            for who, secret in strangers:
                answer = await gate(who, call.method, path, {}, secret=secret)
                assert answer.status in (401, 403), (call.method, call.path, who, answer)
                tried += 1
            assert gate.trail == before, call.path
            assert (await gate("admin", call.method, path, {})).status not in (401, 403), call.path

    asyncio.run(attack())
    figure("routes", len(calls))
    figure("calls", tried)
