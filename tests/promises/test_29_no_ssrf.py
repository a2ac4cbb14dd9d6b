"""Nothing that a client, a provider or a receiver says makes the gateway, or a server of ours, reach inside."""

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.process import Gateway
from tests.promises.traps import Answer, Counting, Hit, counting

from bascule.config.load import load_text
from bascule.config.sources import Secrets
from bascule.decide.addresses import as_network
from bascule.link import link
from bascule.model.errors import ConfigError
from bascule.model.receiver import Receiver
from bascule.ports import NotDelivered
from bascule.prices.book import PriceBook
from bascule.upstream.guarded import GuardedConnector

Figure = Callable[..., None]
PROVIDER_KEY = "sk-upstream-canary-redirect-0123456789"
REDIRECTS = (301, 302, 303, 307, 308)


@pytest.fixture
def trap() -> Iterator[Counting]:
    """What must not be reached: it stands for a metadata service."""
    with counting() as server:
        yield server


def notations(port: int) -> list[str]:
    """The trap's own address as it can be written."""
    hosts = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1", "localhost",
             "LOCALHOST.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::1]", "0.0.0.0", "0",
             "user@127.0.0.1", "8.8.8.8@127.0.0.1", "%31%32%37.0.0.1"]  # fmt: skip
    return [f"http://{host}:{port}/latest/meta-data/" for host in hosts]


