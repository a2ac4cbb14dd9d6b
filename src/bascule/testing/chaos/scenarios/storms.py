"""Traffic under faults, and the ledger held against the upstream's count."""

from msgspec.structs import replace

from bascule.testing.chaos.arena import Arena
from bascule.testing.chaos.checks import Check, books, none_of
from bascule.testing.chaos.client import Seen
from bascule.testing.chaos.findings import Reconciliation
from bascule.testing.chaos.honesty import dishonest
from bascule.testing.chaos.traffic import Planned, Storm, storm
from bascule.testing.faults import FORGED

SOUND = 100
"""Ordinary requests first, for estimates to rest on; at most half of all."""


def _storm(arena: Arena, **more: object) -> tuple[Reconciliation, list[Planned], list[Seen], list[Check]]:
    sound = min(SOUND, arena.requests // 2)
    made_of = replace(Storm(seed=arena.seed, targets=arena.targets, sound_first=sound), **more)
    traffic = storm(made_of, arena.requests)
    arena.provide(traffic)
    seen = arena.send(traffic[:sound])
    seen += arena.send(traffic[sound:])
    rows = arena.rows()
    found = arena.reconcile(rows)
    lies = dishonest(traffic, seen, rows)
    return found, traffic, seen, [*books(found), none_of("answers that look whole and are not", len(lies), lies)]


def mixed(arena: Arena) -> list[Check]:
    return _storm(arena)[-1]


def hostile(arena: Arena) -> list[Check]:
    _, _, seen, checks = _storm(arena, groups=("body",), leave_share=0.0)
    forged = [one for one in seen if any(FORGED in value for value in one.headers.values())]
    return [
        *checks,
        none_of("headers of a provider's making that reached a client", len(forged)),
        none_of("redirects that were followed", arena.upstream.upstream.trap_hits),
    ]


def usage(arena: Arena) -> list[Check]:
    return _storm(arena, groups=("usage",), leave_share=0.0)[-1]


def disconnects(arena: Arena) -> list[Check]:
    """The provider bills what it generated: what a cut-off one may bill beyond that, nobody can see."""
    _, _, seen, checks = _storm(arena, groups=(), leave_share=0.5)
    left = sum(one.left for one in seen)
    told = f"{left} of {len(seen)} clients left"
    return [*checks, Check(promise="clients that left", figure=told, limit="some", passed=left > 0)]
