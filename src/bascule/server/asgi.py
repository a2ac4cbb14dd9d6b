"""The ASGI application: all that is not hot, through Starlette. The hot routes are `hot`'s and `protocol`'s."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from bascule.model.headers import Headers
from bascule.server.hot import Hot

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyTooLarge(Exception):
    """The client's body is longer than `server.max_body_bytes`."""


class ClientLeft(Exception):
    """The client went away before its body was complete; there is nobody to answer."""


class Application:
    """What uvicorn serves. `hot` is for its connections, which take the short way to the engine, `cold` the rest."""

    def __init__(self, *, hot: Hot, cold: App, lifespan: App) -> None:
        self.hot = hot
        self.cold = cold
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
        elif kind == "http":
            await self.cold(scope, receive, send)


async def read_body(receive: Receive, headers: Headers, max_bytes: int) -> bytes:
    """The whole request body. Raises BodyTooLarge, before reading it where its length was announced."""
    announced = headers.get(b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > max_bytes:
        raise BodyTooLarge
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > max_bytes:
            raise BodyTooLarge
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > max_bytes:
            raise BodyTooLarge
        parts.append(part)
    return b"".join(parts)
