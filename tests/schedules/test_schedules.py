"""The lease engine in every order of a small world, and in some tens of thousands of random ones."""

import pytest
from tests.schedules.explore import Scope, explore
from tests.schedules.random_schedules import run
from tests.schedules.world import Broken, World

from bascule.decide import lease as engine


def test_every_state_of_a_small_world_keeps_the_promises() -> None:
    states, steps = explore(Scope(holds=2, exchanges=2, losses=0, rolls=0))
    print(f"{states:,} states, {steps:,} steps")
    assert states > 5_000
    assert steps > states


def test_random_schedules_keep_the_promises() -> None:
    assert run(seed=7, schedules=20_000) > 100_000


def test_the_search_finds_an_engine_that_grants_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is searched for can be found: one nano-USD too many is enough."""
    honest = engine.Account.free_nanousd
    monkeypatch.setattr(engine.Account, "free_nanousd", lambda self, limit: honest(self, limit) + 1)
    with pytest.raises(Broken, match="granted"):
        explore(Scope(holds=2, exchanges=2, losses=0, rolls=0))
    with pytest.raises(AssertionError, match="granted"):
        run(seed=7, schedules=2_000)


def test_the_search_finds_a_lease_that_is_closed_below_what_was_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.schedules.world.close", lambda holder, account, spent: engine.close(holder, account, 0))
    with pytest.raises(AssertionError, match=r"says|overspent"):
        run(seed=7, schedules=2_000)


def test_money_that_is_asked_back_is_had_by_whoever_asked() -> None:
    world = World(workers=3, limit=30)
    for worker in world.workers:
        world.say(worker, 10)
        world.arrive(worker)
        world.take(worker)
        assert world.reserve(worker, 10)
    for worker in world.workers[1:]:
        world.settle(worker, 0, 1)
    world.quiesce()
