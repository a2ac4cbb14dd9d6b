from tests.unit.decide.routing_world import NOW_MS, World, auto, endpoint, ids, model, reasons, why

from bascule.decide.route import RULE_FACTS, RuleFacts
from bascule.model.budget import Attribution
from bascule.model.catalog import DataFacts, HardwareFacts
from bascule.model.facts import Facts, ImageFact
from bascule.model.identity import Identity
from bascule.model.money import Rates
from bascule.model.policy import Ask, DataPolicy, Rule


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
    python = {"string": str, "bool": bool, "int": int, "map of strings": dict}
    python |= {"int or null": type(None), "double or null": type(None)}
    for name, kind in RULE_FACTS:
        assert type(given[name]) is python[kind], name
    assert given["session_known"] is False


# observe
