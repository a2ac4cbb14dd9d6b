"""Base URLs: checked, and split into what a connection and a request line need."""

from ipaddress import ip_address
from urllib.parse import urlsplit


class UrlError(ValueError):
    """Not a usable base URL; the message never repeats the URL, which may hold a credential."""


def check_base_url(text: str) -> str:
    """The URL without a trailing slash. Raises UrlError."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UrlError("holds spaces, control characters or letters outside ASCII")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UrlError("cannot be taken apart") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UrlError("must begin with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise UrlError("holds a user or password; put the key into `api_key`")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise UrlError("holds a query or a fragment")
    if port == 0:
        raise UrlError("has port 0")
    return text.rstrip("/")


def split_base_url(url: str) -> tuple[str, str]:
    """`https://host[:port]` and the path without a trailing slash (empty for none)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    name = host.strip("[]").partition("%")[0].casefold()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""
