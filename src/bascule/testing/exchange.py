"""A client of the engine without a socket: it collects what it is given, and may leave in the middle."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from bascule.gateway.exchange import Incoming
from bascule.ports import Header

Note = Callable[..., None]


def nothing(*what: object) -> None:
    """Notes nothing."""


class ListExchange:
    """Implements `gateway.exchange.Exchange`.

    `leave_after`: the client is gone once it has been sent that many pieces (0: before the head of a stream). Each
    call yields to the loop once, so that others run in between and a test can cancel there. `note` is told of every
    call, in words that `World.effects` explains.
    """

    def __init__(self, incoming: Incoming, *, leave_after: int | None = None, note: Note = nothing) -> None:
        self.incoming = incoming
        self.status: int | None = None
        self.headers: list[Header] = []
        self.pieces: list[bytes] = []
        """What was sent, call by call."""
        self.ended = False
        self.gone = False
        self.started = False
        self._leave_after = leave_after
        self._on_gone: Callable[[], None] | None = None
        self._note = note

    def watch(self, on_gone: Callable[[], None]) -> None:
        self._on_gone = on_gone
        if self.gone:
            on_gone()
        elif self._leave_after == 0:
            self.leave()

    def leave(self) -> None:
        """The client closes its connection."""
        if self.gone:
            return
        self.gone = True
        self._note("leave")
        if self._on_gone is not None:
            self._on_gone()

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        self._begin(status, headers)
        self._note("respond", status)
        await asyncio.sleep(0)
        self.pieces.append(body)
        self.ended = True

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        self._begin(status, headers)
        self._note("start", status)
        await asyncio.sleep(0)

    async def send(self, data: bytes) -> None:
        assert self.started, "bytes before the head"
        assert not self.ended, "bytes after the end"
        if self.gone:
            return
        self._note("send", data)
        self.pieces.append(data)
        await asyncio.sleep(0)
        if len(self.pieces) == self._leave_after:
            self.leave()

    async def end(self, data: bytes) -> None:
        assert self.started, "an end before the head"
        assert not self.ended, "a second end"
        if self.gone:
            return
        self._note("end", data)
        self.pieces.append(data)
        self.ended = True
        await asyncio.sleep(0)

    def _begin(self, status: int, headers: Sequence[Header]) -> None:
        assert not self.started, "a second answer"
        self.started = True
        self.status = status
        self.headers = list(headers)

    @property
    def body(self) -> bytes:
        """Everything that was sent."""
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error object of a refusal, in either dialect."""
        found: dict[str, Any] = self.json["error"]
        return found

    @property
    def data(self) -> list[Any]:
        """The `data` of every event of a stream: decoded JSON, or the text where it is none (`[DONE]`)."""
        lines = [line[5:].strip() for line in self.body.decode().splitlines() if line.startswith("data:")]
        return [json.loads(line) if line.startswith("{") else line for line in lines]

    def header(self, name: str) -> str | None:
        """The last header of this (lower-case) name."""
        for key, value in reversed(self.headers):
            if key == name.encode():
                return value.decode("latin-1")
        return None
