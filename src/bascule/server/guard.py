"""Which Host and Origin may reach us: a page in the user's browser must not use an open gateway on loopback.

DNS rebinding makes a browser send its request to 127.0.0.1 under the attacker's own name, so the Host is checked;
a cross-site `fetch` carries an Origin, so that is checked where no key stands between the page and the models.
"""

from collections.abc import Sequence

from bascule.config.urls import is_loopback
from bascule.model.errors import Refusal

ONE_HOST = Refusal(kind="malformed", message="a request needs exactly one Host header", code="invalid_host")
"""RFC 9112, 3.2: two of them are an attempt to have two servers see two requests."""
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


def host_name(value: str) -> str:
    """The host of a Host header, lower-case, without its port; what has another form is left as it is."""
    value = value.lower()
    end = value.find("]") + 1 if value.startswith("[") else value.find(":")
    if end <= 0 or end == len(value):
        return value
    port = value[end + 1 :]
    return value[:end] if value[end] == ":" and (port.isdigit() or not port) else value


class Guard:
    """Judges the Host and Origin headers of every request, hot or not."""

    def __init__(self, *, bound_host: str, allowed_hosts: Sequence[str], allowed_origins: Sequence[str]) -> None:
        bound = f"[{bound_host}]" if ":" in bound_host else bound_host
        self._any_host = not is_loopback(bound_host) and not allowed_hosts
        self._hosts = frozenset({*(h.lower() for h in allowed_hosts), bound.lower()} | LOOPBACK_HOSTS)
        self._origins = frozenset(o.lower().rstrip("/") for o in allowed_origins)

    def host_problem(self, hosts: Sequence[bytes]) -> Refusal | None:
        """None where there is one Host header and it is right."""
        if len(hosts) != 1:
            return ONE_HOST
        if self._any_host or host_name(hosts[0].decode("latin-1")) in self._hosts:
            return None
        return _forbidden("this Host is not served here; add it to server.allowed_hosts if it should be")

    def origin_problem(self, origin: bytes | None, host: bytes, fetch_site: bytes | None) -> Refusal | None:
        """None where no browser page of another site is behind the request."""
        if origin is None:
            if fetch_site in (None, b"same-origin", b"none"):
                return None
            return _forbidden("a page of another site may not use this gateway")
        text = origin.decode("latin-1").lower()
        _, is_address, authority = text.partition("://")
        if text in self._origins or (is_address and authority == host.decode("latin-1").lower()):
            return None
        return _forbidden(
            "a page of another origin may not use this gateway; add it to server.allowed_origins if it should"
        )


def _forbidden(message: str) -> Refusal:
    return Refusal(kind="forbidden", message=message)
