"""The strategies of one configuration, by their routes."""

from bascule.gateway.strategies.cascade import CascadeStrategist
from bascule.gateway.strategies.kit import Strategist
from bascule.link import Snapshot
from bascule.model.plan import Plan
from bascule.model.policy import RoutePolicy
from bascule.model.strategy import Cascade, Strategy


class Strategies:
    """Which plans are served by several models."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._by_route: dict[str, tuple[RoutePolicy, Strategist]] = {}
        for name in snapshot.config.routes:
            route = snapshot.route(name)
            strategist = None if route is None or route.strategy is None else _strategist(route.strategy)
            if route is not None and strategist is not None:
                self._by_route[name] = (route, strategist)

    def of(self, plan: Plan) -> tuple[RoutePolicy, Strategist] | None:
        """None where one model serves the plan: its route says so, or nothing reaches the floor that the request
        asks for, so that the dearest answers."""
        if not self._by_route or plan.route is None or not plan.candidates[0].adequate:
            return None
        return self._by_route.get(plan.route)


def _strategist(strategy: Strategy) -> Strategist | None:
    match strategy:
        case Cascade():
            return CascadeStrategist(strategy)
        case _:
            return None
