"""The whole ASGI application over a running gateway."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import convert
from prometheus_client.core import Metric
from starlette.routing import BaseRoute

from bascule.config.overload import Overload
from bascule.config.shape import Server
from bascule.gateway.engine import Engine
from bascule.ports import Clock, KeyStore
from bascule.server.asgi import Application
from bascule.server.cold import Pages, Readiness, cold_application
from bascule.server.guard import Guard
from bascule.server.hot import EdgeLimits, Hot
from bascule.server.lifespan import Lifespan


def edge_limits(server: Server) -> EdgeLimits:
    return convert(server.limits, EdgeLimits, from_attributes=True)


def application(
    *,
    engine: Engine,
    keys: KeyStore,
    clock: Clock,
    server: Server,
    overload: Overload,
    measured: Callable[[], Iterable[Metric]],
    readiness: Readiness,
    lifespan: Lifespan,
    admin: Sequence[BaseRoute] = (),
) -> Application:
    """Hot routes on the engine, the rest on Starlette."""
    guard = Guard(bound_host=server.host, allowed_hosts=server.allowed_hosts, allowed_origins=server.allowed_origins)
    pages = Pages(engine=engine, keys=keys, clock=clock, measured=measured, readiness=readiness)
    limits = edge_limits(server)
    return Application(
        hot=Hot(engine=engine, guard=guard, limits=limits, overload=overload),
        cold=cold_application(pages, guard, engine, admin),
        lifespan=lifespan,
    )
