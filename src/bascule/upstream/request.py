"""The head of a request as bytes, and the origin it goes to. Nothing a caller gives can start a new line."""

from urllib.parse import urlsplit

from msgspec import Struct

from bascule.ports import Header, TransportError, UpstreamCall

_OURS = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding", b"proxy-authorization"})
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


def host_lines(origin: Origin, proxy_authorization: bytes | None) -> bytes:
    """What follows the target in every request to this origin: version, Host and, to a plain proxy, its credentials."""
    lines = b" HTTP/1.1\r\nhost: " + origin.authority.encode("ascii")
    if proxy_authorization is not None:
        lines += b"\r\nproxy-authorization: " + proxy_authorization
    return lines


def encode_head(call: UpstreamCall, target_prefix: str, host: bytes) -> bytes:
    """The request's head. `target_prefix` is `http://authority` towards a plain proxy, else empty.

    Raises TransportError (`bad_request`, nothing sent) for a target or header that holds a line break or NUL, and
    for a header that only the transport may set.
    """
    method, target = call.method, call.target
    if not (method.isascii() and method.isalpha()):
        raise _refused("the method is not a word")
    if not (target.startswith("/") and _is_clean(target)):
        raise _refused("the target must start with / and be printable ASCII without spaces")
    parts = [f"{method} {target_prefix}{target}".encode("ascii") + host]
    encoding_said = False
    for name, value in call.headers:
        lowered = name.lower()
        if lowered in _OURS or not name:
            raise _refused(f"header {_shown(name)} is set by the transport alone")
        if lowered == b"accept-encoding":
            encoding_said = True
        parts.append(name + b": " + value)
    if not encoding_said:
        parts.append(b"accept-encoding: identity")
    if call.body or method not in _BODILESS:
        parts.append(b"content-length: %d" % len(call.body))
    parts.append(b"\r\n")
    head = b"\r\n".join(parts)
    # One line break per line we wrote, and no other: cheaper than looking into each value.
    lines = len(parts) + host.count(b"\n")
    if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
        raise _refused(f"{_culprit(call.headers)} holds a line break or NUL")
    return head


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
