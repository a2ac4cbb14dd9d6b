"""Providers that fail and recover through virtual time, and how an attempt at one of them ends."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bascule.model.outcome import ErrorClass

Kind = Literal["errors", "refused", "silent"]
Shape = Literal["stream", "whole"]

UP = 0.999
OUTAGE_S = 300.0
"""Their mean."""
KINDS: tuple[Kind, ...] = ("errors", "errors", "errors", "refused", "silent")
"""Each as likely as the others: three of five outages answer with errors."""
FIRST_S, LENGTH_S = 0.5, 6.0
"""To the first content, and to the end of an answer."""

FIRST_BYTE_S = {"stream": 120.0, "whole": 600.0}
IDLE_S = 60.0


@dataclass(frozen=True)
class Outage:
    begin_s: float
    end_s: float
    kind: Kind


@dataclass(frozen=True)
class Provider:
    """When one provider is down, in order."""

    outages: Sequence[Outage]

    def around(self, now_s: float) -> tuple[Outage | None, Outage | None]:
        """The outage that it is in, and the next one."""
        at = bisect_right(self.outages, now_s, key=lambda outage: outage.begin_s)
        last = self.outages[at - 1] if at else None
        return (last if last is not None and now_s < last.end_s else None,
                self.outages[at] if at < len(self.outages) else None)  # fmt: skip

    def attempt(self, now_s: float, shape: Shape) -> "Ending":
        """What becomes of an attempt that begins now."""
        current, coming = self.around(now_s)
        silence = Ending(now_s + FIRST_BYTE_S[shape], "timeout_first_byte")
        if current is not None:
            match current.kind:
                case "errors":
                    return Ending(now_s + 0.2, "server_error")
                case "refused":
                    return Ending(now_s + 0.01, "connect")
                case _:
                    return silence
        if coming is None or coming.begin_s >= now_s + LENGTH_S or coming.kind == "errors":
            return Ending(now_s + LENGTH_S, None, now_s + FIRST_S)
        begun = coming.begin_s > now_s + FIRST_S
        content_s = now_s + FIRST_S if begun else None
        if coming.kind == "refused":
            return Ending(coming.begin_s, "reset", content_s)
        return Ending(coming.begin_s + IDLE_S, "timeout_idle", content_s) if begun and shape == "stream" else silence


@dataclass(frozen=True)
class Ending:
    at_s: float
    error_class: ErrorClass | None
    content_s: float | None = None
    """When the first content came, where it did."""


def drawn(dice: random.Random, seconds: float) -> Provider:
    """A provider of three nines."""
    outages: list[Outage] = []
    at_s = 0.0
    while True:
        begin_s = at_s + dice.expovariate((1 - UP) / (UP * OUTAGE_S))
        if begin_s >= seconds:
            return Provider(outages)
        at_s = begin_s + dice.expovariate(1 / OUTAGE_S)
        kind: Kind = dice.choice(KINDS)
        outages.append(Outage(begin_s, at_s, kind))


def both_down_s(providers: Sequence[Provider]) -> float:
    """Seconds in which nobody was up."""
    return sum(
        max(0.0, min(one.end_s, other.end_s) - max(one.begin_s, other.begin_s))
        for one in providers[0].outages
        for other in providers[1].outages
    )