@pytest.mark.promise(29, fault="webhooks inside, in every notation and behind every name", limit="trap_hits 0")
def test_no_webhook_reaches_inside(trap: Counting, figure: Figure) -> None:
    refused = 0
    for url in notations(trap.port):
        for address in (url, url.replace("http", "https", 1)):
            with pytest.raises(ConfigError):
                _link(address)
            refused += 1
    for addresses in (["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["0.0.0.0"],
                      ["169.254.169.254"], ["10.0.0.1"], ["fd00:ec2::254"], ["::1"]):  # fmt: skip
        with pytest.raises(NotDelivered) as caught:
            asyncio.run(_post(trap.port, addresses))
        assert caught.value.forbidden, f"{addresses} was tried"
        refused += 1
    figure("trap_hits", len(trap.hits))
    figure("refused", refused)
    assert trap.hits == []


def _link(url: str) -> None:
    text = """
providers: {vllm: {base_url: http://127.0.0.1:1/v1}}
alerts: {webhooks: [{name: ops, url: env:URL, format: slack}]}
"""
    link(load_text(text), PriceBook(), Secrets({"URL": url}, Path()))


async def _post(port: int, addresses: Sequence[str], allowed: str | None = None) -> int:
    """One delivery to a name that has these addresses; unencrypted where its network is allowed."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return await GuardedConnector(timeout_s=2, resolve=resolve).post(_receiver(port, allowed), [], b"{}")


def _receiver(port: int, allowed: str | None) -> Receiver:
    return Receiver(
        host="hooks.example",
        port=port,
        secure=allowed is None,
        target="/",
        authority="hooks.example",
        allowed=() if allowed is None else (as_network(allowed),),
    )


@pytest.mark.promise(29, fault="DNS flips between judging and connecting", limit="trap_hits 0")
def test_the_connection_goes_to_the_address_that_was_judged(trap: Counting, figure: Figure) -> None:
    """The name leads to 127.0.0.2, which is allowed, when it is looked up first, and to the trap ever after."""

    async def flipping() -> int:
        loop = asyncio.get_running_loop()
        asked: list[str] = []

        async def getaddrinfo(host: Any, port: int, **more: Any) -> list[Any]:
            asked.append(host)
            address = "127.0.0.2" if len(asked) == 1 else "127.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign]  # a resolver that an attacker answers
        return await GuardedConnector(timeout_s=2).post(_receiver(trap.port, "127.0.0.2/32"), [], b"{}")

    with counting("127.0.0.2", trap.port) as receiver:
        statuses = [asyncio.run(flipping()) for _ in range(3)]
    figure("trap_hits", len(trap.hits))
    assert trap.hits == []
    assert (statuses, len(receiver.hits)) == ([200] * 3, 3)


@pytest.mark.promise(29, fault="a webhook's receiver redirects inside (301 to 308)", limit="trap_hits 0")
def test_a_receiver_leads_nowhere_else(trap: Counting, figure: Figure) -> None:
    for status in REDIRECTS:
        with counting("127.0.0.2", answer=_redirect(status, trap)) as receiver:
            got = asyncio.run(_post(receiver.port, ["127.0.0.2"], "127.0.0.2/32"))
        assert (got, len(receiver.hits)) == (status, 1)
    figure("trap_hits", len(trap.hits))
    assert trap.hits == []


def _redirect(status: int, trap: Counting) -> Callable[[Hit], Answer]:
    return lambda hit: (status, {"location": f"{trap.url}/v1/chat/completions"}, b"")


DIALECTS = ("openai_chat", "anthropic_messages", "openai_responses", "gemini")


def config(url: str, **more: Any) -> dict[str, Any]:
    """One provider of each dialect, all at `url`, and a model of each."""
    suffixes = {"openai_chat": "/v1", "openai_responses": "/v1", "gemini": "/v1beta"}
    providers = {
        name: {"dialect": name, "base_url": url + suffixes.get(name, ""), "api_key": "env:PROVIDER_KEY"}
        for name in DIALECTS
    }
    models = {
        name: {"endpoints": [{"provider": name, "model": "up"}], "price": {"input": 1, "output": 1},
               "input": ["text", "image"]}
        for name in DIALECTS
    }  # fmt: skip
    return {
        "providers": providers,
        "models": models,
        "retry": {"max_attempts": 1},
        "breaker": {"enabled": False},
        **more,
    }


def ask(gateway: Gateway, path: str, body: Any, **headers: str) -> int:
    """Its status."""
    request = urllib.request.Request(
        f"{gateway.url}{path}",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", **{name.replace("_", "-"): v for name, v in headers.items()}},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def naming(url: str) -> list[tuple[str, dict[str, Any]]]:
    """Requests of every dialect that name `url` as an image, a file, or a tool's server: path and body."""
    text = {"type": "text", "text": "look"}
    chat = [
        {"type": "image_url", "image_url": {"url": url}}, {"type": "image_url", "image_url": url},
        {"type": "video_url", "video_url": {"url": url}}, {"type": "audio_url", "audio_url": {"url": url}},
        {"type": "file", "file": {"file_url": url}},
    ]  # fmt: skip
    source = {"type": "url", "url": url}
    blocks = [{"type": "image", "source": source}, {"type": "document", "source": source}]
    blocks.append({"type": "tool_result", "tool_use_id": "t", "content": list(blocks)})
    items = [{"type": "input_image", "image_url": url}, {"type": "input_file", "file_url": url}]
    found: list[tuple[str, dict[str, Any]]] = [
        ("/v1/chat/completions", {"model": "openai_chat", "messages": [{"role": "user", "content": [text, part]}]})
        for part in chat
    ]
    found += [
        ("/v1/messages", {"model": "anthropic_messages", "max_tokens": 9,
                          "messages": [{"role": "user", "content": [text, block]}]})
        for block in blocks
    ]  # fmt: skip
    servers = [{"type": "url", "name": "m", "url": url}]
    said = [{"role": "user", "content": "hi"}]
    found.append(("/v1/messages", {"model": "anthropic_messages", "max_tokens": 9, "messages": said,
                                   "mcp_servers": servers}))  # fmt: skip
    found += [
        ("/v1/responses", {"model": "openai_responses", "input": [{"role": "user", "content": [item]}]})
        for item in items
    ]
    tool = {"type": "mcp", "server_label": "m", "server_url": url}
    found.append(("/v1/responses", {"model": "openai_responses", "input": "hi", "tools": [tool]}))
    found += [
        ("/v1beta/models/gemini:generateContent",
         {"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": url, "mimeType": kind}}]}]})
        for kind in ("image/png", "application/pdf")
    ]  # fmt: skip
    return found


