"""Every interleaving of a few workers with few holds, deaths and lost answers: all states that can be reached."""

import pickle
from typing import Any

from msgspec import Struct
from tests.schedules.world import World


class Scope(Struct, frozen=True, kw_only=True):
    """How far to go. What is not bounded here is bounded by the limit."""

    workers: int = 2
    limit: int = 2
    scopes: int = 1
    holds: int = 3
    exchanges: int = 4
    crashes: int = 1
    losses: int = 1
    rolls: int = 1
    amounts: tuple[int, ...] = (1, 2)


class Budgeted(Struct):
    """A world, and what may still happen in it."""

    world: World
    holds: int
    exchanges: int
    crashes: int
    losses: int
    rolls: int


def explore(scope: Scope) -> tuple[int, int]:
    """States and steps, each of them checked. Raises Broken at the first that breaks a promise."""
    world = World(scope.workers, scope.limit, scope.scopes)
    start = Budgeted(world, scope.holds, scope.exchanges, scope.crashes, scope.losses, scope.rolls)
    seen = {_key(start)}
    frontier = [pickle.dumps(start)]
    steps = 0
    while frontier:
        frozen = frontier.pop()
        at = pickle.loads(frozen)
        for number, name, argument in _steps(at, scope):
            after = pickle.loads(frozen)
            _do(after, number, name, argument)
            after.world.check()
            steps += 1
            key = _key(after)
            if key not in seen:
                seen.add(key)
                frontier.append(pickle.dumps(after))
                after.world.quiesce()
    return len(seen), steps


def _steps(at: Budgeted, scope: Scope) -> list[tuple[int, str, Any]]:
    found: list[tuple[int, str, Any]] = []
    world = at.world
    for number, worker in enumerate(world.workers):
        if worker.message is not None:
            found.append((number, "arrive", None))
        if not worker.alive:
            found.append((number, "recover", None))
            continue
        if at.holds:
            found += [(number, "reserve", amount) for amount in scope.amounts]
        for which, (amount, _) in enumerate(worker.open):
            found += [(number, "settle", (which, cost)) for cost in {0, amount}]
        if worker.answer is not None:
            found.append((number, "take", None))
        if worker.message is None and worker.answer is None:
            if at.exchanges:
                found += [(number, "say", needed) for needed in (0, *scope.amounts)]
                found.append((number, "return", None))
        elif at.losses:
            found.append((number, "lose", None))
        if at.crashes:
            found.append((number, "crash", None))
    if at.rolls:
        found.append((0, "roll", None))
    return found


def _do(at: Budgeted, number: int, name: str, argument: Any) -> None:
    world, worker = at.world, at.world.workers[number]
    match name:
        case "reserve":
            at.holds -= world.reserve(worker, argument)
        case "settle":
            world.settle(worker, *argument)
        case "say":
            at.exchanges -= 1
            world.say(worker, argument)
        case "return":
            at.exchanges -= 1
            world.say(worker, returning=True)
        case "lose":
            at.losses -= 1
            world.lose(worker)
        case "crash":
            at.crashes -= 1
            world.crash(worker)
        case "recover":
            world.recover(number)
        case "roll":
            at.rolls -= 1
            world.roll()
        case _:
            getattr(world, name)(worker)


def _key(at: Budgeted) -> Any:
    world = at.world
    workers = tuple(
        [
            (w.name, w.alive, w.turn, tuple([repr(s) for s in w.shares]), tuple(w.settled), tuple(w.held),
             tuple(sorted(w.open)), repr(w.message), repr(w.answer))
            for w in world.workers
        ]
    )  # fmt: skip
    left = (at.holds, at.exchanges, at.crashes, at.losses, at.rolls)
    return left, world.window, repr(world.accounts), tuple(world.ledger), workers, tuple(world.turns.items())
