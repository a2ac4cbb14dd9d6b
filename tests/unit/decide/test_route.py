from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bascule.decide.observe import Observed, observe
from bascule.decide.route import RULE_FACTS, Circumstances, RouteTable, RuleFacts, route
from bascule.model.budget import Attribution
from bascule.model.catalog import DataFacts, Endpoint, HardwareFacts, Model
from bascule.model.errors import Refusal
from bascule.model.facts import Facts, ImageFact
from bascule.model.identity import Identity
from bascule.model.money import Rates
from bascule.model.plan import Plan
from bascule.model.policy import Ask, DataPolicy, RoutePolicy, Rule

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


def test_a_model_goes_to_its_endpoints_in_order_then_to_the_fallbacks() -> None:
    world = World(model("m", "x/m", "y/m"))
    plan = world.plan(Ask(model="m", fallback_models=("small", "m")))
    assert ids(plan) == ["x/m", "y/m", "p/small"]
    assert reasons(plan) == ["requested", "failover", "fallback"]
    assert plan.route is None


def test_an_unknown_fallback_is_404_and_named() -> None:
    refusal = World(model("m", "x/m")).refused(Ask(model="m", fallback_models=("small", "nope")))
    assert (refusal.http_status, refusal.param) == (404, "models")
    assert "'nope'" in refusal.message


def test_an_unknown_model_is_404_and_an_alias_is_followed() -> None:
    assert World().refused("nope").http_status == 404
    plan = World().plan("old")
    assert plan.candidates[0].model == "small"


def test_sorting_and_suffixes() -> None:
    world = World(
        model(
            "m",
            endpoint("dear/m", speed_tokens_per_s=90.0, ttft_s=2.0),
            endpoint("unknown/m"),
            endpoint("cheap/m", speed_tokens_per_s=20.0, ttft_s=0.5),
        ),
        costs={"dear/m": 9, "cheap/m": 3, "unknown/m": None},
    )
    assert ids(world.plan("m:floor")) == ["cheap/m", "dear/m", "unknown/m"]
    assert world.plan("m:floor").reason == "lowest price"
    assert ids(world.plan("m:nitro")) == ["dear/m", "cheap/m", "unknown/m"]
    assert ids(world.plan(Ask(model="m", sort="latency"))) == ["cheap/m", "dear/m", "unknown/m"]
    assert ids(world.plan(Ask(model="m:floor", sort="throughput"))) == ["dear/m", "cheap/m", "unknown/m"]


def test_provider_preferences() -> None:
    world = World(model("m", "x/m", "y/m", "z/m"))
    assert ids(world.plan(Ask(model="m", order=("z", "y/m")))) == ["z/m", "y/m", "x/m"]
    assert world.plan(Ask(model="m", order=("z",))).reason == "provider order"
    assert ids(world.plan(Ask(model="m", order=("z", "y"), allow_fallbacks=False))) == ["z/m", "y/m"]
    assert ids(world.plan(Ask(model="m", allow_fallbacks=False, fallback_models=("small",)))) == ["x/m", "p/small"]
    assert ids(world.plan(Ask(model="m", only=("y",)))) == ["y/m"]
    assert ids(world.plan(Ask(model="m", ignore=("x", "y")))) == ["z/m"]
    assert world.refused(Ask(model="m", only=("q",))).http_status == 403


def test_max_price_needs_a_known_price() -> None:
    world = World(model("m", "x/m", "y/m", "z/m"))
    world.rates = {"x/m": Rates(input=5, output=50), "y/m": Rates(input=2, output=20)}
    plan = world.plan(Ask(model="m", max_price_input=4, max_price_output=30))
    assert ids(plan) == ["y/m"]
    assert set(why(plan)) == {"x/m", "z/m"}


def test_a_capability_is_advice_for_a_model_asked_for_by_name() -> None:
    image = Facts(model="small", images=(ImageFact("base64", 10),))
    plan = World().plan("small", image)
    assert ids(plan) == ["p/small"]
    assert plan.reason == "requested, against the catalog's advice"
    assert ids(World().plan(Ask(model="small", fallback_models=("big",)), image)) == ["p/big"]
    assert World().refused(Ask(model="small", require_parameters=True), image).kind == "unsupported"


