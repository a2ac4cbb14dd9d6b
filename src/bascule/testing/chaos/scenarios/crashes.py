"""Gateways that are killed, stopped and reloaded."""

import signal
import time
from collections.abc import Callable

from bascule.testing.chaos.arena import Arena
from bascule.testing.chaos.checks import Check, books, none_of
from bascule.testing.chaos.driving import WhileDriving
from bascule.testing.chaos.surfaces import looks_complete, tells_an_error
from bascule.testing.chaos.traffic import Planned, Storm, storm
from bascule.testing.script import Script

OVER_S = 2.0
KILLED_AT = 0.4
"""Of the time that the requests take to be sent."""
OPEN_STREAMS = 50
STOP_S = 90.0
RELOAD_EVERY_S = 0.1


def crash(arena: Arena) -> list[Check]:
    count = arena.requests // 3
    made_of = Storm(seed=arena.seed, targets=arena.targets, sound_first=count)
    traffic, after = storm(made_of, 2 * count), storm(made_of, count, first=100_000)
    arena.provide([*traffic, *after])
    arena.send(traffic[:count])
    with WhileDriving(lambda: arena.drive(traffic[count:], over_s=OVER_S)):
        time.sleep(KILLED_AT * OVER_S)
        arena.gateway.kill()
    _start_again(arena)
    arena.send(after)
    rows = arena.rows()
    arena.gateway.verify()
    recovered = sum(bool(row["recovered"]) for row in rows)
    told = f"{recovered} rows, each at its hold"
    return [
        *books(arena.reconcile(rows, crashed=True)),
        Check(promise="what the crash left open is settled", figure=told, limit="all", passed=recovered > 0),
    ]


def _start_again(arena: Arena) -> None:
    arena.gateway.start()
    arena.urls = (arena.gateway.url,)


def stop(arena: Arena) -> list[Check]:
    traffic = _streams(arena, OPEN_STREAMS)
    arena.upstream.use(Script(text=" ".join(["bridge"] * 100), gap_s=0.03))
    with WhileDriving(lambda: arena.drive(traffic, over_s=0.2)) as driving:
        _until(lambda: arena.upstream.upstream.in_flight >= OPEN_STREAMS)
        arena.gateway.signal(signal.SIGTERM)
        status = arena.gateway.wait(STOP_S)
    cut = [
        f"#{one.number} {one.surface}: {answer.body[-200:]!r}"
        for one, answer in zip(traffic, driving.seen, strict=True)
        if not looks_complete(one.surface, answer) or tells_an_error(answer)
    ]
    return [
        *books(arena.reconcile(arena.rows())),
        none_of("streams that were cut", len(cut), cut, len(traffic)),
        Check(promise="exit status", figure=str(status), limit="0", passed=status == 0),
    ]


def reload(arena: Arena) -> list[Check]:
    traffic = _streams(arena, arena.requests)
    arena.upstream.use(Script(output_tokens=40, gap_s=0.01))
    with WhileDriving(lambda: arena.drive(traffic, over_s=OVER_S)) as driving:
        while driving.is_alive():
            arena.gateway.signal(signal.SIGHUP)
            time.sleep(RELOAD_EVERY_S)
    broken = [
        one.number for one, answer in zip(traffic, driving.seen, strict=True) if not looks_complete(one.surface, answer)
    ]
    return [
        *books(arena.reconcile(arena.rows())),
        none_of("streams that were cut", len(broken), of=len(traffic)),
    ]


def _streams(arena: Arena, count: int) -> list[Planned]:
    made_of = Storm(seed=arena.seed, targets=arena.targets, groups=(), leave_share=0.0, stream_share=1.0, sound_first=0)
    return storm(made_of, count)


def _until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """Or until the time is over: then what is looked at next tells."""
    until_s = time.monotonic() + within_s
    while not condition() and time.monotonic() < until_s:
        time.sleep(0.01)
