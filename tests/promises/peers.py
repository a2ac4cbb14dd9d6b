"""A real gateway between peers that behave badly: providers that flood, drip or hang, clients that do not read."""

import asyncio
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.acceptance.process import Gateway

CHAT = "/v1/chat/completions"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_NO = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


def _event(delta: dict[str, Any], finish: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    event: dict[str, Any] = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    event |= {"choices": choices} | ({"usage": usage} if usage else {})
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


FIRST = _chunk(_event({"role": "assistant", "content": "one "}))
PIECE = _chunk(b"".join(_event({"content": "word " * 20}) for _ in range(8)))
COMMENT = _chunk(b": still there\n\n")
USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
LAST = _chunk(_event({}, "stop") + _event({}, usage=USAGE) + b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Upstream:
    """One OpenAI-type provider in a thread; the model's name says what it does: `flood`, `drip`, `hang`, `mute`,
    or `words-N-MS`, a sound stream of N pieces so many milliseconds apart."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstream", daemon=True)
        self.served = 0
        self.open = 0
        """Requests that are being answered."""
        self.url = ""

    def start(self) -> None:
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024), self._loop
        )
        self._server = started.result(10)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    def stop(self) -> None:
        async def stop() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
                body = json.loads(await reader.readexactly(length))
                self.served += 1
                self.open += 1
                try:
                    await self._answer(body["model"], reader, writer)
                finally:
                    self.open -= 1
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the gateway has left, or the test is over
        finally:
            writer.close()

    async def _answer(self, what: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = asyncio.ensure_future(reader.read(1))
        playing = asyncio.ensure_future(self._play(what, writer))
        try:
            await asyncio.wait([gone, playing], return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                raise asyncio.IncompleteReadError(b"", 1)
            playing.result()
        finally:
            playing.cancel()
            gone.cancel()
            await asyncio.gather(gone, playing, return_exceptions=True)

    async def _play(self, what: str, writer: asyncio.StreamWriter) -> None:
        if what == "mute":
            await asyncio.Event().wait()
        writer.write(_HEAD + FIRST)
        if what == "hang":
            await asyncio.Event().wait()
        if what.startswith("words"):
            _, number, gap_ms = what.split("-")
            for _ in range(int(number)):
                await asyncio.sleep(int(gap_ms) / 1000)
                writer.write(PIECE)
            writer.write(LAST)
            await writer.drain()
            return
        while True:
            writer.write(COMMENT if what == "drip" else PIECE)
            await writer.drain()
            await asyncio.sleep(0.5 if what == "drip" else 0)


def config_for(
    upstream: Upstream, *models: str, timeouts: dict[str, float] | None = None, **more: Any
) -> dict[str, Any]:
    provider = {"dialect": "openai_chat", "base_url": upstream.url, "api_key": "none", "timeouts": timeouts or {}}
    provider |= more.pop("provider", {})
    price = {"input": 1, "output": 2}
    return {
        "cache": {"exact": {"enabled": False}},
        "retry": {"max_attempts": 1},
        "providers": {"up": provider},
        "models": {
            name: {"endpoints": [{"provider": "up", "model": name}], "price": price, "max_output": 1000}
            for name in models
        },
        **more,
    }


@contextmanager
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def serving(folder: Path, config: dict[str, Any], env: dict[str, str] | None = None) -> Iterator[Gateway]:
    folder.mkdir(exist_ok=True)
    gateway = Gateway(folder, config, env)
    try:
        yield gateway.start()
    finally:
        gateway.kill()


def resident_bytes(gateway: Gateway) -> int:
    return int(Path(f"/proc/{gateway.pid}/statm").read_text().split()[1]) * PAGE_BYTES


def peak_bytes(gateway: Gateway) -> int:
    """The most that it had resident since `forget_peak`."""
    status = Path(f"/proc/{gateway.pid}/status").read_text()
    return int(status.split("VmHWM:", 1)[1].split()[0]) * 1024


def forget_peak(gateway: Gateway) -> None:
    Path(f"/proc/{gateway.pid}/clear_refs").write_text("5")


def open_files(gateway: Gateway) -> int:
    return len(list(Path(f"/proc/{gateway.pid}/fd").iterdir()))


def request(model: str, *, stream: bool = True, key: str = "any", **more: Any) -> bytes:
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hello."}], **more}
    content = json.dumps(body).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\ncontent-length: {len(content)}"
    return head.encode() + b"\r\ncontent-type: application/json\r\n\r\n" + content


def connect(gateway: Gateway, *, receive_bytes: int | None = None, timeout_s: float = 30.0) -> socket.socket:
    at = urlsplit(gateway.url)
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_bytes is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    line.settimeout(timeout_s)
    try:
        line.connect((at.hostname, at.port))
    except OSError:
        line.close()
        raise
    return line


def reset(line: socket.socket) -> None:
    """Leave with RST."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


def rest_of(line: socket.socket) -> bytes:
    """All that comes until the other side closes or resets; then this side is closed too."""
    found = b""
    with line, suppress(ConnectionResetError):
        while data := line.recv(65_536):
            found += data
    return found


def wait_for(what: Callable[[], bool], within_s: float, why: str = "") -> float:
    """How long it took. AssertionError where it took longer."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < within_s, why or "not in time"
        time.sleep(0.05)
    return time.monotonic() - began
