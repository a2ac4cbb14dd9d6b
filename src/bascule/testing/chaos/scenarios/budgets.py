"""A small budget under fire."""

import asyncio
import time
from decimal import Decimal

from bascule.model.errors import BasculeError
from bascule.testing.chaos.arena import Arena
from bascule.testing.chaos.bills import billed_nanousd
from bascule.testing.chaos.checks import Check, at_most
from bascule.testing.chaos.client import post
from bascule.testing.chaos.overspend import Overspend, Shot, needed_nanousd, probe
from bascule.testing.chaos.rehearsal import BUDGET_KEY
from bascule.testing.chaos.surfaces import Asked, written
from bascule.testing.script import Script

AT_ONCE = 300
CAP = 300
"""Output tokens that the client asks for."""
IN_FORCE_S = 2.5
"""Until a budget that was made by command is."""
ANSWER = 280
"""Output tokens of each answer: near the cap, so that the serial part is short."""
TEXT = "Tell me about the bridges of this city, and which of them can be opened. " * 4
HOLDS_IN_LIMIT = 20


def overspend(arena: Arena) -> list[Check]:
    """A strict budget of some twenty holds for one key."""
    key = arena.budget_key
    if key is None:
        raise BasculeError("there is no key whose budget may be used up")
    asked = Asked(model=arena.targets[0].model, turns=(("user", TEXT),), stream=True, max_tokens=CAP)
    arena.upstream.use(Script(output_tokens=ANSWER, ttft_s=0.03, gap_s=0.0002))
    limit = HOLDS_IN_LIMIT * _one_hold(arena, asked, key)
    _set_budget(arena, limit)
    shot = Shot(surface="chat", asked=asked, key=key, count=AT_ONCE, limit_nanousd=limit)
    return verdict(asyncio.run(probe(arena.urls, shot, lambda: _spent(arena))))


def _set_budget(arena: Arena, limit_nanousd: int) -> None:
    usd = f"{Decimal(limit_nanousd) / 1_000_000_000:.9f}"
    arena.gateway.run("budgets", "set", f"key:{BUDGET_KEY}", "--limit-usd", usd, "--window", "total")
    time.sleep(IN_FORCE_S)


def _one_hold(arena: Arena, asked: Asked, key: str) -> int:
    """What one of them needs, as the refusal of a budget says that is too small for any."""
    _set_budget(arena, 1)
    path, body = written("chat", asked)
    refused = asyncio.run(post(arena.urls[0], path, body, {"authorization": f"Bearer {key}"}))
    needed = needed_nanousd(refused) if refused.status == 402 else None
    if needed is None:
        raise BasculeError(f"{asked.model} on a budget of $0.000000001: {refused.status}, {refused.body[:300]!r}")
    return needed


def verdict(found: Overspend) -> list[Check]:
    """Nothing over the limit; what is left of it at most a tenth or one hold; nobody told anything but yes or no."""
    most = max(found.limit_nanousd // 10, found.hold_nanousd or 0)
    odd = {status for status in found.statuses if status not in ("200", "402", "503")}
    return [
        Check(
            promise="answers that the budget paid for",
            figure=f"{found.statuses.get('200', 0)} at once, {found.serial} after that",
            limit="some",
            passed=found.statuses.get("200", 0) > 0,
        ),
        at_most("spent over the limit", found.overspent_nanousd / 1e9, 0, "USD"),
        at_most("stranded", found.stranded_nanousd / 1e9, most / 1e9, "USD"),
        Check(
            promise="what clients were told",
            figure=", ".join([f"{count} x {status}" for status, count in sorted(found.statuses.items())]),
            limit="200, 402, 503",
            passed=not odd,
        ),
    ]


def _spent(arena: Arena) -> int:
    """By the upstream's count, at the price of the endpoint that the ledger's row names."""
    arena.upstream.quiet(30)
    by_id = {row["upstream_request_id"]: row for row in arena.export()}
    spent = 0
    for one in arena.upstream.served:
        row = by_id.get(one.response_id) or by_id.get(one.upstream_request_id)
        if row is None:
            raise BasculeError(f"request {one.number} was served, and the ledger has no row that names it")
        spent += billed_nanousd(arena.tariff, row, one.dialect, one.usage)
    return spent
