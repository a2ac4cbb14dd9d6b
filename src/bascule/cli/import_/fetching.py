"""Read-only GETs to an administrative API, page by page: one address, one key, patience where it is asked for."""

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import click
import msgspec
from msgspec import Struct

from bascule.cli.price_lists import SAFE
from bascule.model.errors import BasculeError

TIMEOUT_S = 60.0
MAX_BYTES = 64 << 20
MAX_PAGES = 10_000
MAX_TRIES = 6
MAX_WAIT_S = 120.0
"""A longer Retry-After is not waited for."""
_PASSING = frozenset({408, 429, 500, 502, 503, 504, 529})

Query = Sequence[tuple[str, str]]


class Api(Struct, frozen=True, kw_only=True):
    """Where to ask, and how to say who asks."""

    name: str
    url: str
    """Without a slash at its end; https, or this machine."""
    headers: Mapping[str, str]
    """With the key: never shown."""
    key_env: str
    """Where the key is from, for what is said when it is refused."""


def api(name: str, url: str, headers: Mapping[str, str], key_env: str) -> Api:
    """Raises UsageError where the key could be read on its way."""
    if not url.startswith(SAFE):
        raise click.BadParameter("takes an https:// address: a key is sent there", param_hint="--url")
    return Api(name=name, url=url.rstrip("/"), headers=headers, key_env=key_env)


def secret_of(environment: Mapping[str, str], names: Sequence[str], what: str) -> tuple[str, str]:
    """A key and the variable that it is from. Raises UsageError where none is set."""
    for name in names:
        value = environment.get(name, "").strip()
        if value:
            if not value.isascii() or not value.isprintable():
                raise click.UsageError(f"{name} is no key: it has characters that no header may hold")
            return value, name
    raise click.UsageError(f"--live needs {what} in {' or '.join(names)}")


def pages(api: Api, path: str, query: Query, *, cursor: str = "page") -> Iterator[dict[str, Any]]:
    """Every page of a report, by `has_more` and `next_page`. Raises BasculeError."""
    page: str | None = None
    for _ in range(MAX_PAGES):
        found = get(api, path, [*query, (cursor, page)] if page is not None else query)
        yield found
        following = found.get("next_page")
        if not found.get("has_more", following is not None) or following is None:
            return
        if not isinstance(following, str) or following == page:
            raise BasculeError(f"{api.name} gave the same page twice; nothing was imported")
        page = following
    raise BasculeError(f"{api.name} has more than {MAX_PAGES:,} pages of that; ask for a shorter period")


def get(api: Api, path: str, query: Query) -> dict[str, Any]:
    """One answer, an object of JSON. Raises BasculeError."""
    url = f"{api.url}{path}?{urllib.parse.urlencode(query)}" if query else f"{api.url}{path}"
    for tried in range(1, MAX_TRIES + 1):
        request = urllib.request.Request(url, headers={**api.headers, "accept": "application/json"})  # noqa: S310 - checked in `api`
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as reply:
                return _object(api, path, reply.read(MAX_BYTES + 1))
        except urllib.error.HTTPError as error:
            with error:
                wait_s = _wait_s(api, path, error, tried)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            if tried == MAX_TRIES:
                reason = getattr(error, "reason", None) or type(error).__name__
                raise BasculeError(f"{api.name} cannot be reached at {api.url}: {reason}") from None
            wait_s = float(2 ** (tried - 1))
        time.sleep(wait_s)
    raise BasculeError(f"{api.name} does not answer; try again later")


def _wait_s(api: Api, path: str, error: urllib.error.HTTPError, tried: int) -> float:
    """How long to wait before the next try. Raises BasculeError where there is none."""
    status = error.code
    if status in (401, 403):
        raise BasculeError(
            f"{api.name} refuses the key from {api.key_env} (HTTP {status}): it takes an administrator's key that may "
            "read usage and costs, not one for models"
        )
    if status not in _PASSING:
        said = _said(error)
        raise BasculeError(f"{api.name} answers HTTP {status} to GET {path}{f': {said}' if said else ''}")
    wait_s = retry_after_s(error.headers.get("retry-after"), time.time())
    if wait_s is None:
        wait_s = float(2 ** (tried - 1))
    if tried == MAX_TRIES or wait_s > MAX_WAIT_S:
        raise BasculeError(
            f"{api.name} answers HTTP {status} and wants {wait_s:.0f} s of patience; nothing was imported, try later"
        )
    return wait_s


def retry_after_s(value: str | None, now_s: float) -> float | None:
    """Retry-After as seconds from now; None where there is none or it cannot be read."""
    if value is None:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        try:
            return max(parsedate_to_datetime(value).timestamp() - now_s, 0.0)
        except ValueError:
            return None


def _object(api: Api, path: str, raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_BYTES:
        raise BasculeError(f"{api.name}'s answer to GET {path} is larger than {MAX_BYTES >> 20} MB")
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        raise BasculeError(f"{api.name}'s answer to GET {path} is no JSON: is --url right?") from None
    if isinstance(found, list):
        return {"data": found}
    if not isinstance(found, dict):
        raise BasculeError(f"{api.name}'s answer to GET {path} is no report: is --url right?")
    return found


def _said(error: urllib.error.HTTPError) -> str:
    """The API's own words, short."""
    try:
        found = msgspec.json.decode(error.read(65_536))
    except (msgspec.DecodeError, OSError):
        return ""
    said = found.get("error", found) if isinstance(found, dict) else ""
    said = said.get("message", "") if isinstance(said, dict) else said
    return said[:300] if isinstance(said, str) else ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key goes to the address that was named and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)
