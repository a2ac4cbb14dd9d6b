"""Observing: a model is asked where it was asked for, and the rest is told."""

from typing import Any

import pytest
from tests.unit.decide.routing_world import World, auto, ids, model

from bascule.decide.observe import Observed, observe
from bascule.decide.route import RouteTable
from bascule.model.budget import Attribution
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.plan import Plan
from bascule.model.policy import Ask


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
