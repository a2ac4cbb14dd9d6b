"""Models, aliases and routes as a snapshot has them, made of a few words, and what a plan says."""

from collections.abc import Callable, Mapping
from typing import Any

from bascule.decide.route import Circumstances, RouteTable, route
from bascule.model.budget import Attribution
from bascule.model.catalog import Endpoint, Model
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.money import Rates
from bascule.model.plan import Plan
from bascule.model.policy import Ask, RoutePolicy, Rule

NOW_MS = 1_800_000_000_000


def endpoint(at: str, **fields: Any) -> Endpoint:
    provider, _, upstream_model = at.partition("/")
    return Endpoint(id=at, provider=provider, dialect="openai_chat", upstream_model=upstream_model, **fields)


def model(name: str, *endpoints: str | Endpoint, **fields: Any) -> Model:
    made = [endpoint(at) if isinstance(at, str) else at for at in endpoints or (f"p/{name}",)]
    return Model(name=name, endpoints=tuple(made), **fields)


class World:
    """Models a, b, c at rising cost and quality, and whatever a test adds. Rules are Python functions by name."""

    policy_version = "v1"
    price_version = "v1"

    def __init__(
        self, *models: Model, routes: tuple[RoutePolicy, ...] = (), costs: dict[str, int | None] | None = None
    ):
        standard = (
            model("small", quality={"default": 0.6}),
            model("mid", quality={"default": 0.8, "analysis": 0.7}),
            model("big", quality={"default": 0.95}, input=("text", "image")),
        )
        self.models = {made.name: made for made in (*standard, *models)}
        self.routes = {made.name: made for made in routes}
        self.costs: dict[str, int | None] = {"p/small": 10, "p/mid": 30, "p/big": 100, **(costs or {})}
        self.rates: dict[str, Rates] = {}
        self.tests: dict[str, Callable[[Mapping[str, Any]], bool]] = {}

    own_servers: tuple[str, ...] = ()
    price_only: frozenset[str] = frozenset()

    def route(self, name: str) -> RoutePolicy | None:
        return self.routes.get(name)

    def alias(self, name: str) -> str | None:
        return {"old": "small"}.get(name)

    def model(self, name: str) -> Model | None:
        return self.models.get(name)

    def is_price_only(self, name: str) -> bool:
        return name in self.price_only

    def direct(self, provider: str, upstream_model: str) -> Model | None:
        return None

    def catalog_model(self, name: str) -> Model | None:
        return None

    def nearest(self, name: str) -> str | None:
        return None

    def first_rule(self, policy: RoutePolicy, facts: Mapping[str, Any]) -> Rule | None:
        for rule in policy.rules:
            if self.tests[rule.when](facts):
                return rule
        return None

    def now(self, **fields: Any) -> Circumstances:
        given: dict[str, Any] = {
            "now_ms": NOW_MS,
            "hold_of": lambda at: self.costs.get(at.id),
            "expected_cost_of": lambda at: self.costs.get(at.id),
            "rates_of": lambda at: self.rates.get(at.id),
        }
        return Circumstances(**(given | fields))

    def go(
        self, ask: Ask, facts: Facts | None = None, identity: Identity | None = None, **fields: Any
    ) -> Plan | Refusal:
        return route(
            ask, facts or Facts(model=ask.model), Attribution(), identity or Identity(), RouteTable(self),
            self.now(**fields),
        )  # fmt: skip

    def plan(self, ask: Ask | str, facts: Facts | None = None, **fields: Any) -> Plan:
        found = self.go(Ask(model=ask) if isinstance(ask, str) else ask, facts, **fields)
        assert isinstance(found, Plan), found
        return found

    def refused(self, ask: Ask | str, facts: Facts | None = None, **fields: Any) -> Refusal:
        found = self.go(Ask(model=ask) if isinstance(ask, str) else ask, facts, **fields)
        assert isinstance(found, Refusal), found
        return found


def auto(**fields: Any) -> RoutePolicy:
    return RoutePolicy(**({"name": "auto", "candidates": ("small", "mid", "big")} | fields))


def ids(plan: Plan) -> list[str]:
    return [candidate.endpoint.id for candidate in plan.candidates]


def reasons(plan: Plan) -> list[str]:
    return [candidate.reason for candidate in plan.candidates]


def why(plan: Plan) -> dict[str, str]:
    return {rejected.endpoint_id: rejected.reason for rejected in plan.rejected}


# a model by its name
