"""An upstream without a socket: replies from a list, with their pauses and breaks, and a record of every call."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from bascule.model.outcome import ErrorClass
from bascule.ports import Header, TransportError, UpstreamCall
from bascule.testing.exchange import Note, nothing

IDLE: ErrorClass = "timeout_idle"
FIRST_BYTE: ErrorClass = "timeout_first_byte"
TOTAL: ErrorClass = "timeout_total"

HANG_S = 10_000_000.0
"""A pause that only a timeout ends."""


class Break(Struct, frozen=True):
    """The exchange breaks here."""

    error_class: ErrorClass = "reset"
    request_sent: bool = True

    def error(self) -> TransportError:
        return TransportError(self.error_class, f"scripted {self.error_class}", request_sent=self.request_sent)


Part = bytes | float | Break | Callable[[], None]
"""Bytes of a body, a pause in seconds, a break, or something to do at this moment."""


class Reply(Struct, kw_only=True):
    """What the upstream does with one call. `before` precedes the head; there a break means that none came."""

    status: int = 200
    headers: Mapping[str, str] = {}
    parts: Sequence[Part] = ()
    before: Sequence[Part] = ()


def whole(body: Any, status: int = 200, **headers: str) -> Reply:
    """One JSON body (or bytes), all at once. Header names take hyphens for underscores."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, parts=[raw])


def stream(*parts: Part) -> Reply:
    """A 200 whose body comes in these parts and then ends cleanly."""
    return Reply(headers={"content-type": "text/event-stream"}, parts=parts)


def broken(error_class: ErrorClass = "reset", *, request_sent: bool = True) -> Reply:
    """No head ever comes."""
    return Reply(before=[Break(error_class, request_sent)])


class ScriptedReply:
    """Implements `ports.UpstreamReply` over parts. A read that waits fails once the reply is closed."""

    def __init__(self, transport: "ScriptedTransport", call: UpstreamCall, reply: Reply, ends_s: float) -> None:
        """`ends_s`: when the exchange's total limit is reached, on the loop's clock."""
        self.status = reply.status
        self.headers: list[Header] = [(k.lower().encode(), v.encode()) for k, v in reply.headers.items()]
        self.closed = False
        self.finished = False
        """The body was read to its end."""
        self._transport = transport
        self._idle_s = call.timeouts.idle_s
        self._ends_s = ends_s
        self._parts = list(reply.parts)
        self._cut = asyncio.Event()

    async def read(self) -> bytes:
        body = b""
        while data := await self.read_chunk():
            body += data
        return body

    async def read_chunk(self) -> bytes:
        await asyncio.sleep(0)
        while self._parts:
            if self._cut.is_set():
                raise TransportError("reset", "closed by its reader", request_sent=True)
            part = self._parts.pop(0)
            if isinstance(part, bytes):
                return part
            if isinstance(part, float | int):
                await self._pause(part)
            elif isinstance(part, Break):
                raise part.error()
            else:
                part()
        self.finished = True
        return b""

    async def _pause(self, seconds: float) -> None:
        left_s = self._ends_s - asyncio.get_running_loop().time()
        limit_s, error_class = min((self._idle_s, IDLE), (left_s, TOTAL))
        try:
            await asyncio.wait_for(self._cut.wait(), min(seconds, limit_s))
        except TimeoutError:
            if seconds >= limit_s:
                raise TransportError(error_class, "scripted silence", request_sent=True) from None

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._cut.set()
            self._transport.open_connections -= 1


class ScriptedTransport:
    """Implements `ports.Upstream`. Each call takes the next reply of the list, or of its own origin's list in `at`.

    A call for which there is no reply raises AssertionError, and makes `World` fail too. `note` is told of calls.
    """

    def __init__(self, replies: Sequence[Reply] = (), *, note: Note = nothing) -> None:
        self.replies = list(replies)
        self.at: dict[str, list[Reply]] = {}
        """Replies of one host, by its name, where their order among hosts does not matter."""
        self.answer: Callable[[UpstreamCall], Reply] | None = None
        """Where it is set it makes the replies, and the lists are not looked at."""
        self.calls: list[UpstreamCall] = []
        self.served: list[ScriptedReply] = []
        self.unexpected: list[str] = []
        """Hosts of calls for which there was no reply."""
        self.open_connections = 0
        self._note = note

    async def send(self, call: UpstreamCall) -> ScriptedReply:
        self.calls.append(call)
        host = call.origin.partition("//")[2]
        self._note("call", host)
        reply = self._next(host) if self.answer is None else self.answer(call)
        started_s = asyncio.get_running_loop().time()
        await asyncio.sleep(0)
        for part in reply.before:
            await self._before(part, call)
        self.open_connections += 1
        self.served.append(ScriptedReply(self, call, reply, started_s + call.timeouts.total_s))
        return self.served[-1]

    def _next(self, host: str) -> Reply:
        replies = self.at.get(host) or self.replies
        if not replies:
            self.unexpected.append(host)
            raise AssertionError(f"call {len(self.calls)}, to {host}, was not expected")
        return replies.pop(0)

    async def _before(self, part: Part, call: UpstreamCall) -> None:
        if isinstance(part, Break):
            raise part.error()
        if isinstance(part, float | int):
            limit_s, error_class = min((call.timeouts.first_byte_s, FIRST_BYTE), (call.timeouts.total_s, TOTAL))
            await asyncio.sleep(min(part, limit_s))
            if part >= limit_s:
                raise TransportError(error_class, "scripted silence", request_sent=True)
        elif not isinstance(part, bytes):
            part()

    def close(self) -> None:
        """Nothing is open that a loop would mind."""

    def body(self, call: int = -1) -> Any:
        """The JSON body of a call."""
        return json.loads(self.calls[call].body)

    def header(self, name: str, call: int = -1) -> str | None:
        for key, value in self.calls[call].headers:
            if key == name.encode():
                return value.decode()
        return None
