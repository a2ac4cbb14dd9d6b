"""Everything that is not hot: the model list, health, metrics, and the admin API's mount."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import Metric
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bascule.gateway.admission import authenticate
from bascule.gateway.engine import Engine
from bascule.gateway.respond import PRIVATE, error_answer
from bascule.gateway.surfaces import Surface
from bascule.model.errors import Refusal, RefusalKind
from bascule.model.headers import Headers
from bascule.model.policy import KeyPolicy
from bascule.ports import Clock, Header, KeyStore
from bascule.server.admin.access import READ, caller_of
from bascule.server.admin.answers import Refused
from bascule.server.credentials import presented_secret
from bascule.server.google_listing import google_model, google_models
from bascule.server.guard import Guard
from bascule.server.listing import find, models_body
from bascule.server.metrics_page import render

Readiness = Callable[[], str | None]
"""None where new work is taken, else why not."""


class Pages:
    """The handlers, with what they need."""

    def __init__(
        self,
        *,
        engine: Engine,
        keys: KeyStore,
        clock: Clock,
        measured: Callable[[], Iterable[Metric]],
        readiness: Readiness,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._clock = clock
        self._measured = measured
        self._readiness = readiness

    def routes(self) -> list[BaseRoute]:
        found: list[BaseRoute] = [
            Route("/", self.root, methods=["GET", "HEAD"]),
            Route("/healthz", self.healthz, methods=["GET", "HEAD"]),
            Route("/readyz", self.readyz, methods=["GET", "HEAD"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]
        for prefix in ("", "/v1"):
            found.append(Route(f"{prefix}/models", self.models, methods=["GET"]))
            found.append(Route(f"{prefix}/models/{{name:path}}", self.model, methods=["GET"]))
        found.append(Route("/v1beta/models", self.models, methods=["GET"]))
        found.append(Route("/v1beta/models/{name:path}", self.model, methods=["GET"]))
        return found

    async def root(self, request: Request) -> Response:
        return PlainTextResponse("Bascule is running. Its API is under /v1, its health at /healthz.\n")

    async def healthz(self, request: Request) -> Response:
        """The process is alive, whatever its stores do."""
        return PlainTextResponse("ok\n")

    async def readyz(self, request: Request) -> Response:
        problem = self._readiness()
        return PlainTextResponse("ready\n") if problem is None else PlainTextResponse(problem + "\n", status_code=503)

    async def metrics(self, request: Request) -> Response:
        """Open like health on loopback; as soon as there are keys, for those who may read what others spend."""
        problem = self._may_not_measure(request)
        if problem is not None:
            return self._refused(request, problem)
        page = render(self._measured())
        return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def models(self, request: Request) -> Response:
        key = self._key(request)
        if isinstance(key, Refusal):
            return self._refused(request, key)
        body = models_body(self._engine.snapshot, key, self._clock.now_ms())
        return _private(JSONResponse(google_models(body["data"]) if _is_googles(request) else body))

    async def model(self, request: Request) -> Response:
        key = self._key(request)
        if isinstance(key, Refusal):
            return self._refused(request, key)
        name = request.path_params["name"]
        entry = find(models_body(self._engine.snapshot, key, self._clock.now_ms())["data"], name)
        if entry is None:
            refusal = Refusal(kind="model_not_found", message=f"model {name!r} is not listed here", param="model")
            return self._refused(request, refusal)
        return _private(JSONResponse(google_model(entry) if _is_googles(request) else entry))

    async def not_found(self, request: Request, error: Exception) -> Response:
        refusal = Refusal(kind="route_not_found", message=f"{request.method} {request.url.path} is not served here")
        return self._refused(request, refusal)

    async def method_not_allowed(self, request: Request, error: Exception) -> Response:
        refusal = Refusal(kind="method_not_allowed", message=f"{request.method} is not served at {request.url.path}")
        return self._refused(request, refusal)

    def _key(self, request: Request) -> KeyPolicy | Refusal:
        secret = presented_secret(Headers(request.scope["headers"]), request.scope["query_string"])
        return authenticate(self._keys, secret, self._clock.now_ms())

    def _may_not_measure(self, request: Request) -> Refusal | None:
        if self._keys.is_open:
            return None
        secret = presented_secret(Headers(request.scope["headers"]), request.scope["query_string"])
        caller = caller_of(secret, self._engine.snapshot.admin_secret, self._keys, self._clock.now_ms())
        if isinstance(caller, Refused):
            kind: RefusalKind = "unauthenticated" if caller.status == 401 else "forbidden"
            return Refusal(kind=kind, message=caller.message, code="invalid_api_key" if caller.status == 401 else None)
        if caller.role in READ:
            return None
        return Refusal(kind="forbidden", message=f"{caller.by} has role {caller.role}, which may not read /metrics")

    def _refused(self, request: Request, refusal: Refusal) -> Response:
        status, headers, body = error_answer(_dialect_of(request), refusal, self._engine.new_request_id())
        return _response(status, headers, body)


def _response(status: int, headers: Sequence[Header], body: bytes) -> Response:
    text = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    return Response(body, status_code=status, headers=text)


def _dialect_of(request: Request) -> Surface:
    """Anthropic's clients always say which version they speak."""
    if "anthropic-version" in request.headers:
        return "anthropic_messages"
    return "gemini" if _is_googles(request) else "openai_chat"


def _is_googles(request: Request) -> bool:
    """Google's clients have an address or a way of their own to send the key."""
    if request.url.path.startswith("/v1beta/"):
        return True
    others = any(name in request.headers for name in ("authorization", "x-api-key", "anthropic-version"))
    return not others and ("x-goog-api-key" in request.headers or "key" in request.query_params)


def _private(response: Response) -> Response:
    response.headers["cache-control"] = "private, no-store"
    return response


ANSWER_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    PRIVATE,
)
"""On every answer that does not say otherwise itself."""


class Judged:
    """Judges Host and Origin before any route, and completes the headers of whatever is answered."""

    def __init__(self, app: ASGIApp, *, guard: Guard, engine: Engine) -> None:
        self._app = app
        self._guard = guard
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *[h for h in ANSWER_HEADERS if h[0] not in given]]
            await send(message)

        problem = self._problem(Headers(scope["headers"]), scope["path"])
        if problem is None:
            await self._app(scope, receive, complete)
            return
        status, given, body = error_answer(_dialect_of(Request(scope)), problem, self._engine.new_request_id())
        await _response(status, given, body)(scope, receive, complete)

    def _problem(self, headers: Headers, path: str) -> Refusal | None:
        hosts = headers.all(b"host")
        problem = self._guard.host_problem(hosts)
        if problem is None and (self._engine.is_open or path.startswith("/bascule/")):
            return self._guard.origin_problem(headers.get(b"origin"), hosts[0], headers.get(b"sec-fetch-site"))
        return problem


def cold_application(pages: Pages, guard: Guard, engine: Engine, admin: Sequence[BaseRoute]) -> Starlette:
    """The Starlette application around all routes that are not hot.

    A slash too many is another path: a redirect would be made from the Host header, for whoever asks.
    """
    application = Starlette(
        routes=[*pages.routes(), *admin],
        middleware=[Middleware(Judged, guard=guard, engine=engine)],
        exception_handlers={404: pages.not_found, 405: pages.method_not_allowed},
    )
    application.router.redirect_slashes = False
    return application
