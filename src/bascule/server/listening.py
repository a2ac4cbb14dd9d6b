"""Whether the address to listen on can be had, asked before uvicorn, which says no more than the error's number."""

import errno
import os
import socket

from bascule.model.errors import BasculeError


def judge_address(host: str, port: int) -> None:
    """Take the address and let it go again. Raises BasculeError where that fails, naming the setting."""
    where = f"{f'[{host}]' if ':' in host else host}:{port}"
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except socket.gaierror as error:
        raise BasculeError(f"server.host {host!r} is no address of this machine: {error.strerror}") from error
    except OSError as error:
        raise BasculeError(_problem(error.errno, where, host, port)) from error


def _problem(number: int | None, where: str, host: str, port: int) -> str:
    if number == errno.EADDRINUSE:
        return (
            f"server.port {port} is taken: something listens on {where} already, perhaps another gateway; "
            "stop it, or choose another port with --port or server.port"
        )
    if number == errno.EACCES:
        return f"server.port {port} may not be taken by this user; choose one above 1023 with --port or server.port"
    if number == errno.EADDRNOTAVAIL:
        return f"server.host {host!r} is no address of this machine; choose another with --host or server.host"
    return f"{where} cannot be listened on: {os.strerror(number or 0)}; see server.host and server.port"
