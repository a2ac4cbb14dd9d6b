"""Promise 20: what is too much, or no HTTP, is refused on the wire, costs little memory, and reaches no provider."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.configuration import PROVIDER_ENV, configuration
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.promises.conftest import Figure
from tests.promises.peers import (
    CHAT,
    config_for,
    connect,
    forget_peak,
    peak_bytes,
    request,
    resident_bytes,
    rest_of,
    serving,
    upstream,
)

from bascule.testing.script import Fault, Script

ANSWER = re.compile(rb"HTTP/1\.1 \d\d\d ")
MOST_BYTES = 32 * 1024 * 1024
BODY = json.dumps({"model": "words-1-1", "messages": [{"role": "user", "content": "Hello."}]}).encode()
INNER = request("words-1-1", stream=False)
"""What an attacker wants to have served in another's name."""
CHUNKED_INNER = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


def wire(*lines: bytes, body: bytes = b"", host: bytes = b"host: localhost", end: bytes = b"\r\n") -> bytes:
    head = [b"POST %b HTTP/1.1" % CHAT.encode(), host, b"authorization: Bearer any", *lines]
    return end.join([*head, b"", b""]) + body


LENGTH = b"content-length: %d" % len(BODY)
TE = b"transfer-encoding: chunked"
SMUGGLED: dict[str, tuple[bytes, bytes]] = {
    "two hosts": (wire(LENGTH, b"host: evil.example", body=BODY), b"400"),
    "no host": (wire(LENGTH, host=b"x: y", body=BODY), b"400"),
    "length and chunks": (wire(b"content-length: 5", TE, body=b"0\r\n\r\n" + INNER), b"400"),
    "chunks and length": (wire(TE, b"content-length: 5", body=b"0\r\n\r\n" + INNER), b"400"),
    "two lengths": (wire(b"content-length: 0", b"content-length: %d" % len(INNER), body=INNER), b"400"),
    "a list of lengths": (wire(b"content-length: 0, %d" % len(INNER), body=INNER), b"400"),
    "a negative length": (wire(b"content-length: -1", body=INNER), b"400"),
    "a signed length": (wire(b"content-length: +%d" % len(BODY), body=BODY), b"400"),
    "a length beyond 64 bits": (wire(b"content-length: 99999999999999999999", body=INNER), b"400"),
    "chunked twice": (wire(TE, TE, body=CHUNKED_INNER), b"400"),
    "not chunked last": (wire(b"transfer-encoding: chunked, identity", body=b"0\r\n\r\n" + INNER), b"400"),
    "almost chunked": (wire(b"transfer-encoding: xchunked", body=b"0\r\n\r\n" + INNER), b"501"),
    "compressed chunks": (wire(b"transfer-encoding: gzip, chunked", body=CHUNKED_INNER), b"501"),
    "a tunnel to a page": (b"CONNECT /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n\r\n" + INNER, b"405"),
    "chunked behind a tab": (wire(b"transfer-encoding:\x0bchunked", body=b"0\r\n\r\n" + INNER), b"400"),
    "a blank before the colon": (wire(b"content-length : 0", body=INNER), b"400"),
    "a folded header": (wire(b"x: a\r\n content-length: 0", body=INNER), b"400"),
    "bare line feeds": (wire(LENGTH, body=BODY, end=b"\n"), b"400"),
    "a bare carriage return": (wire(b"x: a\rcontent-length: 0", body=INNER), b"400"),
    "a null in a header": (wire(b"x: a\x00b", LENGTH, body=BODY), b"400"),
    "a chunk without CR": (wire(TE, body=b"%x\n%b\n0\n\n" % (len(BODY), BODY) + INNER), b"400"),
    "a chunk size in C": (wire(TE, body=b"0x5\r\nhello\r\n0\r\n\r\n" + INNER), b"400"),
    "a chunk size beyond 64 bits": (wire(TE, body=b"fffffffffffffffff\r\n" + INNER), b"400"),
    "a longer chunk than said": (wire(TE, body=b"1\r\n" + BODY + b"\r\n0\r\n\r\n" + INNER), b"400"),
    "an extension with a line feed": (wire(TE, body=b"5;a\nb\r\nhello\r\n0\r\n\r\n" + INNER), b"400"),
    "an endless extension": (wire(TE, body=b"5;" + b"a" * 1_000_000), b"431"),
    "an endless header": (wire(b"x: " + b"a" * 100_000), b"431"),
    "many headers": (wire(*[b"x-%d: y" % n for n in range(20_000)]), b"431"),
    "an endless path": (b"POST /v1/" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"431"),
    "100 MB announced": (wire(b"content-length: 104857600", body=b"{"), b"413"),
    "compressed": (wire(LENGTH, b"content-encoding: gzip", body=BODY), b"400"),
}
ENDS_THE_CONNECTION = {
    name for name in SMUGGLED if name not in ("two hosts", "no host", "100 MB announced", "compressed")
}


