"""Tiers, shares of dear models, full endpoints and slow ones."""

from tests.unit.decide.routing_world import World, auto, endpoint, ids, model, why

from bascule.model.money import PICO_PER_USD_PER_MTOK as USD
from bascule.model.money import Rates
from bascule.model.policy import DearCap

DEAR = DearCap(key_share=0.2)
SPENT = "the key's share of dear requests (20%) is used up"


def priced(*routes: object) -> World:
    world = World(routes=routes)  # type: ignore[arg-type]
    world.rates = {
        "p/small": Rates(input=USD // 10, output=USD // 10),
        "p/mid": Rates(input=2 * USD, output=4 * USD),
        "p/big": Rates(input=5 * USD, output=25 * USD),
    }
    return world


def test_a_route_takes_only_its_tiers() -> None:
    plan = priced(auto(tiers=("commodity", "mid"), objective="best")).plan("auto")
    assert ids(plan) == ["p/mid", "p/small"]
    assert why(plan)["p/big"] == "tier premium is not among commodity, mid"


def test_a_share_that_is_used_up_outranks_floor_and_objective() -> None:
    world = priced(auto(quality=0.9, dear=DEAR))
    assert ids(world.plan("auto")) == ["p/big"]
    plan = world.plan("auto", dear_spent=lambda policy: SPENT)
    assert ids(plan) == ["p/mid", "p/small"]
    assert (plan.reason, why(plan)["p/big"]) == ("floor_unmet", SPENT)


def test_where_only_dear_models_can_serve_it_is_429_and_an_unknown_price_counts_as_dear() -> None:
    world = priced(auto(candidates=("big", "dark"), dear=DEAR))
    world.models["dark"] = model("dark")
    refusal = world.refused("auto", dear_spent=lambda policy: SPENT)
    assert (refusal.http_status, SPENT in refusal.message) == (429, True)


def test_a_route_without_a_cap_does_not_ask() -> None:
    assert ids(priced(auto(objective="best")).plan("auto", dear_spent=lambda policy: SPENT))[0] == "p/big"


def test_a_full_endpoint_is_tried_last_and_the_reason_says_so() -> None:
    plan = priced(auto()).plan("auto", full=frozenset({"p/small"}))
    assert ids(plan) == ["p/mid", "p/big", "p/small"]
    assert plan.reason == "cheapest; p/small full"


def test_a_slow_endpoint_goes_behind_and_one_that_was_not_measured_does_not() -> None:
    world = priced(auto(max_ttft_s=1.0))
    seen = {"p/small": 1.5, "p/mid": None, "p/big": 0.2}
    plan = world.plan("auto", ttft_of=lambda name, at: seen[at.id])
    assert ids(plan) == ["p/mid", "p/big", "p/small"]
    assert plan.reason == "cheapest; p/small slow"
    assert plan.watches_latency


def test_live_latency_wins_over_the_declared_one() -> None:
    near = endpoint("x/m", speed_tokens_per_s=100.0, ttft_s=0.1)
    far = endpoint("y/m", speed_tokens_per_s=100.0, ttft_s=1.0)
    world = World(model("m", near, far), routes=(auto(candidates=("m",), objective="fastest"),))
    assert ids(world.plan("auto"))[0] == "x/m"
    assert ids(world.plan("auto", ttft_of=lambda name, at: 5.0 if at.id == "x/m" else None))[0] == "y/m"
