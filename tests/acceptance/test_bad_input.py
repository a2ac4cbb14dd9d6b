"""What clients, files and disks should not do, and what the gateway answers: the right error, and nothing more."""

import asyncio
import json
import resource
from collections.abc import Iterator
from typing import Any

import pytest
from tests.acceptance.configuration import PROVIDER_ENV, configuration
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.money import TARIFF
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import Seen, post, raw

from bascule.testing.chaos.reconcile import reconcile
from bascule.testing.script import Script

pytestmark = pytest.mark.real

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
MAX_BODY = 200_000
HELLO: dict[str, Any] = {"model": "oai", "max_tokens": 20, "messages": [{"role": "user", "content": "Hello."}]}


@pytest.fixture(scope="module")
def small(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that takes bodies of 200 kB."""
    server = {"limits": {"max_body_bytes": MAX_BODY}}
    config = configuration(provider.openai_url, provider.anthropic_url, server=server)
    made = Gateway(tmp_path_factory.mktemp("gateway"), config, PROVIDER_ENV).start()
    yield made
    assert made.stop() == 0
    assert "Traceback" not in made.output()


def send(gateway: Gateway, path: str, body: Any, headers: dict[str, str] | None = None) -> Seen:
    return asyncio.run(post(gateway.url, path, body, headers))


def refused(seen: Seen, path: str, status: int) -> str:
    """The message of an error in the dialect of its path."""
    assert seen.status == status, (seen.status, seen.body[:500])
    told = seen.json()
    assert told.get("type") == ("error" if path == MESSAGES else None)
    message: str = told["error"]["message"]
    assert message
    assert told["error"]["type"]
    assert "Traceback" not in message
    assert ".py" not in message
    return message


def nested(depth: int) -> bytes:
    return b'{"model":"oai","messages":[{"role":"user","content":' + b"[" * depth + b"]" * depth + b"}]}"


MALFORMED: dict[str, Any] = {
    "nothing": b"",
    "half": b'{"model": "oai", "messages": [',
    "no JSON": b"model=oai",
    "null": b"null",
    "a list": b"[]",
    "a number": b"7",
    "bad UTF-8": b'{"model":"oai","messages":[{"role":"user","content":"\xff\xfe\xc0"}]}',
    "half a surrogate": rb'{"model":"oai","messages":[{"role":"user","content":"\ud800"}]}',
    "two values": b'{"model":"oai"}{"model":"oai"}',
    "no model": {"messages": HELLO["messages"]},
    "an empty model": {**HELLO, "model": ""},
    "a model that is a number": {**HELLO, "model": 7},
    "no messages": {"model": "oai", "max_tokens": 5},
    "empty messages": {**HELLO, "messages": []},
    "messages that are text": {**HELLO, "messages": "Hello."},
    "a message that is text": {**HELLO, "messages": ["Hello."]},
    "a message without role": {**HELLO, "messages": [{"content": "Hello."}]},
    "content that is a number": {**HELLO, "messages": [{"role": "user", "content": 7}]},
    "a cap that is text": {**HELLO, "max_tokens": "many"},
    "a negative cap": {**HELLO, "max_tokens": -1},
    "a cap of nothing": {**HELLO, "max_tokens": 0},
    "stream that is text": {**HELLO, "stream": "yes"},
    "tools that are a word": {**HELLO, "tools": "all"},
    "deep": nested(10_000),
    "deep enough": nested(250),
    "infinity": b'{"model":"oai","temperature":Infinity,"messages":[{"role":"user","content":"x"}]}',
}


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_400_and_goes_nowhere(small: Gateway, provider: Provider, path: str, name: str) -> None:
    provider.use(Script())
    refused(send(small, path, MALFORMED[name]), path, 400)
    assert provider.served == []


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_an_unknown_model_is_404(small: Gateway, provider: Provider, path: str) -> None:
    provider.use(Script())
    assert "gpt-99" in refused(send(small, path, {**HELLO, "model": "gpt-99"}), path, 404)
    assert provider.served == []


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_body_that_is_too_long_is_413(small: Gateway, provider: Provider, path: str) -> None:
    provider.use(Script())
    long = {**HELLO, "messages": [{"role": "user", "content": "x" * MAX_BODY}]}
    assert str(MAX_BODY) in refused(send(small, path, long), path, 413)
    assert provider.served == []


def test_a_length_that_is_too_long_is_refused_before_the_body(small: Gateway) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nhost: {small.url[7:]}\r\nconnection: close\r\ncontent-length: 99999999999\r\n\r\n"
    refused(asyncio.run(raw(small.url, head.encode(), timeout_s=10)), CHAT, 413)


def test_chunks_without_a_length_are_counted(small: Gateway) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nhost: {small.url[7:]}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (50_000, b"x" * 50_000)
    seen = asyncio.run(raw(small.url, head.encode() + chunk * 5 + b"0\r\n\r\n", timeout_s=10))
    refused(seen, CHAT, 413)


@pytest.mark.parametrize(
    ("lines", "statuses"),
    [
        (["host: {host}", "host: evil.example"], {400, 403}),
        (["host: evil.example"], {403}),
        (["host: {host}", "content-length: 2", "transfer-encoding: chunked"], {400}),
        (["host: {host}", "content-length: 2", "content-length: 3"], {400}),
        (["host: {host}", "content-length: -2"], {400}),
        (["host: {host}", "content-encoding: gzip", "content-length: 2"], {400, 415}),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(
    small: Gateway, provider: Provider, lines: list[str], statuses: set[int]
) -> None:
    provider.use(Script())
    told = "".join(f"{line.format(host=small.url[7:])}\r\n" for line in lines)
    data = f"POST {CHAT} HTTP/1.1\r\n{told}connection: close\r\n\r\n".encode() + b"{}"
    seen = asyncio.run(raw(small.url, data, timeout_s=10))
    assert seen.status in statuses, (seen.status, seen.broken, seen.body)
    assert provider.served == []


def test_a_page_of_another_site_may_not_use_an_open_gateway(small: Gateway, provider: Provider) -> None:
    provider.use(Script())
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        refused(send(small, CHAT, HELLO, headers), CHAT, 403)
    assert provider.served == []


def test_a_path_that_is_not_served_is_404_in_the_dialect(small: Gateway) -> None:
    assert refused(send(small, "/v1/nothing", HELLO), "/v1/nothing", 404)
    seen = send(small, "/v1/nothing", HELLO, {"anthropic-version": "2023-06-01"})
    assert (seen.status, seen.json()["type"]) == (404, "error")
    assert small.get(CHAT)[0] == 405


UNKNOWN = {"x_new_field": {"deep": [1, {"er": None}]}, "another": "é\u2028"}


@pytest.mark.parametrize(("path", "model"), [(CHAT, "oai"), (MESSAGES, "ant")])
def test_unknown_fields_stay_in_the_same_dialect(small: Gateway, provider: Provider, path: str, model: str) -> None:
    provider.use(Script())
    assert send(small, path, {**HELLO, **UNKNOWN, "model": model}).status == 200
    sent = provider.last.request_body
    assert {name: sent[name] for name in UNKNOWN} == UNKNOWN


@pytest.mark.parametrize(("path", "model"), [(CHAT, "ant"), (MESSAGES, "oai")])
def test_unknown_fields_are_dropped_for_another(small: Gateway, provider: Provider, path: str, model: str) -> None:
    provider.use(Script())
    assert send(small, path, {**HELLO, **UNKNOWN, "model": model}).status == 200
    assert not UNKNOWN.keys() & provider.last.request_body.keys()


# Configuration and disk.


def fails_to_start(gateway: Gateway) -> tuple[int, str]:
    """Exit status and output of a `serve` that cannot begin."""
    done = gateway.command("serve", "-c", str(gateway.file), "--port", "0")
    told = done.stdout + done.stderr
    assert "Traceback" not in told, told
    assert "listens on" not in told
    return done.returncode, told


def test_five_mistakes_are_told_at_once_with_their_lines(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    gateway.file.write_text(
        "server: {port: many}\n"
        "durabilty: process\n"
        "providers:\n"
        "  local: {dialect: openai_chat, base_url: http://127.0.0.1:9/v1, api_key: sk-live-canary-in-the-file}\n"
        "models:\n"
        "  a:\n"
        "    endpoints: [{provider: locl, model: a}]\n"
        "    price: {input: -3}\n",
        encoding="utf-8",
    )
    status, told = fails_to_start(gateway)
    assert status == 2
    for line in (1, 2, 4, 7, 8):
        assert f":{line}" in told or f"line {line}" in told, (line, told)
    assert "durability" in told
    assert "env:" in told
    assert "sk-live-canary" not in told
    checked = gateway.command("check", "-c", str(gateway.file))
    assert checked.returncode == 2


@pytest.mark.parametrize("secret", ["", "   "])
def test_an_empty_secret_is_no_secret(make_gateway: MakeGateway, secret: str) -> None:
    gateway = make_gateway({"CI_KEY": secret}, keys={"ci": {"secret": "env:CI_KEY"}})
    status, told = fails_to_start(gateway)
    assert status == 2
    assert "CI_KEY" in told


def test_no_keys_off_loopback_is_refused(make_gateway: MakeGateway) -> None:
    status, told = fails_to_start(make_gateway(server={"host": "0.0.0.0"}))
    assert status == 2
    assert "key" in told


def test_a_file_that_is_not_there(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    gateway.file.unlink()
    status, told = fails_to_start(gateway)
    assert status == 2
    assert "bascule.yaml" in told


def test_a_database_that_cannot_be_read(make_gateway: MakeGateway, provider: Provider) -> None:
    gateway = make_gateway().start()
    provider.use(Script())
    assert send(gateway, CHAT, HELLO).status == 200
    assert gateway.stop() == 0
    (gateway.data_dir / "ledger.sqlite3").write_bytes(b"this is no database " * 1000)
    status, told = fails_to_start(gateway)
    assert status == 1
    assert "ledger.sqlite3" in told
    for command in (("ledger", "export"), ("ledger", "verify"), ("sessions",), ("report",)):
        done = gateway.command(*command, "-c", str(gateway.file))
        assert done.returncode == 1, command
        assert "Traceback" not in done.stderr
        assert "ledger.sqlite3" in done.stderr


def test_a_data_directory_that_is_a_file(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    gateway.data_dir.write_text("no folder", encoding="utf-8")
    status, told = fails_to_start(gateway)
    assert status == 1
    assert str(gateway.data_dir) in told


FILE_LIMIT = 300_000


def little_disk() -> None:
    """No file of this process may grow beyond the limit: a full disk for the store and, soon after, the journal."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))


def test_a_full_disk_refuses_new_work_and_loses_nothing(make_gateway: MakeGateway, provider: Provider) -> None:
    gateway = make_gateway()
    provider.use(Script(output_tokens=5))
    gateway.start("--log-level", "error", preexec=little_disk)
    seen = asyncio.run(fill(gateway))
    assert {one.status for one in seen} == {200, 503}
    full = next(one for one in seen if one.status == 503)
    assert "ledger" in full.json()["error"]["message"]
    assert int(full.headers["retry-after"]) > 0
    assert gateway.get("/healthz")[0] == 200
    assert gateway.get("/readyz")[0] == 503
    gateway.stop()
    gateway.start()
    assert gateway.get("/readyz")[0] == 200
    assert send(gateway, CHAT, numbered(9_999_999), {"x-bascule-tag": "n=9999999"}).status == 200
    found = reconcile(gateway.rows(), provider.served, TARIFF, crashed=True)
    assert not found.findings, found.report()
    gateway.verify()


def numbered(number: int) -> dict[str, Any]:
    return {**HELLO, "messages": [{"role": "user", "content": f"Hello. [#{number}]"}]}


async def fill(gateway: Gateway) -> list[Seen]:
    """Requests until some are refused."""
    seen: list[Seen] = []
    for start in range(0, 4_000, 40):
        numbers = range(start, start + 40)
        headers = [{"x-bascule-tag": f"n={number}"} for number in numbers]
        asked = [post(gateway.url, CHAT, numbered(n), tag) for n, tag in zip(numbers, headers, strict=True)]
        seen += await asyncio.gather(*asked)
        if sum(one.status == 503 for one in seen) >= 20:
            return seen
    raise AssertionError(f"{len(seen)} requests did not fill {FILE_LIMIT} bytes: {json.dumps(seen[-1].headers)}")
