"""What goes through ASGI: everything but the hot routes."""

from typing import Any, cast

from bascule.server.asgi import Application
from bascule.server.hot import Hot


async def cold(scope: Any, receive: Any, send: Any) -> None:
    await send(scope["path"])


async def test_requests_and_the_lifespan_are_passed_on_and_other_protocols_are_not_served() -> None:
    async def lifespan(scope: Any, receive: Any, send: Any) -> None:
        await send("lifespan")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    app = cast(Any, Application(hot=cast(Hot, None), cold=cold, lifespan=lifespan))
    await app({"type": "websocket", "path": "/"}, None, send)
    assert sent == []
    await app({"type": "lifespan"}, None, send)
    await app({"type": "http", "path": "/v1/models"}, None, send)
    assert sent == ["lifespan", "/v1/models"]