def test_advice_never_overrules_a_limit_or_an_open_breaker() -> None:
    image = Facts(model="small", images=(ImageFact("base64", 10),))
    assert World().refused(Ask(model="small", max_cost_nanousd=9), image).kind == "budget_exhausted"
    assert World().refused("small", image, health={"p/small": "open"}).kind == "overloaded"


def test_a_retired_model_is_still_tried_by_name_but_not_by_a_route() -> None:
    world = World(model("gone", retires_ms=NOW_MS, successor="big"), routes=(auto(candidates=("gone", "big")),))
    assert ids(world.plan("gone")) == ["p/gone"]
    plan = world.plan("auto")
    assert ids(plan) == ["p/big"]
    assert "successor is big" in why(plan)["p/gone"]


def test_an_open_breaker_is_left_out_and_a_cooling_endpoint_goes_last() -> None:
    world = World(model("m", "x/m", "y/m"))
    assert ids(world.plan("m", health={"x/m": "cooling"})) == ["y/m", "x/m"]
    assert ids(world.plan("m", health={"x/m": "open", "y/m": "cooling"})) == ["y/m"]
    assert world.refused("m", health={"x/m": "open", "y/m": "open"}).http_status == 503


# routes


def test_the_cheapest_adequate_goes_first_and_failing_over_never_leads_below_the_floor() -> None:
    plan = World(routes=(auto(quality=0.75),)).plan("auto")
    assert ids(plan) == ["p/mid", "p/big"]
    assert reasons(plan) == ["cheapest adequate", "failover"]
    assert why(plan) == {"p/small": "quality 0.6, floor 0.75"}
    assert (plan.route, plan.floor, plan.policy_version) == ("auto", 0.75, "v1")


def test_unknown_quality_is_inadequate_and_no_floor_takes_all() -> None:
    world = World(model("dark"), costs={"p/dark": 1}, routes=(auto(candidates=("dark", "mid"), quality=0.5),))
    assert ids(world.plan("auto")) == ["p/mid"]
    world.routes["auto"] = auto(candidates=("dark", "mid"))
    assert ids(world.plan("auto")) == ["p/dark", "p/mid"]


def test_none_adequate_is_the_dearest_and_says_so() -> None:
    world = World(
        model("twin", "x/twin", "y/twin", quality={"default": 0.9}),
        costs={"x/twin": 40, "y/twin": 200},
        routes=(auto(candidates=("small", "twin", "big"), quality=0.99),),
    )
    plan = world.plan("auto")
    assert ids(plan) == ["x/twin", "y/twin", "p/big", "p/small"]
    assert set(reasons(plan)) == {"floor_unmet"}
    assert not any(candidate.adequate for candidate in plan.candidates)


def test_an_unmet_floor_on_a_model_by_name_does_not_pay_more_for_the_same_model() -> None:
    world = World(model("m", "x/m", "y/m"), costs={"x/m": 1, "y/m": 9})
    plan = world.plan(Ask(model="m", quality=0.9))
    assert ids(plan) == ["x/m", "y/m"]
    assert plan.reason == "floor_unmet"


def test_quality_is_by_task_and_evidence_wins_over_declaration() -> None:
    world = World(routes=(auto(quality=0.75),))
    analysis = Identity(task="analysis")
    assert ids(world.plan("auto", identity=analysis)) == ["p/big"]
    learned = {("small", "analysis"): 0.76, ("mid", "analysis"): 0.74}
    plan = world.plan("auto", identity=analysis, quality_of=lambda name, task: learned.get((name, task)))
    assert ids(plan) == ["p/small", "p/big"]
    assert (plan.task, plan.task_source) == ("analysis", "header")


def test_the_task_is_guessed_only_where_something_hangs_on_it() -> None:
    facts = Facts(model="auto", first_user_text="Compare these.")
    world = World(routes=(auto(quality=0.75), auto(name="plain", candidates=("small",))))
    assert world.plan("auto", facts).task == "analysis"
    assert world.plan("plain", facts).task is None
    assert world.plan("plain", facts, want_task=True).task == "analysis"


def test_the_clients_floor_replaces_the_routes() -> None:
    world = World(routes=(auto(quality=0.75),))
    assert ids(world.plan(Ask(model="auto", quality=0.5)))[0] == "p/small"
    assert ids(world.plan(Ask(model="auto", quality=0.9))) == ["p/big"]


