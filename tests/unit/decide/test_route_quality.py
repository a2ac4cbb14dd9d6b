"""Routes that choose: floors, objectives, the most that may be spent."""

from typing import Any

from tests.unit.decide.routing_world import World, auto, endpoint, ids, model, reasons, why

from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.policy import Ask
from bascule.model.quality import Quality


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
    learned = {("small", "analysis"): Quality(low=0.76), ("mid", "analysis"): Quality(low=0.74)}
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
