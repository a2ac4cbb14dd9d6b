"""The ASGI application: hot routes by dictionary, everything else through Starlette.

A route is judged on the very path that serves it: exact match on the decoded scope path, nothing rewritten.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from bascule.gateway.engine import Engine
from bascule.gateway.exchange import Incoming, Surface
from bascule.gateway.respond import error_answer
from bascule.model.errors import Refusal
from bascule.model.headers import Headers
from bascule.server.credentials import presented_secret
from bascule.server.exchange import AsgiExchange, Receive, Send
from bascule.server.guard import Guard

Scope = dict[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOT_ROUTES: dict[str, Surface] = {
    "/v1/chat/completions": "openai_chat",
    "/chat/completions": "openai_chat",
    "/v1/embeddings": "openai_embeddings",
    "/embeddings": "openai_embeddings",
    "/v1/messages": "anthropic_messages",
    "/v1/messages/count_tokens": "anthropic_count_tokens",
}


class EdgeLimits(Struct, frozen=True, kw_only=True):
    max_body_bytes: int
    max_in_flight: int


class BodyTooLarge(Exception):
    """The client's body is longer than `server.max_body_bytes`."""


class ClientLeft(Exception):
    """The client went away before its body was complete; there is nobody to answer."""


class Application:
    """What uvicorn serves."""

    def __init__(self, *, engine: Engine, cold: App, guard: Guard, limits: EdgeLimits, lifespan: App) -> None:
        self._engine = engine
        self._cold = cold
        self._guard = guard
        self._limits = limits
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if kind != "http":
            return
        surface = HOT_ROUTES.get(scope["path"])
        if surface is None:
            await self._cold(scope, receive, send)
        else:
            await self._serve(surface, scope, receive, send)

    async def _serve(self, surface: Surface, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope["headers"])
        incoming = Incoming(surface=surface, headers=headers, body=b"")
        exchange = AsgiExchange(incoming, receive, send)
        refusal = self._refuse_early(scope["method"], headers)
        if refusal is None:
            try:
                body = await read_body(receive, headers, self._limits.max_body_bytes)
            except ClientLeft:
                return
            except BodyTooLarge:
                refusal = Refusal(
                    kind="too_large",
                    message=f"the request is larger than {self._limits.max_body_bytes} bytes (server.max_body_bytes)",
                )
        if refusal is not None:
            self._engine.metrics.refusal(refusal.kind)
            status, answer_headers, answer = error_answer(surface, refusal, self._engine.new_request_id())
            await exchange.respond(status, answer_headers, answer)
            return
        exchange.incoming = Incoming(
            surface=surface,
            headers=headers,
            body=body,
            query=scope["query_string"].decode("latin-1"),
            secret=presented_secret(headers, scope["query_string"]),
        )
        try:
            await self._engine.handle(exchange)
        finally:
            exchange.release()

    def _refuse_early(self, method: str, headers: Headers) -> Refusal | None:
        """What can be refused before the body is read."""
        if method != "POST":
            return Refusal(kind="method_not_allowed", message=f"{method} is not served here; use POST")
        problem = self._guard.host_problem(headers.all(b"host"))
        if problem is None and self._engine.is_open:
            problem = self._guard.origin_problem(
                headers.get(b"origin"), headers.all(b"host")[0], headers.get(b"sec-fetch-site")
            )
        if problem is not None:
            return Refusal(kind="forbidden", message=problem)
        if headers.get(b"content-encoding") not in (None, b"identity"):
            return Refusal(kind="malformed", message="compressed request bodies are not accepted; send it as it is")
        if self._engine.metrics.in_flight >= self._limits.max_in_flight:
            return Refusal(
                kind="overloaded",
                message=f"{self._limits.max_in_flight} requests are in flight (server.max_in_flight); try again soon",
                retry_after_s=1.0,
            )
        return None


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
