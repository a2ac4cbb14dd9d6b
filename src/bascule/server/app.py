"""The whole ASGI application over a running gateway."""

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from bascule.config.shape import Server
from bascule.gateway.engine import Engine
from bascule.ports import Clock, KeyStore
from bascule.server.asgi import Application, EdgeLimits
from bascule.server.cold import Pages, Readiness, cold_application
from bascule.server.guard import Guard
from bascule.server.lifespan import Lifespan
from bascule.server.metrics_page import Gauges


def application(
    *,
    engine: Engine,
    keys: KeyStore,
    clock: Clock,
    server: Server,
    gauges: Callable[[], Gauges],
    readiness: Readiness,
    lifespan: Lifespan,
    admin: Sequence[BaseRoute] = (),
) -> Application:
    """Hot routes in raw ASGI, the rest on Starlette."""
    guard = Guard(bound_host=server.host, allowed_hosts=server.allowed_hosts, allowed_origins=server.allowed_origins)
    pages = Pages(engine=engine, keys=keys, clock=clock, gauges=gauges, readiness=readiness)
    return Application(
        engine=engine,
        cold=cold_application(pages, guard, engine, admin),
        guard=guard,
        limits=EdgeLimits(max_body_bytes=server.limits.max_body_bytes, max_in_flight=server.limits.max_in_flight),
        lifespan=lifespan,
    )
