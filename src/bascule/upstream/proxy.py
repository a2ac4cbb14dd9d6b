"""Which proxy a request goes through, and the tunnel through it. Credentials never show in a message or a repr."""

import asyncio
import ipaddress
from base64 import b64encode
from collections.abc import Mapping
from typing import cast
from urllib.parse import unquote_to_bytes, urlsplit

from msgspec import Struct

from bascule.model.errors import ConfigError, Problem
from bascule.upstream.request import Origin

_MAX_ANSWER_BYTES = 16 * 1024


class Proxy(Struct, frozen=True):
    """One HTTP proxy. `secure`: TLS to the proxy itself."""

    secure: bool
    host: str
    port: int
    authorization: bytes | None = None
    """Value of Proxy-Authorization."""

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


class ProxySettings(Struct, frozen=True, kw_only=True):
    """The proxies of both schemes and who goes without. Loopback always goes without, as in Go."""

    http: Proxy | None = None
    https: Proxy | None = None
    no_proxy: tuple[str, ...] = ()
    """Hosts (`a.example`, `.example`, `host:port`), IP addresses or networks, or `*`."""

    def for_origin(self, origin: Origin) -> Proxy | None:
        """The proxy to use for this origin, None for a direct connection."""
        proxy = self.https if origin.secure else self.http
        if proxy is None or _is_loopback(origin.host):
            return None
        if any(_matches(entry, origin) for entry in self.no_proxy):
            return None
        return proxy


def proxy_settings(environ: Mapping[str, str]) -> ProxySettings:
    """Read HTTP_PROXY, HTTPS_PROXY and NO_PROXY, lower case first. Raises ConfigError for what is not an HTTP proxy."""

    def said(name: str) -> str:
        return environ.get(name.lower()) or environ.get(name) or ""

    hosts = tuple(entry.strip().lower() for entry in said("NO_PROXY").split(",") if entry.strip())
    return ProxySettings(
        http=parse_proxy(said("HTTP_PROXY"), "HTTP_PROXY"),
        https=parse_proxy(said("HTTPS_PROXY"), "HTTPS_PROXY"),
        no_proxy=hosts,
    )


def parse_proxy(url: str, where: str) -> Proxy | None:
    """`[http(s)://][user:password@]host[:port]` taken apart; None for an empty text. Raises ConfigError."""
    if not url.strip():
        return None
    try:
        parts = urlsplit(url.strip() if "://" in url else f"http://{url.strip()}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError((Problem(where, "is not an HTTP proxy", "Use http://host:port or https://host:port."),))
    authorization = None
    if parts.username is not None:
        pair = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
        authorization = b"Basic " + b64encode(pair)
    return Proxy(parts.scheme == "https", host, port or (443 if parts.scheme == "https" else 80), authorization)


class Tunnel(asyncio.Protocol):
    """The CONNECT exchange on a fresh connection to a proxy. `opened` ends with the proxy's status, or an OSError."""

    def __init__(self, loop: asyncio.AbstractEventLoop, origin: Origin, proxy: Proxy) -> None:
        self._origin = origin
        self._proxy = proxy
        self._answer = b""
        self.opened: asyncio.Future[int] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        address = self._origin.address.encode("ascii")
        lines = b"CONNECT " + address + b" HTTP/1.1\r\nhost: " + address + b"\r\n"
        if self._proxy.authorization is not None:
            lines += b"proxy-authorization: " + self._proxy.authorization + b"\r\n"
        cast("asyncio.Transport", transport).write(lines + b"\r\n")

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, blank, rest = self._answer.partition(b"\r\n\r\n")
        if self.opened.done():
            return
        words = head.split(b" ", 2)
        if not blank and len(self._answer) <= _MAX_ANSWER_BYTES:
            return
        if rest or len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            self.opened.set_exception(OSError("the proxy's answer to CONNECT is not HTTP"))
        else:
            self.opened.set_result(int(words[1][:3]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(OSError("the proxy closed the connection during CONNECT"))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _matches(entry: str, origin: Origin) -> bool:
    if entry == "*":
        return True
    host = origin.host.lower()
    name, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and ":" not in name:
        if int(port) != origin.port:
            return False
        entry = name
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        suffix = entry.removeprefix("*").lstrip(".")
        return host == suffix or host.endswith(f".{suffix}")
