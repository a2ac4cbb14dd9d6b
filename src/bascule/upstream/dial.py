"""Opening one connection to an origin: directly, through a plain proxy, or through a tunnel with TLS inside."""

import asyncio
import os
import ssl
from collections.abc import Callable

from bascule.ports import TransportError
from bascule.upstream.connection import Connection
from bascule.upstream.proxy import Proxy, Tunnel
from bascule.upstream.request import Origin


async def dial(
    loop: asyncio.AbstractEventLoop,
    origin: Origin,
    proxy: Proxy | None,
    tls: ssl.SSLContext,
    make: Callable[[], Connection],
    timeout_s: float,
) -> Connection:
    """Connect (name look-up, TCP, CONNECT, TLS) within `timeout_s`.

    Raises TransportError `connect` or `timeout_connect`; nothing of a request was sent then.
    """
    try:
        async with asyncio.timeout(timeout_s):
            if proxy is None:
                context = tls if origin.secure else None
                _, connection = await loop.create_connection(make, origin.host, origin.port, ssl=context)
            elif origin.secure:
                connection = await _through_tunnel(loop, origin, proxy, tls, make)
            else:
                context = tls if proxy.secure else None
                _, connection = await loop.create_connection(make, proxy.host, proxy.port, ssl=context)
    except TimeoutError:
        message = f"{origin.authority}: not connected within {timeout_s:g} s"
        raise TransportError("timeout_connect", message, request_sent=False) from None
    except ssl.SSLCertVerificationError as error:
        message = f"{origin.authority}: the certificate is not trusted: {error.verify_message[:120]}"
        raise TransportError("connect", message, request_sent=False) from None
    except OSError as error:
        message = f"{origin.authority}: not connected: {_reason(error)[:120]}"
        raise TransportError("connect", message, request_sent=False) from None
    return connection


def _reason(error: OSError) -> str:
    """The system's words for it; the loops' own differ and repeat addresses."""
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'the handshake was cut'}"
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__


async def _through_tunnel(
    loop: asyncio.AbstractEventLoop,
    origin: Origin,
    proxy: Proxy,
    tls: ssl.SSLContext,
    make: Callable[[], Connection],
) -> Connection:
    context = tls if proxy.secure else None
    transport, tunnel = await loop.create_connection(
        lambda: Tunnel(loop, origin, proxy), proxy.host, proxy.port, ssl=context
    )
    try:
        status = await tunnel.opened
        if not 200 <= status < 300:
            raise OSError(f"the proxy answered {status} to CONNECT")
        connection = make()
        secured = await loop.start_tls(transport, connection, tls, server_hostname=origin.host)
        if secured is None:
            raise OSError("the proxy closed the connection during the TLS handshake")
    except BaseException:
        transport.abort()
        raise
    connection.connection_made(secured)  # start_tls leaves this to its caller
    return connection
