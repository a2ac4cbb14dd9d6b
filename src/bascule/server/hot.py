"""The hot routes: which requests go straight to the engine, and which of these are refused before their body is read.

A route is judged on the very path that serves it: exact match on the decoded path, nothing rewritten.
"""

from asyncio import CancelledError

from msgspec import Struct

from bascule.gateway.engine import Engine
from bascule.gateway.exchange import Exchange
from bascule.gateway.surfaces import Surface
from bascule.model.errors import Refusal
from bascule.model.headers import Headers
from bascule.server.guard import Guard


class HotRoute(Struct, frozen=True):
    """What a path says: the surface, and with Gemini's also the model and whether the answer is streamed."""

    surface: Surface
    model: str | None = None
    stream: bool | None = None


HOT_ROUTES: dict[bytes, HotRoute] = {
    b"/v1/chat/completions": HotRoute("openai_chat"),
    b"/chat/completions": HotRoute("openai_chat"),
    b"/v1/responses": HotRoute("openai_responses"),
    b"/responses": HotRoute("openai_responses"),
    b"/v1/embeddings": HotRoute("openai_embeddings"),
    b"/embeddings": HotRoute("openai_embeddings"),
    b"/v1/messages": HotRoute("anthropic_messages"),
    b"/v1/messages/count_tokens": HotRoute("anthropic_count_tokens"),
}
MODEL_PREFIXES = (b"/v1beta/", b"/v1/")
MODEL_VERBS: dict[bytes, tuple[Surface, bool]] = {
    b"generateContent": ("gemini", False),
    b"streamGenerateContent": ("gemini", True),
    b"countTokens": ("gemini_count_tokens", False),
    b"embedContent": ("gemini_embeddings", False),
    b"batchEmbedContents": ("gemini_embeddings", False),
}
"""Of `/v1beta/models/{model}:verb`: the surface, and whether the answer is streamed."""
STOPPING = Refusal(kind="unavailable", message="the gateway is stopping; try again soon", retry_after_s=1.0)


def hot_route(path: bytes) -> HotRoute | None:
    """The hot route of a path as it stands, None where it is none or is written with escapes."""
    found = HOT_ROUTES.get(path)
    if found is not None or b":" not in path or not path.startswith(MODEL_PREFIXES):
        return found
    resource, _, verb = path.partition(b"/v1")[2].partition(b"/")[2].rpartition(b":")
    # Names with a slash come without `models/` from Vercel's AI SDK, which takes them for whole resources.
    model = resource.removeprefix(b"models/")
    meant = MODEL_VERBS.get(verb)
    if meant is None or not model:
        return None
    return HotRoute(meant[0], model.decode("utf-8", "replace"), meant[1])


class EdgeLimits(Struct, frozen=True, kw_only=True):
    """Of `server.limits`, by the same names."""

    max_body_bytes: int
    max_in_flight: int
    max_head_bytes: int = 64 * 1024
    max_arriving_bytes: int = 256 * 1024 * 1024
    max_connections: int = 4_096
    head_timeout_s: float = 60.0
    body_idle_s: float = 60.0


class Hot:
    """The engine as connections reach it."""

    def __init__(self, *, engine: Engine, guard: Guard, limits: EdgeLimits) -> None:
        self.engine = engine
        self.limits = limits
        self.arriving_bytes = 0
        """Of all bodies that have come in part, or wait for an earlier request on their connection."""
        self._guard = guard

    async def serve(self, exchange: Exchange) -> Refusal | None:
        """Answer; a Refusal where others were quicker, or where the gateway stopped before it had an answer."""
        if self.engine.metrics.in_flight >= self.limits.max_in_flight:
            return self._too_many()
        try:
            await self.engine.handle(exchange)
        except CancelledError:
            return STOPPING
        return None

    def refuse_early(self, method: bytes, headers: Headers) -> Refusal | None:
        """What can be refused before the body is read."""
        if method != b"POST":
            word = method.decode("latin-1")
            return Refusal(kind="method_not_allowed", message=f"{word} is not served here; use POST")
        hosts = headers.all(b"host")
        problem = self._guard.host_problem(hosts)
        if problem is None and self.engine.is_open:
            problem = self._guard.origin_problem(headers.get(b"origin"), hosts[0], headers.get(b"sec-fetch-site"))
        if problem is not None:
            return Refusal(kind="forbidden", message=problem)
        if headers.get(b"content-encoding") not in (None, b"identity"):
            return Refusal(kind="malformed", message="compressed request bodies are not accepted; send it as it is")
        if self.engine.metrics.in_flight >= self.limits.max_in_flight:
            return self._too_many()
        announced = headers.get(b"content-length")
        if announced is not None and announced.isdigit() and int(announced) > self.limits.max_body_bytes:
            return self.too_large()
        return None

    def too_large(self) -> Refusal:
        return Refusal(
            kind="too_large",
            message=f"the request is larger than {self.limits.max_body_bytes} bytes (server.limits.max_body_bytes)",
        )

    def too_much_arriving(self) -> Refusal:
        most = self.limits.max_arriving_bytes
        return Refusal(
            kind="overloaded",
            message=f"more than {most} bytes of requests are being read (server.limits.max_arriving_bytes); "
            "try again soon",
            retry_after_s=1.0,
        )

    def _too_many(self) -> Refusal:
        most = self.limits.max_in_flight
        return Refusal(
            kind="overloaded",
            message=f"{most} requests are in flight (server.limits.max_in_flight); try again soon",
            retry_after_s=1.0,
        )
