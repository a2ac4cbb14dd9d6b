"""The connector for everything that is no configured provider: what it may reach is judged at the moment of reaching.

A name is resolved once. Every address that comes back is judged, one that is inside condemns them all, and the
connection goes to an address that was judged, not to the name: a name that leads elsewhere a moment later changes
nothing. TLS and the Host header keep the name. Redirects are not followed, of the answer only the status line is
read, and no proxy is used, since a proxy would resolve the name by itself.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from socket import SOCK_STREAM

from bascule.decide.addresses import Address, may_reach, number_of
from bascule.model.receiver import Receiver
from bascule.ports import Header, NotDelivered
from bascule.upstream.tls import client_context

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Addresses of a host name. Raises OSError."""

MAX_ADDRESSES = 16
"""That one name may have; a longer list is refused, not cut."""
MAX_TRIED = 3
"""Of them are connected to, one after the other."""
MAX_LINE_BYTES = 1024
"""Of the status line; nothing behind it is read."""
USER_AGENT = b"bascule-webhooks"


class GuardedConnector:
    """Implements `ports.Deliveries`. A connection serves one request."""

    def __init__(self, *, timeout_s: float, tls: ssl.SSLContext | None = None, resolve: Resolve | None = None) -> None:
        """`timeout_s` is for all of it, from look-up to status. `tls` None: the system's trust. `resolve` None: the
        system's resolver."""
        self.timeout_s = timeout_s
        self._tls = tls
        self._resolve = resolve or _system_resolver

    async def post(self, to: Receiver, headers: Sequence[Header], body: bytes) -> int:
        try:
            async with asyncio.timeout(self.timeout_s):
                addresses = await self._judged(to)
                reader, writer = await self._connect(to, addresses)
                try:
                    writer.write(_request(to, headers, body))
                    await writer.drain()
                    return _status(await _first_line(reader))
                finally:
                    writer.transport.abort()
        except TimeoutError:
            raise NotDelivered(f"{to.authority}: no answer within {self.timeout_s:g} s") from None
        except ssl.SSLError as error:
            raise NotDelivered(f"{to.authority}: TLS failed: {error.reason or 'the handshake was cut'}") from None
        except OSError as error:
            raise NotDelivered(f"{to.authority}: {error.strerror or type(error).__name__}") from None

    async def _judged(self, to: Receiver) -> list[Address]:
        """The addresses that may be connected to: all that the name has, or none."""
        numeric = number_of(to.host)
        found = [numeric] if numeric is not None else await self._look_up(to)
        for address in found:
            if not may_reach(address, to.allowed):
                raise NotDelivered(
                    f"{to.authority} leads to {address}, which is inside; name its network under "
                    "`alerts.allow_private` if that is meant",
                    forbidden=True,
                )
        if not to.secure and not all(_is_named(address, to) for address in found):
            raise NotDelivered(f"{to.authority} is not inside, so it must be https", forbidden=True)
        return found[:MAX_TRIED]

    async def _look_up(self, to: Receiver) -> list[Address]:
        try:
            texts = await self._resolve(to.host, to.port)
        except (OSError, UnicodeError):
            raise NotDelivered(f"{to.authority}: the name cannot be resolved") from None
        if not 0 < len(texts) <= MAX_ADDRESSES:
            raise NotDelivered(f"{to.authority}: the name has {len(texts)} addresses; 1 to {MAX_ADDRESSES} are taken")
        return [ip_address(text) for text in texts]

    async def _connect(
        self, to: Receiver, addresses: Sequence[Address]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the first that takes it. The address is a number by now, so nothing is looked up again."""
        refused: OSError | None = None
        context = (self._tls or client_context()) if to.secure else None
        for address in addresses:
            try:
                return await asyncio.open_connection(
                    str(address),
                    to.port,
                    ssl=context,
                    server_hostname=to.host if to.secure else None,
                    limit=MAX_LINE_BYTES,
                )
            except ssl.SSLError:
                raise
            except OSError as error:
                refused = error
        raise refused or OSError("no address")


def _is_named(address: Address, to: Receiver) -> bool:
    return any(address.version == network.version and address in network for network in to.allowed)


async def _system_resolver(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys([str(sockaddr[0]) for *_, sockaddr in found]))


def _request(to: Receiver, headers: Sequence[Header], body: bytes) -> bytes:
    lines = [b"POST %b HTTP/1.1" % to.target.encode("ascii"), b"host: %b" % to.authority.encode("ascii")]
    lines += [b"user-agent: " + USER_AGENT, b"connection: close", b"content-length: %d" % len(body)]
    lines += [b"%b: %b" % header for header in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def _first_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise NotDelivered("what answered does not speak HTTP") from None


def _status(line: bytes) -> int:
    """Of a status line."""
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit() or len(words[1]) != 3:
        raise NotDelivered("what answered does not speak HTTP")
    return int(words[1])