def test_objectives() -> None:
    fast = endpoint("p/fast", speed_tokens_per_s=200.0, ttft_s=0.2)
    slow = endpoint("p/slow", speed_tokens_per_s=20.0, ttft_s=0.2)
    world = World(
        model("fast", fast, quality={"default": 0.7}),
        model("slow", slow, quality={"default": 0.9}),
        costs={"p/fast": 50, "p/slow": 20},
    )

    def first(objective: str, **fields: Any) -> str:
        world.routes["auto"] = auto(candidates=("mid", "fast", "slow"), objective=objective, **fields)
        return ids(world.plan("auto"))[0]

    assert first("best") == "p/slow"
    assert first("fastest") == "p/fast"
    assert first("cheapest") == "p/slow"
    # 0.9 - 20/50/2 - 1/4 = 0.45 against 0.7 - 1/2 - 2.7/25.2/4 = 0.17 and 0.8 - 30/50/2 - 1/4 = 0.25
    assert first("balanced") == "p/slow"


def test_best_affordable_is_the_best_below_the_maximum_cost() -> None:
    world = World(routes=(auto(objective="best", max_cost_nanousd=50),))
    plan = world.plan("auto")
    assert ids(plan) == ["p/mid", "p/small"]
    assert plan.reason == "best affordable"


def test_the_maximum_cost_is_the_lower_of_both_and_needs_a_price() -> None:
    world = World(routes=(auto(max_cost_nanousd=50),), costs={"p/mid": None})
    plan = world.plan(Ask(model="auto", max_cost_nanousd=1_000))
    assert ids(plan) == ["p/small"]
    assert "price unknown" in why(plan)["p/mid"]
    assert plan.max_cost_nanousd == 50
    refusal = world.refused(Ask(model="auto", max_cost_nanousd=9))
    assert (refusal.http_status, refusal.needed_nanousd, refusal.left_nanousd) == (402, 10, 9)
    assert refusal.scope == "max_cost_usd"


def test_data_constraints_of_route_and_request_both_hold() -> None:
    eu = endpoint("eu/m", data=DataFacts(region="eu", retention="30d"), hardware=HardwareFacts(quantization="fp8"))
    best = endpoint("best/m", data=DataFacts(region="eu", retention="none"))
    us = endpoint("us/m", data=DataFacts(region="us", retention="none"))
    world = World(
        model("m", eu, best, us, "dark/m"), routes=(auto(candidates=("m",), data=DataPolicy(regions=("eu",))),)
    )
    assert ids(world.plan("auto")) == ["eu/m", "best/m"]
    assert ids(world.plan(Ask(model="auto", data=DataPolicy(retention="none")))) == ["best/m"]
    assert world.refused(Ask(model="auto", data=DataPolicy(regions=("us",)))).http_status == 403
    assert ids(world.plan(Ask(model="m", data=DataPolicy(retention="none")))) == ["best/m", "us/m"]


def test_routes_leave_out_what_cannot_serve() -> None:
    world = World(
        model("short", context_window=1_000, quality={"default": 1.0}),
        model("toolless", tools=False),
        routes=(auto(candidates=("short", "toolless", "big")),),
    )
    facts = Facts(model="auto", text_bytes=8_000, tools=2)
    plan = world.plan("auto", facts)
    assert ids(plan) == ["p/big"]
    assert set(why(plan)) == {"p/short", "p/toolless"}
    world.routes["auto"] = auto(candidates=("short",))
    refusal = world.refused("auto", facts)
    assert (refusal.http_status, refusal.code) == (400, "context_length_exceeded")


def test_a_window_is_only_judged_where_the_estimate_is_clearly_beyond_it() -> None:
    world = World(model("m", context_window=1_000), routes=(auto(candidates=("m", "big")),), costs={"p/m": 1})
    assert ids(world.plan("auto", est_input_tokens=1_250))[0] == "p/m"
    assert ids(world.plan("auto", est_input_tokens=1_251)) == ["p/big"]


