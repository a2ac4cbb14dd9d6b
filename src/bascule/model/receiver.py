"""Where a webhook is, taken apart."""

from ipaddress import IPv4Network, IPv6Network

from msgspec import Struct


class Receiver(Struct, frozen=True, kw_only=True):
    """An address that a person typed. Built by `link`, which refuses what cannot be right."""

    host: str
    port: int
    secure: bool
    target: str
    """Path and query, as sent. May hold a credential, so it is in no message."""
    authority: str
    """The Host header."""
    allowed: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks inside that it may be in."""

    def __repr__(self) -> str:
        return f"Receiver({self.authority})"
