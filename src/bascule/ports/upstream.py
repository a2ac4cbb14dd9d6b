"""Connections to providers."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from bascule.model.outcome import ErrorClass
from bascule.providers.signing import SigV4

Header = tuple[bytes, bytes]


class Timeouts(Struct, frozen=True, kw_only=True):
    """Limits of one upstream exchange, in seconds."""

    connect_s: float = 5.0
    first_byte_s: float = 120.0
    idle_s: float = 60.0
    total_s: float = 900.0


class UpstreamCall(Struct, frozen=True, kw_only=True):
    """One HTTP exchange to make. `origin` is `https://host[:port]`, `target` path with query, as sent."""

    origin: str
    method: str
    target: str
    headers: tuple[Header, ...]
    """Without Host, Content-Length, Connection and Transfer-Encoding: the transport sets those."""
    body: bytes
    timeouts: Timeouts = Timeouts()
    max_body_bytes: int = 64 * 1024 * 1024
    """Of a decoded response body that is read whole."""
    signing: SigV4 | None = None
    """How the transport signs it, just before it leaves: that takes the clock and the body as it is sent."""


class TransportError(Exception):
    """The exchange broke below the dialect. `request_sent`: at least a byte of it reached the socket."""

    def __init__(self, error_class: ErrorClass, message: str, *, request_sent: bool) -> None:
        self.error_class = error_class
        self.request_sent = request_sent
        super().__init__(message)


class UpstreamReply(Protocol):
    """A response whose head has arrived. Exactly one of `read` or repeated `read_chunk`, then `close`."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[Header]:
        """Names lower-cased."""
        ...

    async def read(self) -> bytes:
        """The whole body, decoded. Raises TransportError (`too_large`, `reset`, `truncated`, timeouts)."""
        ...

    async def read_chunk(self) -> bytes:
        """The next bytes as they arrive, b"" at the clean end. Raises TransportError. Reading drives backpressure."""
        ...

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else cut it. Idempotent, never blocks."""
        ...


class Upstream(Protocol):
    async def send(self, call: UpstreamCall) -> UpstreamReply:
        """Send the request and wait for the response's head. Raises TransportError, and LedgerUnavailable where the
        request did not leave because its intent could not be written."""
        ...
