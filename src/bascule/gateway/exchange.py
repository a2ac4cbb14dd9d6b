"""The engine's seam to the outside: one client request and the way to answer it.

The engine knows nothing of ASGI. The server adapts its protocol to this; tests pass a list that collects.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from bascule.gateway.surfaces import Surface
from bascule.model.headers import Headers
from bascule.ports import Header


class Incoming(Struct, frozen=True, kw_only=True):
    """A whole client request. `secret` is the bearer or API key as sent, without its scheme; `query` as on the wire."""

    surface: Surface
    headers: Headers
    body: bytes
    query: str = ""
    secret: bytes | None = None
    model: str | None = None
    """Named in the path, where the dialect does so (Gemini)."""
    stream: bool | None = None
    """The same of whether the answer is streamed."""


class Exchange(Protocol):
    """One request and its answer. Either `respond`, or `start`, any number of `send`, and `end`."""

    @property
    def incoming(self) -> Incoming: ...

    @property
    def started(self) -> bool:
        """Something of the answer has gone out, so that no other answer can."""
        ...

    @property
    def gone(self) -> bool:
        """The client has left; nothing that is sent will arrive. Known only after `watch`."""
        ...

    def watch(self, on_gone: Callable[[], None]) -> None:
        """Call back when the client leaves, or has left. Costs a task, so only streamed requests ask for it."""
        ...

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None: ...

    async def start(self, status: int, headers: Sequence[Header]) -> None: ...

    async def send(self, data: bytes) -> None:
        """Returns when the client's buffer has room again; at once where the client is gone."""
        ...

    async def end(self, data: bytes) -> None: ...
