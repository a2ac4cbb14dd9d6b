"""Comments of pull requests over GitHub's REST API (docs.github.com/rest/issues/comments).

One call at a time with a limit on its time; what may pass (5xx, rate limits, a broken connection) is tried again as
long as the server asks for, within bounds. A comment whose creation ended in doubt is looked for before it is made
again. Nothing is sent but to the API's own origin, over verified TLS.
"""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bascule import __version__
from bascule.model.errors import BasculeError

TIMEOUT_S = 20.0
MAX_TRIES = 4
MAX_WAIT_S = 60.0
"""Longer than this nobody waits for a comment."""
MAX_PAGES = 100
MAX_BODY_BYTES = 32 * 1024 * 1024
API_VERSION = "2022-11-28"
READ_ONLY = "resource not accessible by integration"
"""What GitHub says to a token of the workflow that may not write: that of a fork, or one without the permission."""


class ApiError(BasculeError):
    """The API did not do it. `status` 0: no answer came."""

    def __init__(self, message: str, *, status: int, read_only: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.read_only = read_only
        """The token may read only, as in workflows of forks."""


class Answer(Struct, frozen=True):
    status: int
    headers: Message
    body: bytes


class Posted(Struct, frozen=True):
    url: str | None
    created: bool
    """False: an earlier comment was changed."""


class _Doubtful(Exception):
    """The call may have been carried out."""

    def __init__(self, error: ApiError, wait_s: float) -> None:
        self.error = error
        self.wait_s = wait_s


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the token would go along."""

    def redirect_request(self, *given: Any, **more: Any) -> None:
        return None


class GitHub:
    """The API for one repository. Raises ApiError."""

    def __init__(
        self,
        api_url: str,
        repository: str,
        token: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(api_url)
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not parts.hostname or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not local):
            raise BasculeError(f"{api_url} is no address to send a token to; give --api-url an https:// one")
        self._root = api_url.rstrip("/")
        self._origin = (parts.scheme, parts.netloc)
        self._repository = repository
        self._token = token
        self._sleep = sleep
        self._now_s = now_s
        self._opener = urllib.request.build_opener(_Straight)

    def upsert(self, number: int, first_line: str, body: str) -> Posted:
        """Change our comment, the one that begins with `first_line`, or make it where there is none."""
        for left in range(MAX_TRIES - 1, -1, -1):
            known = self._ours(number, first_line)
            try:
                if known is not None:
                    path = f"/repos/{self._repository}/issues/comments/{known}"
                    return _posted(self._call("PATCH", path, {"body": body}), created=False)
                path = f"/repos/{self._repository}/issues/{number}/comments"
                return _posted(self._call("POST", path, {"body": body}), created=True)
            except _Doubtful as doubt:
                if not left:
                    raise doubt.error from None
                self._sleep(doubt.wait_s)  # it may have been made: look again before another is
        raise AssertionError

    def _ours(self, number: int, first_line: str) -> int | None:
        """The id of the comment; a quotation of ours does not begin with our line."""
        for found in self._comments(number):
            text, identity = found.get("body"), found.get("id")
            if isinstance(text, str) and isinstance(identity, int) and text.lstrip().startswith(first_line):
                return identity
        return None

    def _comments(self, number: int) -> Iterator[dict[str, Any]]:
        target: str | None = f"/repos/{self._repository}/issues/{number}/comments?per_page=100"
        for _ in range(MAX_PAGES):
            if target is None:
                return
            answer = self._call("GET", target)
            found = _decoded(answer)
            if not isinstance(found, list):
                raise ApiError("GitHub answered with something else than a list of comments", status=answer.status)
            yield from [each for each in found if isinstance(each, dict)]
            target = self._next(answer.headers.get("Link"))

    def _next(self, link: str | None) -> str | None:
        """The next page, where it is of the same origin."""
        for part in (link or "").split(","):
            address, _, about = part.partition(";")
            if 'rel="next"' in about:
                url = address.strip().strip("<>")
                parts = urlsplit(url)
                return url if (parts.scheme, parts.netloc) == self._origin else None
        return None

    def _call(self, method: str, target: str, document: dict[str, Any] | None = None) -> Answer:
        """A whole 2xx answer. A POST in doubt raises _Doubtful; everything else that may pass is tried again."""
        for left in range(MAX_TRIES - 1, -1, -1):
            try:
                answer = self._once(method, target, document)
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                failure = ApiError(f"{method} {self._root} failed: {reason}", status=0)
                wait_s = 1.0
            else:
                if 200 <= answer.status < 300:
                    return answer
                failure = self._refusal(method, target, answer)
                passing = _wait_s(answer, self._now_s())
                if passing is None or passing > MAX_WAIT_S:
                    raise failure
                wait_s = passing
                if method == "POST" and answer.status in (403, 429):
                    self._last_try(left, failure)
                    self._sleep(wait_s)
                    continue
            if method == "POST":
                raise _Doubtful(failure, wait_s)
            self._last_try(left, failure)
            self._sleep(wait_s)
        raise AssertionError

    @staticmethod
    def _last_try(left: int, failure: ApiError) -> None:
        if not left:
            raise failure

    def _once(self, method: str, target: str, document: dict[str, Any] | None) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": f"bascule/{__version__}",
        }
        if document is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(  # noqa: S310  the scheme was checked
            target if "://" in target else self._root + target,
            data=None if document is None else msgspec.json.encode(document),
            headers=headers,
            method=method,
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as reply:
                return Answer(reply.status, reply.headers, reply.read(MAX_BODY_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read(MAX_BODY_BYTES))

    def _refusal(self, method: str, target: str, answer: Answer) -> ApiError:
        """What went wrong, with what to do about it. Never holds the token."""
        said = _message(answer)
        status = answer.status
        where = f"{method} {target.partition('?')[0]}"
        read_only = status == 403 and READ_ONLY in said.lower()
        if status == 401:
            remedy = "the token is not accepted; pass `GITHUB_TOKEN: ${{ github.token }}` or a valid one"
        elif _limited(answer):
            remedy = "the rate limit is used up; run it again later"
        elif status == 403:
            remedy = "the token may not comment; give the job `permissions: pull-requests: write`"
        elif status in (404, 410):
            remedy = f"there is no such pull request in {self._repository}, or the token may not see it"
        elif status in (301, 302, 307, 308):
            remedy = "the repository has moved; give --repo its present name"
        elif status == 422:
            remedy = "the comment was not accepted"
        else:
            remedy = "try again later"
        return ApiError(f"GitHub: {where}: {status} {said}: {remedy}", status=status, read_only=read_only)


def _limited(answer: Answer) -> bool:
    if answer.status == 429:
        return True
    spent = answer.headers.get("X-RateLimit-Remaining") == "0" or answer.headers.get("Retry-After") is not None
    return answer.status == 403 and (spent or "rate limit" in _message(answer).lower())


def _wait_s(answer: Answer, now_s: float) -> float | None:
    """How long to wait before another try; None where no other will do."""
    if not (answer.status >= 500 or _limited(answer)):
        return None
    asked = answer.headers.get("Retry-After")
    if asked is not None:
        try:
            return max(float(asked), 0.0)
        except ValueError:
            try:
                return max(parsedate_to_datetime(asked).timestamp() - now_s, 0.0)
            except ValueError:
                return 1.0
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if _limited(answer) and reset.isdigit():
        return max(float(reset) - now_s, 0.0) + 1.0
    return 60.0 if _limited(answer) else 1.0  # "wait for at least one minute" (docs.github.com, rate limits)


def _posted(answer: Answer, *, created: bool) -> Posted:
    found = _decoded(answer)
    url = found.get("html_url") if isinstance(found, dict) else None
    return Posted(url if isinstance(url, str) else None, created)


def _decoded(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError("GitHub's answer is not JSON; is --api-url the API's address?", status=answer.status) from None


def _message(answer: Answer) -> str:
    try:
        found = msgspec.json.decode(answer.body, type=dict[str, Any]).get("message")
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    return str(found)[:200] if found else "without a message"
