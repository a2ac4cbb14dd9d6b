"""Promise 35: a gateway is started with nothing but a provider's key, and with secrets that are none, and looked at."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.wire import Seen, raw
from tests.promises.conftest import Figure

from bascule.config.shape import Config
from bascule.server.admin.routes import PREFIX
from bascule.testing.chaos.gateway import clean_environment

START_S = 20.0
LISTENS = "0A"
"""Of a socket, as the kernel writes it in /proc/net/tcp."""
LOOPBACK = ("0100007F", "00000000000000000000000001000000")


class Box:
    """An empty folder in which `bascule` is run, with an environment of its own."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = clean_environment(folder, {"OPENAI_API_KEY": "sk-nothing-0123456789abcdef", **env})
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> tuple[int, str]:
        """`bascule serve`, which must refuse: its status and what it said."""
        command = [sys.executable, "-m", "bascule", "serve", "--port", "0", *arguments]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=self.folder, env=self.env, timeout=START_S, check=False
            )
        except subprocess.TimeoutExpired:
            return 0, "it serves"
        return done.returncode, done.stdout + done.stderr

    def serve(self, *arguments: str) -> str:
        """The address of one that serves."""
        with self.log.open("wb") as out:
            command = [sys.executable, "-m", "bascule", "serve", "--port", "0", *arguments]
            self.process = subprocess.Popen(command, stdout=out, stderr=out, cwd=self.folder, env=self.env)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = re.search(r'listens on (http://[^\s",]+)', self.log.read_text())
            if found:
                return found[1]
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def sockets(self) -> list[tuple[str, str]]:
        """(local address, state) of every TCP socket of the process."""
        assert self.process is not None
        mine = {str(fd.readlink())[8:-1] for fd in Path(f"/proc/{self.process.pid}/fd").iterdir()
                if str(fd.readlink()).startswith("socket:")}  # fmt: skip
        found = []
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{self.process.pid}/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if words[9] in mine:
                    found.append((words[1].partition(":")[0], words[3]))
        return found

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path, {})
    yield made
    made.stop()


def ask(url: str, line: str, *headers: str, body: bytes = b"") -> Seen:
    head = [line + " HTTP/1.1", *(headers or ("host: 127.0.0.1",)), f"content-length: {len(body)}", "connection: close"]
    return asyncio.run(raw(url, "\r\n".join(head).encode() + b"\r\n\r\n" + body, timeout_s=10))


PASSWORDS = (
    "",
    "admin",
    "password",
    "changeme",
    "bascule",
    "secret",
    "root",
    "sk-1234",
    "none",
    "null",
    "BASCULE_ADMIN",
)
NOT_THERE = (
    "/docs", "/redoc", "/openapi.json", "/swagger", "/swagger.json", "/ui", "/admin", "/debug", "/graphql", "/env",
    "/config", "/.env", "/bascule.yaml", "/.bascule/pepper", "/bascule", "/bascule/", "/bascule/api",
    "/server-status", "/metrics/", "/login", "/setup", "/static/", "/favicon.ico",
)  # fmt: skip
CHAT = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}).encode()


@pytest.mark.promise(35, fault="started with no file in an empty folder", limit="open doors 0")
def test_what_nobody_configured_is_closed(box: Box, figure: Figure) -> None:
    url = box.serve()
    sockets = box.sockets()
    assert [state for _, state in sockets] == [LISTENS], "it listens once, and calls nobody of its own accord"
    assert {address for address, _ in sockets} <= set(LOOPBACK)
    tried = 0
    for path in ("/keys", "/config", "/audit", "/ledger", "/budgets", "/reports", "/sessions"):
        for password in PASSWORDS:
            for header in (f"authorization: Bearer {password}", f"x-api-key: {password}"):
                assert ask(url, f"GET {PREFIX}{path}", "host: 127.0.0.1", header).status == 403
                tried += 1
    for path in NOT_THERE:
        assert ask(url, f"GET {path}").status == 404, path
        tried += 1
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "http://localhost:3000"):
        for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses"):
            seen = ask(
                url, f"POST {path}", "host: 127.0.0.1", f"origin: {origin}", "content-type: text/plain", body=CHAT
            )
            assert seen.status == 403, (origin, path)
            tried += 1
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "0.0.0.0"):
        assert ask(url, "GET /v1/models", f"host: {host}").status == 403, host
        tried += 1
    assert [state for _, state in box.sockets()].count(LISTENS) == len(box.sockets())
    figure("doors tried", tried)
    figure("open", 0)
    data = box.folder / ".bascule"
    assert data.stat().st_mode & 0o077 == 0
    assert (data / "pepper").stat().st_mode & 0o077 == 0


