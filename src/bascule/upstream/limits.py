"""Every limit of the transport, by name."""

from msgspec import Struct


class UpstreamLimits(Struct, frozen=True, kw_only=True):
    """Bounds of the connection pool and of what one response may cost us in memory."""

    max_connections_per_origin: int = 512
    max_waiting_per_origin: int = 1024
    """Requests that may wait for a connection of one origin; one more is refused as `connect`."""
    keepalive_idle_s: float = 45.0
    """An idle connection is closed after this long, or a second before the server's own `Keep-Alive: timeout`."""
    max_connection_age_s: float = 600.0
    """An older connection is closed after its response, so that a changed DNS entry is noticed."""
    replay_idle_s: float = 1.0
    """A reused connection that had been idle this long may have been closed by the server as we wrote to it."""
    replay_within_s: float = 1.0
    """... and if it closes this soon, with no byte of response, the request is sent once more on a fresh one."""
    read_buffer_bytes: int = 4 * 1024
    """Unread bytes of one response above which its socket is no longer read."""
    max_head_bytes: int = 64 * 1024
    """Of a response's status line and header fields; also of chunk extensions and trailers without a body byte."""
    write_piece_bytes: int = 256 * 1024
    """Larger request bodies are written in pieces, each waiting for the socket to take the last."""
