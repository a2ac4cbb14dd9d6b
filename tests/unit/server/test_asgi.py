"""The hot edge: which requests reach the engine, and what is refused before their body is read."""

from typing import Any, cast

import pytest

from bascule.gateway.engine import Engine
from bascule.gateway.exchange import Exchange
from bascule.gateway.metrics import Metrics
from bascule.server.asgi import HOT_ROUTES, Application, EdgeLimits
from bascule.server.guard import Guard


class FakeEngine:
    """Answers with what it was given."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.is_open = True
        self.seen: list[Exchange] = []
        self.fails = False

    def new_request_id(self) -> str:
        return "req_of_a_refusal"

    async def handle(self, exchange: Exchange) -> None:
        self.seen.append(exchange)
        exchange.watch(lambda: None)
        if self.fails:
            raise RuntimeError("broken")
        await exchange.respond(200, [], exchange.incoming.body)


async def cold(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def app(engine: FakeEngine) -> Application:
    guard = Guard(bound_host="127.0.0.1", allowed_hosts=(), allowed_origins=())
    limits = EdgeLimits(max_body_bytes=10, max_in_flight=2)
    return Application(engine=cast(Engine, engine), cold=cold, guard=guard, limits=limits, lifespan=cold)


@pytest.mark.parametrize("path", sorted(HOT_ROUTES))
async def test_hot_routes_reach_the_engine_with_all_that_it_needs(
    app: Any, engine: FakeEngine, call: Any, path: str
) -> None:
    answer = await call(app, "POST", f"{path}?beta=true&key=k", parts=(b"{", b'"a"', b":1}"))
    assert (answer.status, answer.body) == (200, b'{"a":1}')
    (exchange,) = engine.seen
    assert exchange.incoming.surface == HOT_ROUTES[path]
    assert (exchange.incoming.query, exchange.incoming.secret) == ("beta=true&key=k", b"k")


@pytest.mark.parametrize(
    "path", ["/", "/v1/models", "/v1/chat/completions/", "/V1/chat/completions", "//v1/messages", "/v1/../v1/messages"]
)
async def test_only_the_exact_path_is_hot(app: Any, engine: FakeEngine, call: Any, path: str) -> None:
    answer = await call(app, "POST", path)
    assert (answer.status, answer.body, engine.seen) == (299, path.encode(), [])


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"method": "GET"}, 405),
        ({"hosts": ("evil.example",)}, 403),
        ({"hosts": ()}, 403),
        ({"hosts": ("localhost", "evil.example")}, 403),
        ({"headers": {"origin": "https://evil.example"}}, 403),
        ({"headers": {"sec-fetch-site": "cross-site"}}, 403),
        ({"headers": {"content-encoding": "gzip"}}, 400),
        ({"headers": {"content-length": "11"}}, 413),
        ({"parts": (b"x" * 11,)}, 413),
        ({"parts": (b"x" * 6, b"x" * 5)}, 413),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_early_refusals(
    app: Any, engine: FakeEngine, call: Any, path: str, given: dict[str, Any], status: int
) -> None:
    given = dict(given)
    answer = await call(app, given.pop("method", "POST"), path, **given)
    assert answer.status == status
    assert engine.seen == []
    assert sum(engine.metrics.refusals.values()) == 1
    assert answer.headers["cache-control"] == "private, no-store"
    assert ("type" in answer.json) is (path == "/v1/messages")  # Anthropic's errors say so at the top
    assert answer.json["error"]["message"]


async def test_bodies_up_to_the_limit_are_taken(app: Any, engine: FakeEngine, call: Any) -> None:
    assert (await call(app, "POST", "/v1/messages", parts=(b"x" * 10,))).body == b"x" * 10
    assert (await call(app, "POST", "/v1/messages", parts=(b"x" * 5, b"", b"x" * 5))).body == b"x" * 10
    assert (await call(app, "POST", "/v1/messages", headers={"content-length": "+11"})).status == 200


async def test_with_keys_a_browser_page_is_no_danger(app: Any, engine: FakeEngine, call: Any) -> None:
    engine.is_open = False
    assert (await call(app, "POST", "/v1/messages", headers={"origin": "https://evil.example"})).status == 200
    assert (await call(app, "POST", "/v1/messages", hosts=("evil.example",))).status == 403


async def test_an_overloaded_gateway_says_when_to_come_back(app: Any, engine: FakeEngine, call: Any) -> None:
    engine.metrics.in_flight = 2
    answer = await call(app, "POST", "/v1/messages")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("parts", [(b"",), (b"{", b"")])
async def test_a_client_that_leaves_before_its_body_is_whole_is_not_answered(
    app: Any, engine: FakeEngine, call: Any, parts: tuple[bytes, ...]
) -> None:
    answer = await call(app, "POST", "/v1/messages", parts=parts, leaves=True)
    assert (answer.status, engine.seen) == (0, [])


async def test_the_watcher_ends_with_the_request_whatever_happens(app: Any, engine: FakeEngine, call: Any) -> None:
    engine.fails = True
    with pytest.raises(RuntimeError):
        await call(app, "POST", "/v1/messages")
    assert engine.seen[0]._watcher is None  # type: ignore[attr-defined]


async def test_the_lifespan_is_passed_on_and_other_protocols_are_not_served(app: Any) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "websocket", "path": "/"}, None, send)
    assert sent == []
    await app({"type": "lifespan", "path": "lifespan"}, None, send)
    assert len(sent) == 2
