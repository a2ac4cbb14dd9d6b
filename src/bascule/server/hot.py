"""The hot routes: which requests go straight to the engine, and which of these are refused before their body is read.

A route is judged on the very path that serves it: exact match on the decoded path, nothing rewritten.
"""

from asyncio import CancelledError

from msgspec import Struct, convert

from bascule.config.overload import Overload
from bascule.decide.pressure import Pressure
from bascule.decide.shed import SharePolicy
from bascule.gateway.engine import Engine
from bascule.gateway.exchange import Exchange
from bascule.gateway.surfaces import Surface
from bascule.model.errors import Refusal
from bascule.model.headers import Headers
from bascule.model.policy import KeyPolicy
from bascule.server.arriving import Arriving
from bascule.server.guard import Guard
from bascule.server.slots import ALONE, Slots


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
    reserved_connections: int = 32
    head_timeout_s: float = 60.0
    body_idle_s: float = 60.0
    client_stall_s: float = 60.0


class Hot:
    """The engine as connections reach it: who is let in, in which order it is asked, and what the others are told."""

    def __init__(self, *, engine: Engine, guard: Guard, limits: EdgeLimits, overload: Overload | None = None) -> None:
        self.engine = engine
        self.arriving = Arriving()
        self.pressure: Pressure = "none"
        self._guard = guard
        self._take(limits, overload or Overload())
        self.slots = Slots(self._sharing(), limits.max_in_flight)

    def configure(self, limits: EdgeLimits, overload: Overload) -> None:
        """Take a new configuration. Connections that are open keep their limits of bytes and time."""
        before = self.limits.max_in_flight
        self._take(limits, overload)
        self.slots.policy = self._sharing()
        if before != limits.max_in_flight:
            self.slots.limit = limits.max_in_flight
            self.slots.admit_waiting()

    def _take(self, limits: EdgeLimits, overload: Overload) -> None:
        self.limits = limits
        self.overload = overload
        self.under(self.pressure)

    def _sharing(self) -> SharePolicy:
        return convert(self.overload, SharePolicy, from_attributes=True)

    def under(self, pressure: Pressure) -> None:
        """Memory is as short as this from now on."""
        self.pressure = pressure
        large = self.overload.memory.large_body_bytes
        most = self.limits.max_body_bytes
        self.most_body_bytes = most if pressure == "none" else min(most, large)

    async def serve(self, exchange: Exchange, tenant: str) -> Refusal | None:
        """Answer; a Refusal where others were quicker, or where the gateway stopped before it had an answer."""
        slots = self.slots
        try:
            if not slots.take(tenant) and not await slots.wait(tenant, self.overload.queue_s):
                return self._too_many()
            try:
                await self.engine.handle(exchange)
            finally:
                slots.leave(tenant)
        except CancelledError:
            return STOPPING
        return None

    def judge_head(self, method: bytes, headers: Headers, secret: bytes | None) -> Refusal | str:
        """What can be refused before the body is read, and for whom the request is."""
        problem = self._wrong_head(method, headers)
        if problem is not None:
            return problem
        announced = headers.get(b"content-length")
        size = int(announced) if announced is not None and announced.isdigit() else 0
        if size > self.limits.max_body_bytes:
            return self.too_large(size)
        key = self.engine.identify(secret)
        if isinstance(key, Refusal):
            return key
        tenant = self._tenant(key)
        if self.slots.is_closed_to(tenant):
            return self._too_many()
        if self.pressure == "none":
            return tenant
        return self._under_pressure(size) or tenant

    def _tenant(self, key: KeyPolicy) -> str:
        if self.engine.is_open:
            return ALONE
        return f"key:{key.name}" if key.team is None else f"team:{key.team}"

    def _wrong_head(self, method: bytes, headers: Headers) -> Refusal | None:
        if method != b"POST":
            word = method.decode("latin-1")
            return Refusal(kind="method_not_allowed", message=f"{word} is not served here; use POST")
        hosts = headers.all(b"host")
        problem = self._guard.host_problem(hosts)
        if problem is None and self.engine.is_open:
            problem = self._guard.origin_problem(headers.get(b"origin"), hosts[0], headers.get(b"sec-fetch-site"))
        if problem is not None:
            return problem
        if headers.get(b"content-encoding") not in (None, b"identity"):
            return Refusal(kind="malformed", message="compressed request bodies are not accepted; send it as it is")
        return None

    def _under_pressure(self, size: int) -> Refusal | None:
        """While memory is short. Something is always let in, for else nothing would ever be freed by its end."""
        if self.pressure == "all":
            return self._shed("memory_full", "memory is nearly full; try again soon") if self.slots.in_flight else None
        return self.too_large(size) if size > self.most_body_bytes else None

    def too_large(self, size: int) -> Refusal:
        """A body of so many bytes is not taken: never, or not while memory is short."""
        if size <= self.limits.max_body_bytes:
            return self._shed("memory_short", f"memory is short, so no body above {self.most_body_bytes} bytes is read")
        return Refusal(
            kind="too_large",
            message=f"the request is larger than {self.limits.max_body_bytes} bytes (server.limits.max_body_bytes)",
        )

    def crowded(self, tenant: str, body_bytes: int) -> Refusal | None:
        """Why a body of which so much has come is not read on, where too much is being read."""
        most = self.limits.max_arriving_bytes
        if self.arriving.may_stay(tenant, body_bytes, most, self.overload.max_tenant_share):
            return None
        if self.arriving.in_all_bytes <= most:
            what = "this tenant has its share of the requests being read (overload.max_tenant_share); try again soon"
            return self._shed("share", what)
        what = f"more than {most} bytes of requests are being read (server.limits.max_arriving_bytes); try again soon"
        return self._shed("arriving", what)

    def _too_many(self) -> Refusal:
        slots = self.slots
        if slots.in_flight < slots.limit:
            what = "this tenant has its share of the requests in flight (overload.max_tenant_share); try again soon"
            return self._shed("share", what)
        most = self.limits.max_in_flight
        if slots.limit < most:
            what = "the gateway is late with its work (overload.lag_target_s); try again soon"
            return self._shed("lag", what)
        return self._shed("slots", f"{most} requests are in flight (server.limits.max_in_flight); try again soon")

    def _shed(self, reason: str, message: str) -> Refusal:
        self.engine.metrics.shed(reason)
        return Refusal(kind="overloaded", message=message, code="overloaded", retry_after_s=1.0)
