"""GitHub's API as far as comments need it, on loopback. It checks every request, and misbehaves when told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_for_this_test_alone"
PAGE = 2
"""Comments on a page, whatever is asked for: GitHub allows fewer too."""


class GitHubFake:
    def __init__(self, repository: str = "acme/web", number: int = 12) -> None:
        self.repository = repository
        self.number = number
        self.comments: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []
        self.faults: list[tuple[int, dict[str, str], str]] = []
        """Answers to give instead of the next ones: status, headers, message."""
        self.fault_after: list[tuple[str, int]] = []
        """Methods whose work is done and whose answer is an error all the same."""
        self.wrong: list[str] = []
        self.url = ""

    def add(self, body: str, user: str = "ann") -> int:
        identity = 1_000 + len(self.comments)
        self.comments.append({"id": identity, "body": body, "user": {"login": user}})
        return identity

    def body_of(self, identity: int) -> str:
        return next(each["body"] for each in self.comments if each["id"] == identity)

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], Any]:
        parts = urlsplit(handler.path)
        self.calls.append((handler.command, parts.path))
        self._check(handler)
        length = int(handler.headers.get("Content-Length") or 0)
        sent = json.loads(handler.rfile.read(length)) if length else None
        if self.faults:
            status, headers, message = self.faults.pop(0)
            return status, headers, {"message": message}
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {}, {"message": "Bad credentials"}
        base = f"/repos/{self.repository}/issues"
        if parts.path == f"{base}/{self.number}/comments" and handler.command == "GET":
            return self._page(int(parse_qs(parts.query).get("page", ["1"])[0]))
        if parts.path == f"{base}/{self.number}/comments" and handler.command == "POST":
            return self._done("POST", 201, self.add(self._body(sent), "github-actions[bot]"))
        if handler.command == "PATCH" and parts.path.startswith(f"{base}/comments/"):
            identity = int(parts.path.rpartition("/")[2])
            for each in self.comments:
                if each["id"] == identity:
                    each["body"] = self._body(sent)
                    return self._done("PATCH", 200, identity)
        return 404, {}, {"message": "Not Found"}

    def _done(self, method: str, status: int, identity: int) -> tuple[int, dict[str, str], Any]:
        for fault in self.fault_after:
            if fault[0] == method:
                self.fault_after.remove(fault)
                return fault[1], {}, {"message": "Server Error"}
        return status, {}, {"id": identity, "html_url": f"{self.url}/pull/{self.number}#issuecomment-{identity}"}

    def _page(self, page: int) -> tuple[int, dict[str, str], Any]:
        found = self.comments[(page - 1) * PAGE : page * PAGE]
        headers = {}
        if page * PAGE < len(self.comments):
            path = f"{self.url}/repos/{self.repository}/issues/{self.number}/comments"
            headers["Link"] = f'<{path}?per_page=100&page={page + 1}>; rel="next", <{path}?page=9>; rel="last"'
        return 200, headers, found

    def _body(self, sent: Any) -> str:
        if not isinstance(sent, dict) or set(sent) != {"body"} or not isinstance(sent["body"], str):
            self.wrong.append(f"body {sent!r}")
            return ""
        if len(sent["body"]) > 65_536:
            self.wrong.append("longer than GitHub takes")
        return str(sent["body"])

    def _check(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        for name, value in wanted.items():
            if handler.headers.get(name) != value:
                self.wrong.append(f"{handler.command} {name}: {handler.headers.get(name)}")
        if not (handler.headers.get("User-Agent") or "").startswith("bascule/"):
            self.wrong.append(f"User-Agent: {handler.headers.get('User-Agent')}")
        if not (handler.headers.get("Authorization") or "").startswith("Bearer "):
            self.wrong.append("no Authorization")
        if handler.command in ("POST", "PATCH") and handler.headers.get("Content-Type") != "application/json":
            self.wrong.append(f"Content-Type: {handler.headers.get('Content-Type')}")


@contextmanager
def serving(fake: GitHubFake) -> Iterator[GitHubFake]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            status, headers, document = fake.answer(self)
            body = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _do  # noqa: N815

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