@pytest.mark.promise(20, fault="smuggling and endless heads on raw sockets", limit="all refused, nothing upstream")
def test_smuggled_requests_reach_nobody(tmp_path: Path, figure: Figure) -> None:
    with upstream() as up, serving(tmp_path / "gw", config_for(up, "words-1-1")) as gateway:
        before = resident_bytes(gateway)
        for name, (data, status) in SMUGGLED.items():
            with connect(gateway, timeout_s=5) as line:
                with suppress(BrokenPipeError, ConnectionResetError):  # refused while it was still being sent
                    line.sendall(data)
                said = line.recv(65_536)
                assert said.startswith(b"HTTP/1.1 " + status), (name, said[:200])
                if name in ENDS_THE_CONNECTION:
                    said += rest_of(line)
                assert len(ANSWER.findall(said)) == 1, (name, said)
        assert up.served == 0
        grown = resident_bytes(gateway) - before
        figure("refused", len(SMUGGLED))
        figure("memory", grown / 1024 / 1024, "MB")
        assert grown < MOST_BYTES
        with connect(gateway) as line:  # and what is right is served
            line.sendall(
                wire(b"transfer-encoding: chunked", body=CHUNKED_INNER.replace(b"0\r\n\r\n", b"0;a=b\r\nx: y\r\n\r\n"))
            )
            assert line.recv(65_536).startswith(b"HTTP/1.1 ")
        assert up.served == 1


@pytest.mark.promise(20, fault="100 MB in chunks; 10,000 levels of JSON", limit="413 and 400; memory < 32 MB")
def test_bodies_that_are_too_much(tmp_path: Path, figure: Figure) -> None:
    """With `max_body_bytes` at 16 MB: so much of a body without a length is kept before it is known to be too much."""
    config: dict[str, Any] = {"server": {"limits": {"max_body_bytes": 16 * 1024 * 1024}}}
    with upstream() as up, serving(tmp_path / "gw", config_for(up, "words-1-1", **config)) as gateway:
        before = resident_bytes(gateway)
        forget_peak(gateway)
        piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        with connect(gateway) as line:
            line.sendall(wire(TE))
            sent = 0
            try:
                for _ in range(100):
                    line.sendall(piece)
                    sent += len(piece)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it is not read for ever
            assert sent < 60 * 1024 * 1024
            assert line.recv(65_536).startswith(b"HTTP/1.1 413")
        for opened, closed in ((b'{"a":', b"}"), (b"[", b"]")):
            deep = opened * 10_000 + b"1" + closed * 10_000
            body = BODY[:-1] + b',"metadata":' + deep + b"}"
            with connect(gateway) as line:
                line.sendall(wire(b"content-length: %d" % len(body), body=body))
                assert line.recv(65_536).startswith(b"HTTP/1.1 400")
        grown = peak_bytes(gateway) - before
        figure("peak", grown / 1024 / 1024, "MB")
        assert grown < MOST_BYTES
        assert up.served == 0


@pytest.mark.promise(20, fault="16 MB that decode to half a gigabyte", limit="413; memory < 64 MB")
@pytest.mark.parametrize("piece", [b"[],", b'{"a":1},'], ids=["lists", "objects"])
def test_bodies_that_swell(tmp_path: Path, figure: Figure, piece: bytes) -> None:
    """Most that is read of one is the body itself, twice."""
    body = BODY[:-1] + b',"metadata":[' + piece * (16 * 1024 * 1024 // len(piece)) + b"1]}"
    with upstream() as up, serving(tmp_path / "gw", config_for(up, "words-1-1")) as gateway:
        before = resident_bytes(gateway)
        forget_peak(gateway)
        with connect(gateway) as line:
            line.sendall(wire(b"content-length: %d" % len(body), body=body))
            assert line.recv(65_536).startswith(b"HTTP/1.1 413")
        grown = peak_bytes(gateway) - before
        figure("peak", grown / 1024 / 1024, "MB")
        assert grown < 2 * MOST_BYTES
        assert up.served == 0


FROM_UPSTREAM: list[tuple[Fault, bool]] = [
    ("gzip_bomb", False),
    ("gzip_bomb", True),
    ("big_line", True),
    ("huge_headers", False),
    ("huge_headers", True),
]


@pytest.mark.promise(20, fault="a provider's gzip bomb, 10 MB line, 1 MB of headers", limit="502; memory < 32 MB")
def test_hostile_answers(tmp_path: Path, figure: Figure) -> None:
    provider = Provider()
    provider.start()
    try:
        config = configuration(provider.openai_url, provider.anthropic_url, retry={"max_attempts": 1})
        with serving(tmp_path / "gw", config, PROVIDER_ENV) as gateway:
            provider.use(Script())
            assert ask(gateway, "oai", stream=False).startswith(b"HTTP/1.1 200")
            before = resident_bytes(gateway)
            forget_peak(gateway)
            for model in ("oai", "ant", "res"):
                for fault, stream in FROM_UPSTREAM:
                    provider.use(Script(fault=fault))
                    said = ask(gateway, model, stream=stream)
                    refused = said.startswith(b"HTTP/1.1 502") or (b"HTTP/1.1 200" in said and b"error" in said)
                    assert refused, (model, fault, said[:300])
                    assert b"[DONE]" not in said
            grown = peak_bytes(gateway) - before
            figure("peak", grown / 1024 / 1024, "MB")
            assert grown < MOST_BYTES
    finally:
        provider.stop()


def ask(gateway: Gateway, model: str, *, stream: bool) -> bytes:
    with connect(gateway) as line:
        line.sendall(request(model, stream=stream).replace(b"\r\nhost", b"\r\nconnection: close\r\nhost", 1))
        return rest_of(line)
