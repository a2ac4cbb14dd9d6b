"""Random schedules: short, independent, seeded, and very many."""

import gc
from collections.abc import Callable
from random import Random

from tests.schedules.world import Worker, World

STEPS = (6, 13)
QUIESCE_ONE_IN = 8


def run(seed: int, schedules: int) -> int:
    """Run that many, all from one seed; the number of steps. Raises AssertionError where one breaks a promise."""
    steps = 0
    pick = Random(seed).random
    gc.disable()  # nothing here is cyclic, and there is very much of it
    try:
        for number in range(schedules):
            try:
                steps += _schedule(pick, number % QUIESCE_ONE_IN == 0)
            except AssertionError as error:
                raise AssertionError(f"schedule {number} of seed {seed}: {error}") from error
    finally:
        gc.enable()
    return steps


def _schedule(pick: Callable[[], float], quiesce: bool) -> int:
    workers = 2 + (pick() < 0.4)
    world = World(workers, 2 + int(pick() * 9), 1 + (pick() < 0.25))
    steps = STEPS[0] + int(pick() * (STEPS[1] - STEPS[0]))
    for _ in range(steps):
        number = int(pick() * workers)
        _step(world, number, pick(), 1 + int(pick() * 4))
        world.check()
    if quiesce:
        world.quiesce()
    return steps


def _step(world: World, number: int, chance: float, amount: int) -> None:
    worker = world.workers[number]
    if not worker.alive:
        if worker.message is not None and chance < 0.5:
            world.arrive(worker)
        else:
            world.recover(number)
        return
    if chance < 0.06:
        world.crash(worker)
    elif chance < 0.09:
        if world.window == 0:
            world.roll()
    elif chance < 0.3:
        if not world.reserve(worker, amount):
            _talk(world, worker, amount, chance)
    elif chance < 0.5 and worker.open:
        world.settle(worker, 0, worker.open[0][0] if chance < 0.4 else 0)
    else:
        _talk(world, worker, amount if chance < 0.75 else 0, chance)


def _talk(world: World, worker: Worker, amount: int, chance: float) -> None:
    """The next step of an exchange, whichever that is; some are lost on the way."""
    if worker.message is None and worker.answer is None:
        world.say(worker, amount, returning=chance > 0.95)
        if chance > 0.65:
            world.arrive(worker)
    elif 0.93 < chance < 0.95:
        world.lose(worker)
    elif worker.message is not None:
        world.arrive(worker)
    else:
        world.take(worker)
