"""Many requests at one small budget at once, then the same one serially until 402: what was overspent, what stranded.

By the upstream's count, at the configuration's price: what the gateway says of itself is only compared.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from bascule.testing.chaos.client import Leave, Seen, post
from bascule.testing.chaos.surfaces import Asked, Surface, written

MOST_SERIAL = 3_000
REFUSED_503_AGAIN_S = 0.05
"""Before a request that got 503 is sent again: no money was refused, only a moment."""
MOST_503 = 200
_USD = re.compile(r"\$(\d+(?:\.\d+)?)")


class Shot(Struct, frozen=True, kw_only=True):
    """What is fired."""

    surface: Surface
    asked: Asked
    key: str
    count: int
    limit_nanousd: int
    leaving: int = 10
    """Every so manieth client leaves early; 0: none."""


class Overspend(Struct, frozen=True, kw_only=True):
    """What became of it, in nano-USD."""

    statuses: dict[str, int]
    """Of the clients that stayed."""
    limit_nanousd: int
    spent_nanousd: int
    """At the end, by the upstream's count."""
    spent_at_once_nanousd: int
    """After the first volley."""
    serial: int
    """Requests served one after another until the last was refused."""
    hold_nanousd: int | None
    """What the last refusal said was needed; None where it named no figure."""

    @property
    def overspent_nanousd(self) -> int:
        return max(0, self.spent_nanousd - self.limit_nanousd)

    @property
    def stranded_nanousd(self) -> int:
        return max(0, self.limit_nanousd - self.spent_nanousd)

    @property
    def strands_too_much(self) -> bool:
        """More than a tenth and more than one hold."""
        return self.stranded_nanousd > max(self.limit_nanousd // 10, self.hold_nanousd or 0)


class NeverRefused(RuntimeError):
    """Thousands of requests were served on a small budget, or 503 would not end."""


async def probe(urls: Sequence[str], shot: Shot, spent: Callable[[], int]) -> Overspend:
    """Fire at all gateways in turn. `spent`: what the upstream has counted for this key so far, once it is quiet.

    Raises NeverRefused.
    """
    path, body = written(shot.surface, shot.asked)
    headers = {"authorization": f"Bearer {shot.key}"}

    async def send(place: int, leave: Leave | None = None) -> Seen:
        return await post(urls[place % len(urls)], path, body, headers, leave=leave)

    def leaves(place: int) -> Leave | None:
        return Leave(after_s=0.05) if shot.leaving and place % shot.leaving == shot.leaving - 1 else None

    seen = await asyncio.gather(*(send(place, leaves(place)) for place in range(shot.count)))
    at_once = await asyncio.to_thread(spent)
    served, refused = await _until_refused(send)
    return Overspend(
        statuses=dict(Counter([str(one.status) for one in seen if not one.left])),
        limit_nanousd=shot.limit_nanousd,
        spent_at_once_nanousd=at_once,
        spent_nanousd=await asyncio.to_thread(spent),
        serial=served,
        hold_nanousd=needed_nanousd(refused),
    )


async def _until_refused(send: Callable[[int], Awaitable[Seen]]) -> tuple[int, Seen]:
    unavailable = 0
    for place in range(MOST_SERIAL):
        seen = await send(place)
        if seen.status == 402:
            return place - unavailable, seen
        if seen.status == 503:
            unavailable += 1
            await asyncio.sleep(REFUSED_503_AGAIN_S)
        if unavailable > MOST_503:
            raise NeverRefused(f"503 again and again where 402 was expected: {seen.body[:300]!r}")
    raise NeverRefused(f"{MOST_SERIAL} requests were served on a budget that should have ended")


def needed_nanousd(refused: Seen) -> int | None:
    """The larger figure of a 402's message: what was needed."""
    figures = [round(float(text) * 1e9) for text in _USD.findall(refused.body.decode(errors="replace"))]
    return max(figures[:2]) if figures else None