def test_a_larger_cap_than_the_model_can_is_only_a_preference() -> None:
    capped = Facts(model="auto", max_tokens=64_000)
    world = World(model("m", max_output=8_000), routes=(auto(candidates=("m", "big")),), costs={"p/m": 1})
    assert ids(world.plan("auto", capped)) == ["p/big"]
    world.routes["auto"] = auto(candidates=("m",))
    assert ids(world.plan("auto", capped)) == ["p/m"]


def test_a_candidate_that_nobody_serves_is_named() -> None:
    world = World(routes=(auto(candidates=("nobody", "small")), auto(name="empty", candidates=("nobody",))))
    assert "nobody" in why(world.plan("auto"))
    assert world.refused("empty").http_status == 404


def test_the_furthest_candidate_gives_the_refusal() -> None:
    world = World(routes=(auto(candidates=("small", "big")),))
    facts = Facts(model="auto", images=(ImageFact("base64", 10),))
    refusal = world.refused("auto", facts, health={"p/big": "open"})
    assert refusal.kind == "overloaded"
    assert "p/small: takes no image input" in refusal.message


# rules


def test_a_rule_replaces_what_it_names() -> None:
    rules = (
        Rule(when="audit", quality=0.9),
        Rule(when="image", candidates=("big",)),
        Rule(when="night", refuse="Closed at night."),
    )
    world = World(routes=(auto(quality=0.5, rules=rules),))
    world.tests = {
        "audit": lambda facts: bool(facts["task"] == "security_audit"),
        "image": lambda facts: bool(facts["has_image"]),
        "night": lambda facts: bool(facts["hour_utc"] == 3),
    }
    assert ids(world.plan("auto"))[0] == "p/small"
    plan = world.plan("auto", identity=Identity(task="security_audit"))
    assert (ids(plan), plan.rule, plan.floor) == (["p/big"], "audit", 0.9)
    assert ids(world.plan("auto", Facts(model="auto", images=(ImageFact("base64"),)))) == ["p/big"]
    refusal = world.refused("auto", now_ms=3 * 3_600_000)
    assert (refusal.http_status, refusal.message) == (403, "Closed at night.")


def test_rule_facts_are_exactly_the_promised_ones_with_their_types() -> None:
    given = RuleFacts(
        Facts(model="m"), Attribution(), Identity(session_id="d-1", session_source="derived"),
        model="m", task=None, est_input_tokens=1, hour_utc=0,
    )  # fmt: skip
    assert list(given) == [name for name, _ in RULE_FACTS]
    python = {"string": str, "bool": bool, "int": int, "int or null": type(None), "map of strings": dict}
    for name, kind in RULE_FACTS:
        assert type(given[name]) is python[kind], name
    assert given["session_known"] is False


# observe


def observed(world: World, ask: Ask, facts: Facts | None = None, **fields: Any) -> Observed | Refusal:
    facts = facts or Facts(model=ask.model)
    return observe(ask, facts, Attribution(), Identity(), RouteTable(world), world.now(**fields))


def test_observing_sends_a_model_where_it_was_asked_for_and_tells_the_rest() -> None:
    world = World(model("m", "x/m", "y/m"), costs={"x/m": 5})
    found = observed(world, Ask(model="m", order=("y",), max_cost_nanousd=1))
    assert isinstance(found, Observed)
    assert ids(found.plan) == ["x/m"]
    assert isinstance(found.enforced, Refusal)
    found = observed(world, Ask(model="m", order=("y",)))
    assert isinstance(found, Observed)
    assert ids(found.plan) == ["x/m"]
    assert isinstance(found.enforced, Plan)
    assert ids(found.enforced) == ["y/m", "x/m"]


@pytest.mark.parametrize(("max_cost", "first"), [(None, "p/mid"), (1, "p/big")])
def test_observing_a_route_takes_its_choice_or_its_first_candidate(max_cost: int | None, first: str) -> None:
    world = World(routes=(auto(candidates=("big", "mid"), max_cost_nanousd=max_cost),))
    found = observed(world, Ask(model="auto"))
    assert isinstance(found, Observed)
    assert ids(found.plan) == [first]


def test_observing_still_cannot_send_what_stands_for_nothing() -> None:
    assert isinstance(observed(World(), Ask(model="nope")), Refusal)
    assert isinstance(observed(World(routes=(auto(candidates=("nobody",)),)), Ask(model="auto")), Refusal)