@pytest.mark.promise(29, fault="307 from a provider; base URLs, images and files named by clients", limit="trap_hits 0")
def test_no_client_sends_the_gateway_anywhere(trap: Counting, figure: Figure, tmp_path: Path, full: bool) -> None:
    """A provider that redirects keeps its key to itself, and what clients name is passed on as text and no more."""
    env = {"PROVIDER_KEY": PROVIDER_KEY}
    sent = 0
    with counting(answer=_redirect(307, trap)) as provider:
        gateway = Gateway(tmp_path, config(provider.url, request={"image_urls": "pass"}), env).start()
        try:
            for url in notations(trap.port)[: None if full else 2]:
                for path, body in naming(url):
                    ask(gateway, path, body)
                    sent += 1
            named, reached = sent, len(provider.hits)
            for path, body, headers in _with_base_urls(f"{trap.url}/v1"):
                ask(gateway, path, body, **headers)
                sent += 1
            for line in _as_a_proxy(trap.port):
                _say(gateway, line)
                sent += 1
        finally:
            gateway.stop()
    figure("trap_hits", len(trap.hits))
    figure("requests", sent)
    assert trap.hits == []
    assert reached == named, "requests did not get as far as a provider, so nothing is proved"
    assert all(PROVIDER_KEY.encode() in hit.head for hit in provider.hits if hit.line)


def _with_base_urls(url: str) -> list[tuple[str, dict[str, Any], dict[str, str]]]:
    """The ways in which other gateways let a request say where it should go."""
    said: dict[str, Any] = {"model": "openai_chat", "messages": [{"role": "user", "content": "hi"}]}
    names = ("api_base", "base_url", "endpoint", "azure_endpoint", "baseUrl", "proxy")
    found = [("/v1/chat/completions", {**said, name: url}, {}) for name in names]
    found += [("/v1/chat/completions", {**said, "extra_body": {name: url}}, {}) for name in names]
    found += [(f"/v1/chat/completions?{name}={url}", said, {}) for name in names]
    for header in ("x_api_base", "x_base_url", "x_portkey_custom_host", "helicone_target_url", "x_forwarded_host",
                   "x_original_url", "x_stainless_base_url", "location", "proxy_authorization"):  # fmt: skip
        found.append(("/v1/chat/completions", said, {header: url}))
    for model in (url, f"openai_chat/{url}", f"openai_chat@{url}", f"{url}/openai_chat", "openai_chat/../../x?y=z#f"):
        found.append(("/v1/chat/completions", {**said, "model": model}, {}))
    found.append(("/v1/chat/completions", {**said, "provider": {"order": [url], "base_url": url}}, {}))
    return found


def _as_a_proxy(port: int) -> list[bytes]:
    """Requests that ask the gateway to be a proxy."""
    body = json.dumps({"model": "openai_chat", "messages": [{"role": "user", "content": "hi"}]}).encode()
    rest = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
    trap = b"127.0.0.1:%d" % port
    return [
        b"POST http://%b/v1/chat/completions HTTP/1.1\r\nhost: %b\r\n%b%b" % (trap, trap, rest, body),
        b"POST http://%b/v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n%b%b" % (trap, rest, body),
        b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n\r\n" % (trap, trap),
        b"GET http://%b/ HTTP/1.1\r\nhost: %b\r\nconnection: close\r\n\r\n" % (trap, trap),
    ]


def _say(gateway: Gateway, raw: bytes) -> None:
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(raw)
        connection.settimeout(0.5)
        try:
            while connection.recv(65536):
                pass
        except TimeoutError:
            return  # a tunnel that was never opened stays silent


@pytest.mark.promise(29, fault="addresses inside, named to a model server of ours by clients", limit="provider_hits 0")
def test_no_server_of_ours_is_made_to_fetch(trap: Counting, figure: Figure, tmp_path: Path, full: bool) -> None:
    """A local model server can reach what its clients cannot: by default it is not given addresses inside."""
    with counting() as provider:
        gateway = Gateway(tmp_path, config(provider.url), {"PROVIDER_KEY": PROVIDER_KEY}).start()
        try:
            inside = [
                *notations(trap.port),
                "http://169.254.169.254/latest/",
                "file:///etc/passwd",
                "http://db.internal/",
            ]
            bodies = [one for url in (inside if full else inside[::4]) for one in naming(url)]
            statuses = [ask(gateway, path, body) for path, body in bodies]
            hits = len(provider.hits)
            ask(gateway, *naming("https://example.com/a.png")[0])
            outside = len(provider.hits) - hits
        finally:
            gateway.stop()
    figure("provider_hits", hits)
    figure("refused", len(statuses))
    assert hits == 0
    assert set(statuses) == {403}
    assert outside == 1, "a public address must get through, or nothing is proved"
    assert trap.hits == []
