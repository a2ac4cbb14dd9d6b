"""The head of a request as bytes, and the origin it goes to. Nothing a caller gives can start a new line."""

from urllib.parse import urlsplit

from msgspec import Struct

from bascule.ports import Header, TransportError, UpstreamCall

_OURS = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding", b"proxy-authorization"})
MAX_KEPT_HEADS = 64
_BODILESS = frozenset({"GET", "HEAD", "DELETE"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(Struct, frozen=True):
    """Scheme, host and port of a provider, and the name errors give it."""

    secure: bool
    host: str
    port: int

    @property
    def authority(self) -> str:
        """`host[:port]` as in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def address(self) -> str:
        """`host:port`, the port always said, as CONNECT wants it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_origin(origin: str) -> Origin:
    """`https://host[:port]` taken apart. Raises TransportError (`bad_request`) for anything else."""
    try:
        url = urlsplit(origin)
        port = url.port
        host = (url.hostname or "").encode("idna").decode("ascii") if url.hostname != "" else ""
    except ValueError:
        raise _refused("the origin is not a URL") from None
    plain = url.path in {"", "/"} and not url.query and not url.fragment and "@" not in url.netloc
    if url.scheme not in _DEFAULT_PORTS or not host or not plain or not _is_clean(host):
        raise _refused("the origin must be http(s)://host[:port]")
    return Origin(url.scheme == "https", host, port or _DEFAULT_PORTS[url.scheme])


class HeadWriter:
    """Writes the heads of requests to one origin. Heads differ in their length alone most of the time: their starts
    are kept, the last `MAX_KEPT_HEADS` of them at most."""

    def __init__(self, origin: Origin, *, plain_proxy: bool = False, proxy_authorization: bytes | None = None) -> None:
        """`plain_proxy`: name the origin in the target, as a proxy for plain HTTP wants it."""
        self._target_prefix = f"http://{origin.authority}" if plain_proxy else ""
        self._host = b" HTTP/1.1\r\nhost: " + origin.authority.encode("ascii")
        if proxy_authorization is not None:
            self._host += b"\r\nproxy-authorization: " + proxy_authorization
        self._kept: dict[tuple[str, str, tuple[Header, ...]], bytes] = {}

    def encode(self, call: UpstreamCall) -> bytes:
        """The request's head.

        Raises TransportError (`bad_request`, nothing sent) for a target or header that holds a line break or NUL, and
        for a header that only the transport may set.
        """
        key = (call.method, call.target, call.headers)
        start = self._kept.get(key)
        if start is None:
            start = self._start(call)
            if len(self._kept) >= MAX_KEPT_HEADS:
                self._kept.clear()
            self._kept[key] = start
        if call.body or call.method not in _BODILESS:
            return b"%bcontent-length: %d\r\n\r\n" % (start, len(call.body))
        return start + b"\r\n"

    def _start(self, call: UpstreamCall) -> bytes:
        """All of the head but its length and the blank line."""
        method, target = call.method, call.target
        if not (method.isascii() and method.isalpha()):
            raise _refused("the method is not a word")
        if not (target.startswith("/") and _is_clean(target)):
            raise _refused("the target must start with / and be printable ASCII without spaces")
        lines = [f"{method} {self._target_prefix}{target}".encode("ascii") + self._host]
        encoding_said = False
        for name, value in call.headers:
            lowered = name.lower()
            if lowered in _OURS or not name:
                raise _refused(f"header {_shown(name)} is set by the transport alone")
            encoding_said = encoding_said or lowered == b"accept-encoding"
            lines.append(name + b": " + value)
        if not encoding_said:
            lines.append(b"accept-encoding: identity")
        start = b"\r\n".join(lines) + b"\r\n"
        # One line break per line we wrote, and no other.
        breaks = len(lines) + self._host.count(b"\n")
        if start.count(b"\n") != breaks or start.count(b"\r") != breaks or b"\0" in start:
            raise _refused(f"{_culprit(call.headers)} holds a line break or NUL")
        return start


def _is_clean(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _culprit(headers: tuple[Header, ...]) -> str:
    for name, value in headers:
        for byte in (b"\r", b"\n", b"\0"):
            if byte in name or byte in value:
                return f"header {_shown(name)}"
    return "a header"


def _shown(name: bytes) -> str:
    return repr(name[:40])[1:]


def _refused(why: str) -> TransportError:
    return TransportError("bad_request", f"request not sent: {why}", request_sent=False)
