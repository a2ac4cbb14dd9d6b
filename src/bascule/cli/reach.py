"""Whether an upstream can be reached: a plain TCP connection, and TLS where the address has it. Nothing is sent."""

import os
import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from bascule.link import LinkedProvider
from bascule.offline.diagnosis import Finding
from bascule.upstream.proxy import ProxySettings, proxy_settings
from bascule.upstream.request import parse_origin
from bascule.upstream.tls import client_context


def reach(providers: Iterable[LinkedProvider], timeout_s: float) -> list[Finding]:
    """One finding per provider, all tried at once. Raises ConfigError where a proxy variable is not a proxy."""
    wanted = list(providers)
    if not wanted:
        return []
    proxies = proxy_settings(os.environ)
    with ThreadPoolExecutor(max_workers=min(16, len(wanted))) as pool:
        return list(pool.map(lambda provider: _reach(provider, proxies, timeout_s), wanted))


def _reach(provider: LinkedProvider, proxies: ProxySettings, timeout_s: float) -> Finding:
    name = f"reach {provider.name}"
    origin = parse_origin(provider.origin)
    proxy = proxies.for_origin(origin)
    there = origin if proxy is None else proxy
    place = f"{there.host}:{there.port}"
    try:
        _connect(there.host, there.port, there.secure, timeout_s)
    except ssl.SSLCertVerificationError as error:
        what = f"{place} shows a certificate that is not trusted: {error.verify_message}"
        return Finding(name, "fail", what, "Check base_url, the clock, and the system's certificates")
    except (OSError, UnicodeError) as error:
        what = f"{place} cannot be reached: {getattr(error, 'strerror', None) or error or type(error).__name__}"
        remedy = "Start that server, or mend its base_url" if provider.spec.local else "Check base_url and the network"
        return Finding(name, "fail", what, remedy)
    via = f" through the proxy {place}, which alone was tried" if proxy is not None else ""
    return Finding(name, "ok", f"{provider.origin} answers{via}")


def _connect(host: str, port: int, secure: bool, timeout_s: float) -> None:
    with socket.create_connection((host, port), timeout=timeout_s) as connection:
        if secure:
            with client_context().wrap_socket(connection, server_hostname=host):
                pass
