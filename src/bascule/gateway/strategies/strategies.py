"""The strategies of one configuration, by their routes."""

from bascule.gateway.runaway_guard import REASON as RUNS_AWAY
from bascule.gateway.strategies.best_of import BestOfStrategist
from bascule.gateway.strategies.cascade import CascadeStrategist
from bascule.gateway.strategies.delegate import DelegateStrategist
from bascule.gateway.strategies.kit import Strategist
from bascule.gateway.strategies.race import RaceStrategist
from bascule.gateway.strategies.verify import VerifyStrategist
from bascule.link import Snapshot
from bascule.model.plan import Plan
from bascule.model.policy import RoutePolicy
from bascule.model.strategy import BestOf, Cascade, Delegate, RaceOf, Strategy, Verify


class Strategies:
    """Which plans are served by several models."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._by_route: dict[str, tuple[RoutePolicy, Strategist]] = {}
        for name in snapshot.config.routes:
            route = snapshot.route(name)
            if route is not None and route.strategy is not None:
                self._by_route[name] = (route, _strategist(route.strategy))

    def of(self, plan: Plan) -> tuple[RoutePolicy, Strategist] | None:
        """None where one model serves the plan: its route says so; nothing reaches the floor that the request asks
        for, so that the dearest answers; or its session runs away and was given something cheaper."""
        if not self._by_route or plan.route is None or not plan.candidates[0].adequate or plan.reason == RUNS_AWAY:
            return None
        return self._by_route.get(plan.route)


def _strategist(strategy: Strategy) -> Strategist:
    match strategy:
        case Cascade():
            return CascadeStrategist(strategy)
        case Verify():
            return VerifyStrategist(strategy)
        case BestOf():
            return BestOfStrategist(strategy)
        case RaceOf():
            return RaceStrategist(strategy)
        case Delegate():
            return DelegateStrategist(strategy)
