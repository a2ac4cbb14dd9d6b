"""A client of bare HTTP/1.1 that can leave whenever it wants, as no SDK can."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Leave:
    """When to hang up: after so many seconds, or once so many bytes of the answer's body have come."""

    after_s: float | None = None
    after_bytes: int | None = None
    reset: bool = False
    """With RST instead of FIN."""


@dataclass(kw_only=True)
class Seen:
    """What the client got. `status` None: no whole head came."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    left: bool = False
    """It hung up by its own wish."""
    broken: str | None = None
    """The connection ended where it should not have."""

    def json(self) -> Any:
        return json.loads(self.body)


async def post(
    url: str,
    path: str,
    body: bytes | Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    *,
    leave: Leave | None = None,
    timeout_s: float = 60.0,
) -> Seen:
    """One request on a connection of its own."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {"host": urlsplit(url).netloc, "content-type": "application/json", "connection": "close"}
    all_headers |= {"content-length": str(len(content))} | dict(headers or {})
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    return await raw(url, head.encode() + b"\r\n" + content, leave=leave, timeout_s=timeout_s)


async def raw(url: str, data: bytes, *, leave: Leave | None = None, timeout_s: float = 60.0) -> Seen:
    """Send these bytes and read one answer."""
    seen = Seen()
    parts = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except OSError as error:
        seen.broken = f"connect: {error}"
        return seen
    try:
        writer.write(data)
        limit_s = timeout_s if leave is None or leave.after_s is None else leave.after_s
        async with asyncio.timeout(limit_s):
            await _read(reader, seen, leave)
    except TimeoutError:
        if leave is None or leave.after_s is None:
            raise
        seen.left = True
    except (OSError, asyncio.IncompleteReadError) as error:
        seen.broken = f"{type(error).__name__}: {error}"
    finally:
        _hang_up(writer, seen.left and leave is not None and leave.reset)
    return seen


def _hang_up(writer: asyncio.StreamWriter, reset: bool) -> None:
    if reset and not writer.is_closing():  # what the other side has reset has no socket any more
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        writer.close()


async def _read(reader: asyncio.StreamReader, seen: Seen, leave: Leave | None) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    seen.status = int(head[0].split()[1])
    for line in head[1:]:
        name, _, value = line.partition(":")
        if name:
            seen.headers[name.lower()] = value.strip()
    if seen.headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\n"), 16):
            seen.body += (await reader.readexactly(size + 2))[:-2]
            if _has_enough(seen, leave):
                return
        return
    left = int(seen.headers.get("content-length", 0))
    while left:
        data = await reader.read(left)
        if not data:
            raise asyncio.IncompleteReadError(seen.body, left)
        seen.body += data
        left -= len(data)
        if _has_enough(seen, leave):
            return


def _has_enough(seen: Seen, leave: Leave | None) -> bool:
    if leave is not None and leave.after_bytes is not None and len(seen.body) >= leave.after_bytes:
        seen.left = True
    return seen.left
