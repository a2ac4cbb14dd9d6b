"""A provider that is down: what is sent to it all the same, and how soon it is used again."""

import time

from bascule.testing.chaos.arena import Arena
from bascule.testing.chaos.checks import Check, at_most, books, none_of
from bascule.testing.chaos.reconcile import marked
from bascule.testing.chaos.traffic import Planned, Storm, Target, storm
from bascule.testing.script import Script

AMPLIFICATION, RESERVE = 1.2, 3
OVER_S = 6.0
RECOVERS_WITHIN_S = 10.0


def outage(arena: Arena) -> list[Check]:
    """Retries share a budget with the ordinary requests before it: a fifth of all first attempts at an endpoint."""
    target = arena.targets[0]
    ordinary = _traffic(arena, target, arena.requests // 4, first=0)
    during = _traffic(arena, target, arena.requests, first=10_000)
    arena.provide(ordinary)
    arena.send(ordinary)
    before = len(arena.upstream.served)
    arena.upstream.upstream.use(Script(status=500))
    seen = arena.send(during, over_s=OVER_S)
    arena.upstream.quiet()
    hit = arena.upstream.served[before:]
    # What a route does about it is no retry: each request may be tried once at each endpoint.
    first = {(marked(one), one.dialect, one.model) for one in arena.upstream.served}
    endpoints = {(dialect, name) for _, dialect, name in first}
    allowed = AMPLIFICATION * len(first) + RESERVE * len(endpoints) - before
    took_s = _recovery_s(arena, target)
    rows = arena.rows()
    return [
        *books(arena.reconcile(rows)),
        at_most("requests that reached a provider that is down", len(hit), allowed),
        none_of("clients that were told it went well", sum(one.status == 200 for one in seen), of=len(seen)),
        at_most("until it is used again", took_s, RECOVERS_WITHIN_S, "s"),
    ]


def _traffic(arena: Arena, target: Target, count: int, first: int) -> list[Planned]:
    made_of = Storm(seed=arena.seed, targets=(target,), groups=(), leave_share=0.0, sound_first=0)
    return storm(made_of, count, first)


def _recovery_s(arena: Arena, target: Target) -> float:
    """From the provider's first good moment to the first good answer, asking four times a second."""
    arena.upstream.upstream.use(Script())
    began_s = time.monotonic()
    for number in range(round(RECOVERS_WITHIN_S * 8)):
        (seen,) = arena.send(_traffic(arena, target, 1, first=50_000 + number))
        if seen.status == 200:
            break
        time.sleep(0.25)
    return time.monotonic() - began_s
