"""The engine's seam to the outside: one client request and the way to answer it.

The engine knows nothing of ASGI. The server adapts its protocol to this; tests pass a list that collects.
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from bascule.model.headers import Headers
from bascule.ports import Header

Surface = Literal["openai_chat", "openai_embeddings", "anthropic_messages", "anthropic_count_tokens"]

CLIENT_DIALECT: dict[Surface, str] = {
    "openai_chat": "openai_chat",
    "openai_embeddings": "openai_embeddings",
    "anthropic_messages": "anthropic_messages",
    "anthropic_count_tokens": "anthropic_messages",
}


class Incoming(Struct, frozen=True, kw_only=True):
    """A whole client request. `secret` is the bearer or API key as sent, without its scheme; `query` as on the wire."""

    surface: Surface
    headers: Headers
    body: bytes
    query: str = ""
    secret: bytes | None = None


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
