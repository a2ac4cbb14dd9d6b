"""The matrix of quality by cost: complete, monotone, and in a route."""

from typing import get_args

import pytest
from tests.unit.decide.routing_world import World, auto, ids

from bascule.decide.presets import MATRIX, NEED_OF, floors_of
from bascule.decide.task import Task
from bascule.model.identity import Identity
from bascule.model.policy import Preset

LEVELS = {"low": 0.5, "medium": 0.7, "high": 0.9}


def test_every_task_has_a_need() -> None:
    assert set(NEED_OF) == set(get_args(Task))


def test_a_dearer_preset_and_a_harder_need_never_lower_the_floor() -> None:
    for cheaper, dearer in (("cost", "balanced"), ("balanced", "quality")):
        for need, level in MATRIX[cheaper].items():
            assert LEVELS[level] <= LEVELS[MATRIX[dearer][need]]
    for column in MATRIX.values():
        assert LEVELS[column["plain"]] <= LEVELS[column["skilled"]] <= LEVELS[column["critical"]]


@pytest.mark.parametrize("preset", get_args(Preset))
def test_unknown_work_is_treated_as_the_most_demanding(preset: Preset) -> None:
    floors = floors_of(preset, LEVELS)
    assert floors["default"] == max(floors.values()) == floors["math"]


def test_a_route_takes_the_floor_of_the_requests_task_and_its_own_floor_wins() -> None:
    world = World(routes=(auto(floors=floors_of("balanced", LEVELS)),))
    assert ids(world.plan("auto", identity=Identity(task="classification")))[0] == "p/small"
    assert ids(world.plan("auto", identity=Identity(task="writing")))[0] == "p/mid"
    assert ids(world.plan("auto", identity=Identity(task="math"))) == ["p/big"]
    assert world.plan("auto").floor == LEVELS["high"]
    world.routes["auto"] = auto(floors=floors_of("balanced", LEVELS), quality=0.5)
    assert world.plan("auto").floor == 0.5
