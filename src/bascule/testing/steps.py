"""What a server does, as a list of steps that can be looked at, spoilt and played."""

from typing import Literal

from msgspec import Struct

Kind = Literal["head", "content", "finish", "usage", "terminal", "other"]
End = Literal["reset", "close", "hang", "drip"]


class Step(Struct, frozen=True, kw_only=True):
    """Wait, then write, then perhaps end badly. `tokens`: output tokens generated when it is done."""

    data: bytes = b""
    kind: Kind = "other"
    tokens: int = 0
    wait_s: float = 0.0
    usage: object = None
    """The usage that `data` reports, as it is written."""
    end: End | None = None


class Response(Struct, frozen=True, kw_only=True):
    """A whole response: head, body steps and how the body is framed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    chunked: bool = False
    content_length: int | None = None
    """None: the sum of the steps' bytes (or chunked)."""
    head: bool = True
    """False: not even a head is written."""
    packet_bytes: int | None = None
    """Write in packets of this size."""
    unfinished: bool = False
    """Leave out the end of the framing and keep the connection open."""
