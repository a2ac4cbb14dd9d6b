"""Which addresses are inside: this machine, its networks, and what only they can reach. Pure; nothing is looked up.

Public is what the registries give to the world at large, stated here as lists and not left to a library whose answer
has changed with its versions. An address that carries another one (IPv4-mapped, NAT64) is judged by what it carries.
"""

import re
import unicodedata
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import unquote, urlsplit

from bascule.model.facts import Fetched

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_INSIDE_V4 = tuple(
    [
        IPv4Network(text)
        for text in (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32",  # Azure's own services towards each of its machines, at a public number
        )
    ]
)  # fmt: skip
_UNICAST_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple([IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")])
"""Teredo, ORCHID, documentation and 6to4, which leads to whatever IPv4 address it carries."""
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
"""What DNS64 makes of an IPv4 address, so that all of the old internet looks like this in some networks."""

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_HOST = re.compile(r"[\w.:-]+")
"""Names, letters of any script among them, and numbers."""
_INSIDE_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa", "onion")
"""Endings of names that are looked up inside; `metadata.google.internal` is one of them."""
_SCHEMES_FETCHED = ("http", "https", "ftp", "ftps", "ws", "wss")
_KEPT_AT_PROVIDER = ("gs", "s3")
"""Addresses in a provider's own storage: it opens them with the rights of its caller."""


def as_network(text: str) -> Network:
    """`10.0.0.0/8`, or one address. Raises ValueError, also for bits beyond the prefix."""
    return ip_network(text)


def carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether it belongs to the world at large."""
    found = carried(address)
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _INSIDE_V4)
    if found.scope_id is not None or found not in _UNICAST_V6:
        return False
    return not any(found in network for network in _NOT_PUBLIC_V6)


def may_reach(address: Address, allowed: tuple[Network, ...]) -> bool:
    """Public, or inside a network that the operator has named."""
    found = carried(address)
    return is_public(found) or any(found.version == network.version and found in network for network in allowed)


def number_of(host: str) -> Address | None:
    """The address that `host` is in any notation that some resolver takes: `127.1`, `0x7f000001`, `017700000001`.

    None for a name. A text that ends like a number and is none (`999.1`) is unspecified: inside, and nobody's name.
    """
    bare = host.strip("[]")
    if ":" in bare:
        try:
            return ip_address(bare)
        except ValueError:
            return IPv6Address(0)
    parts = bare.removesuffix(".").split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    return _ipv4_of(parts) or IPv4Address(0)


def _ipv4_of(parts: list[str]) -> IPv4Address | None:
    """As `inet_aton` reads it: up to four numbers, decimal, octal or hexadecimal, the last one fills what is left."""
    if len(parts) > 4:
        return None
    numbers: list[int] = []
    for part in parts:
        if not _NUMBER.fullmatch(part) or len(part) > 40:
            return None
        try:
            numbers.append(_number(part))
        except ValueError:
            return None
    *front, last = numbers
    if any(number > 255 for number in front) or last >= 256 ** (5 - len(parts)):
        return None
    value = last
    for place, number in enumerate(front):
        value += number << (8 * (3 - place))
    return IPv4Address(value)


def _number(text: str) -> int:
    if text[:2] in ("0x", "0X"):
        return int(text[2:] or "0", 16)
    return int(text, 8) if len(text) > 1 and text.startswith("0") else int(text)


def is_inside_host(host: str) -> bool:
    """Whether a host, as it is written, stays inside: an address that is not public, or a name of inside ones.

    Where a public name leads is not seen here.
    """
    name = host.casefold().removesuffix(".")
    if not name or "%" in name:
        return True
    address = number_of(name)
    if address is not None:
        return not is_public(address)
    if "." not in name:
        return True
    return name.endswith(tuple([f".{ending}" for ending in _INSIDE_NAMES]))


def fetched_from(urls: Sequence[str]) -> Fetched:
    """Where a provider would have to look for what these addresses name; `inside` wins."""
    found: Fetched = "nothing"
    for url in urls:
        if is_inside_url(url):
            return "inside"
        if url[:5].casefold() != "data:":
            found = "outside"
    return found


def is_inside_url(url: str) -> bool:
    """Whether whoever fetches `url` would, by what it says, look inside. Bytes in the URL itself (`data:`) are not
    fetched. What cannot be taken apart, or has a scheme that reads files, counts as inside."""
    scheme, colon, _ = url.partition(":")
    scheme = scheme.strip().casefold()
    if not colon or scheme == "data":
        return not colon
    if scheme in _KEPT_AT_PROVIDER:
        return False
    if scheme not in _SCHEMES_FETCHED:
        return True
    # Fetchers differ on these; whichever way they read them, none has a place in an honest address.
    if not url.isprintable() or "\\" in url or " " in url:
        return True
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return True
    if not host or "@" in parts.netloc:
        return True
    plain = _plain(host)
    return not _HOST.fullmatch(plain) or is_inside_host(plain)


def _plain(host: str) -> str:
    """Without percent-encoding, and full-width or circled digits and dots as the ASCII that resolvers make of them."""
    decoded = unquote(host)
    if decoded.isascii():
        return decoded
    return unicodedata.normalize("NFKC", decoded).replace("\u3002", ".")