@pytest.mark.promise(35, fault="every page and refusal, looked at for its headers", limit="bare 0")
def test_pages_say_what_browsers_may_do_with_them(box: Box, figure: Figure) -> None:
    url = box.serve()
    lines = ["GET /", "GET /healthz", "GET /readyz", "GET /metrics", "GET /v1/models", "GET /nothing", "PUT /v1/models",
             f"GET {PREFIX}/keys", "GET /v1/models/%3Cscript%3E"]  # fmt: skip
    for line in lines:
        for host in ("127.0.0.1", "evil.example"):
            seen = ask(url, line, f"host: {host}")
            assert seen.headers["x-content-type-options"] == "nosniff", line
            assert seen.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'", line
            assert seen.headers["referrer-policy"] == "no-referrer", line
            assert seen.headers["cache-control"] == "private, no-store", line
            assert "server" not in seen.headers, line
            assert "access-control-allow-origin" not in seen.headers, line
            assert b"<script>" not in seen.body or "json" in seen.headers["content-type"], line
    figure("answers", 2 * len(lines))


GOOD = {"SECRET": "0123456789abcdef0123456789abcdef"}
SECRETS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "no keys, and an address that others reach": ("", {}, ("--host", "0.0.0.0")),
    "an empty administrator's secret": ("admin: {secret: env:SECRET}", {"SECRET": ""}, ()),
    "the same address by the file": ("server: {host: '::'}", {}, ()),
    "a secret of blanks": ("admin: {secret: env:SECRET}", {"SECRET": "   "}, ()),
    "an empty key": ("keys: {ci: {secret: env:SECRET}}", {"SECRET": ""}, ()),
    "one that is not set": ("admin: {secret: env:SECRET}", {}, ()),
    "a literal": ("admin: {secret: hunter2hunter2hunter2}", {}, ()),
    "none at all": ("admin: {secret: none}", {}, ()),
    "an administrator's for a key": ("admin: {secret: env:SECRET}, keys: {ci: {secret: env:SECRET}}", GOOD, ()),
    "a key that is a literal": ("keys: {ci: {secret: abcdefabcdefabcdefabcdef}}", {}, ()),
    "a provider's key in the file": ("providers: {openai: {api_key: sk-literal-0123456789abcdef}}", {}, ()),
    "an empty file": ("admin: {secret: 'file:empty'}", {}, ()),
}
"""By the one thing that is wrong: the file's part, the environment, the arguments."""


@pytest.mark.promise(
    35, fault="secrets that are empty, missing, shared or literal; no keys off loopback", limit="served 0"
)
def test_a_secret_that_is_none_is_refused(tmp_path: Path, full: bool, figure: Figure) -> None:
    chosen = list(SECRETS) if full else list(SECRETS)[:5]
    for number, words in enumerate(chosen):
        part, env, arguments = SECRETS[words]
        folder = tmp_path / str(number)
        folder.mkdir()
        parts = [part] if "providers" in part else ["providers: {openai: {}}", *([part] if part else [])]
        (folder / "bascule.yaml").write_text("{" + ", ".join(parts) + "}")
        (folder / "empty").write_text("\n")
        status, said = Box(folder, env).run(*arguments)
        assert (status, said.count("1 mistake in")) == (2, 1), (words, said)
        assert "Traceback" not in said, words
        assert not any(
            value in said for value in (*env.values(), "hunter2", "abcdefabc", "sk-literal") if value.strip()
        ), words
    figure("configurations", len(chosen))


@pytest.mark.promise(35, fault="the defaults themselves", limit="all closed")
def test_nothing_that_tells_is_on_by_default(figure: Figure) -> None:
    config = Config()
    assert config.server.host == "127.0.0.1"
    assert config.admin is None
    assert not config.keys
    assert (config.server.allowed_hosts, config.server.allowed_origins) == ((), ())
    assert config.privacy.record_content == "none"
    assert not config.responses.store.enabled
    assert not config.cache.exact.persist
    assert not config.cache.semantic.enabled
    assert config.mode == "enforce"
    figure("settings", 10)
