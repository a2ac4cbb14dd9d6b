"""Servers that count who came, and with what."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Hit:
    """One request as it came."""

    line: str
    head: bytes
    body: bytes


class Counting:
    """One listening address. `answer` says what a request gets; by default an empty 200."""

    def __init__(self, answer: Callable[[Hit], Answer] | None = None) -> None:
        self.hits: list[Hit] = []
        self.port = 0
        self.url = ""
        self._answer = answer or (lambda hit: (200, {}, b"{}"))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            sizes = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(sizes[0])) if sizes else b""
            hit = Hit(head.split(b"\r\n")[0].decode("latin-1"), head, body)
            self.hits.append(hit)
            status, headers, answer = self._answer(hit)
            lines = [f"HTTP/1.1 {status} X", *[f"{name}: {value}" for name, value in headers.items()]]
            lines += [f"content-length: {len(answer)}", "connection: close", "", ""]
            writer.write("\r\n".join(lines).encode() + answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hits.append(Hit("", b"", b""))  # whoever connects has come, whatever it says
        finally:
            writer.close()


@contextmanager
def counting(
    address: str = "127.0.0.1", port: int = 0, answer: Callable[[Hit], Answer] | None = None
) -> Iterator[Counting]:
    """A `Counting` that listens, in a thread of its own."""
    server = Counting(answer)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(asyncio.start_server(server.serve, address, port), loop).result(10)
    server.port = listening.sockets[0].getsockname()[1]
    server.url = f"http://{address}:{server.port}"
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
