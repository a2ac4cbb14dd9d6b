"""The transport as the engine sees it: one call in, one reply out."""

import asyncio
import os
import ssl

from bascule.ports import TransportError, UpstreamCall
from bascule.upstream.connection import Connection, Home
from bascule.upstream.dial import dial
from bascule.upstream.limits import UpstreamLimits
from bascule.upstream.outbox import Outbox
from bascule.upstream.pool import OriginPool
from bascule.upstream.proxy import ProxySettings, proxy_settings
from bascule.upstream.reply import Reply
from bascule.upstream.request import HeadWriter, parse_origin
from bascule.upstream.signer import Signer
from bascule.upstream.tls import client_context

_READ_BYTES = 6 * 1024
"""What one read takes at most: with `read_buffer_bytes`, what a reader who lags costs."""


class HttpUpstream:
    """`ports.Upstream`: HTTP/1.1 with pooled keep-alive. Belongs to the event loop of its first request.

    A request is sent a second time, once, only where the first cannot have been processed: its connection was a
    reused one, gave no byte of a response, and either closed before it had taken the whole request, or had been idle
    for `replay_idle_s` and closed within `replay_within_s` (the server hung up on an idle connection as we wrote).
    Anything else that breaks is reported with `request_sent` True, since a provider may bill it.
    """

    def __init__(
        self,
        limits: UpstreamLimits | None = None,
        tls: ssl.SSLContext | None = None,
        proxies: ProxySettings | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        """`tls` None: the system's trust. `proxies` None: from the environment, read once, here."""
        self.outbox = outbox or Outbox()
        self._limits = limits or UpstreamLimits()
        self._tls = tls or client_context()
        self._proxies = proxies if proxies is not None else proxy_settings(os.environ)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pools: dict[str, OriginPool] = {}
        self._view = memoryview(bytearray(_READ_BYTES))
        self._closed = False
        self._signer = Signer(self.outbox)

    @property
    def open_connections(self) -> int:
        return sum(pool.open_connections for pool in self._pools.values())

    @property
    def in_flight(self) -> int:
        """Connections that carry a request or are being opened for one."""
        return sum(pool.in_flight for pool in self._pools.values())

    @property
    def idle(self) -> int:
        return sum(len(pool.idle) for pool in self._pools.values())

    async def send(self, call: UpstreamCall) -> Reply:
        """Send and wait for the head. Raises TransportError, or LedgerUnavailable where the round's ledger lines
        could not be written, so that nothing was sent; a cancelled caller leaves no connection in use.
        """
        pool = self._pools.get(call.origin)
        if pool is None:
            pool = self._open_pool(call.origin)
        if call.signing is not None:
            call = await self._signer.signed(call, call.signing, _connect_limit_s(call))
        head = pool.heads.encode(call)
        connection = pool.take_idle()
        started_at = None
        if connection is None:
            started_at = pool.now()
            unwritten = self.outbox.flush()  # the wait may be longer than the round in which the intent was added
            if unwritten is not None:
                raise unwritten
            connection = await pool.acquire(_connect_limit_s(call))
        idle_since = connection.idle_since
        reused = connection.requests > 0
        reply = connection.start(call, head, started_at)
        try:
            if connection.body_pending:
                await connection.write_rest(reply, call.body)
            return await reply.head()
        except TransportError:
            if not reused or not self._may_replay(reply, idle_since, pool.now()):
                raise
        connection = await pool.acquire(_connect_limit_s(call))
        reply = connection.start(call, head, started_at or reply.sent_at)
        if connection.body_pending:
            await connection.write_rest(reply, call.body)
        return await reply.head()

    def close(self) -> None:
        """Cut every connection for good. Replies still open fail as `reset`."""
        self._closed = True
        for pool in self._pools.values():
            pool.close()

    def _may_replay(self, reply: Reply, idle_since: float, now: float) -> bool:
        """Whether a request that died on a reused connection is known not to have been processed."""
        if reply.saw_bytes or not reply.lost_connection:
            return False
        limits = self._limits
        was_idle = reply.sent_at - idle_since >= limits.replay_idle_s
        return reply.unwritten or (was_idle and now - reply.sent_at <= limits.replay_within_s)

    def _open_pool(self, origin_text: str) -> OriginPool:
        if self._closed:
            raise TransportError("connect", "the transport is closed", request_sent=False)
        loop = self._loop = self._loop or asyncio.get_running_loop()
        origin = parse_origin(origin_text)
        proxy = self._proxies.for_origin(origin)
        plain_proxy = proxy if proxy is not None and not origin.secure else None

        async def open_connection(home: Home, timeout_s: float) -> Connection:
            def make() -> Connection:
                return Connection(loop, home, self._limits, self._view, origin.authority, self.outbox)

            return await dial(loop, origin, proxy, self._tls, make, timeout_s)

        pool = OriginPool(
            loop,
            self._limits,
            open_connection,
            place=origin.authority,
            heads=HeadWriter(
                origin,
                plain_proxy=plain_proxy is not None,
                proxy_authorization=None if plain_proxy is None else plain_proxy.authorization,
            ),
        )
        self._pools[origin_text] = pool
        return pool


def _connect_limit_s(call: UpstreamCall) -> float:
    return min(call.timeouts.connect_s, call.timeouts.total_s)
