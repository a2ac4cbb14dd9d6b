"""Seeded traffic: mixed requests, clients that leave, and what the provider does to each attempt."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bascule.testing.chaos.client import Leave, Seen, post
from bascule.testing.chaos.reconcile import MARK
from bascule.testing.chaos.surfaces import Asked, Surface, Turn, written
from bascule.testing.fault_table import FAULTS, Group, NamedFault
from bascule.testing.script import Bill, ProviderRequest, Script

SYLLABLES = ("ba", "do", "ki", "lo", "mu", "ne", "po", "ra", "si", "tu", "ve", "zo")
HEAVY_SHARE = 0.02
"""Of faulty attempts: megabytes each."""
WAITING_SHARE = 0.04
"""Of faulty attempts: each holds its request until a timeout."""


class Target(Struct, frozen=True, kw_only=True):
    """A model to ask for, and by which clients."""

    model: str
    surfaces: tuple[Surface, ...] = ("chat", "messages")
    paced: bool = False
    """Its provider is cut off when a client leaves: in a burst the whole answer would be on its way before anybody
    could."""


class Storm(Struct, frozen=True, kw_only=True):
    """What traffic is made of. The same storm is the same traffic."""

    seed: int
    targets: tuple[Target, ...]
    groups: tuple[Group, ...] = ("status", "transport", "body", "stream", "usage")
    """Kinds of faults; none: every attempt is sound."""
    fault_share: float = 0.7
    """Of requests whose attempts are mostly faulty."""
    leave_share: float = 0.35
    """Of clients that hang up: before the first byte or in the middle."""
    bill: Bill = "generated"
    """What the provider bills for what broke off."""
    stream_share: float = 0.6
    sound_first: int = 100
    """Ordinary requests before the storm: estimates rest on what models have reported since the start, see
    `decide.calibration`; before that on a ratio assumed for all models, which need not be within 15 % of this one's."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One client request and its provider's behaviour, attempt after attempt; the last script stands for the rest."""

    number: int
    surface: Surface
    path: str
    body: dict[str, Any]
    leave: Leave | None
    scripts: tuple[Script, ...]
    faults: tuple[str, ...] = ()
    """Names of what the scripts do, sound ones left out."""

    @property
    def stream(self) -> bool:
        return self.body.get("stream") is True or "streamGenerateContent" in self.path


def words(dice: random.Random, count: int) -> str:
    """Made-up words of about four and a half bytes with their blank, as English tokens are."""
    return " ".join(["".join(dice.choices(SYLLABLES, k=dice.choice((1, 2, 2)))) for _ in range(count)])


def storm(made_of: Storm, count: int, first: int = 0) -> list[Planned]:
    """`count` requests, numbered from `first` on."""
    return [planned(made_of, first + place, sound=place < made_of.sound_first) for place in range(count)]


def planned(made_of: Storm, number: int, *, sound: bool = False) -> Planned:
    """The request of this number. `sound`: no fault, and a client that waits."""
    dice = random.Random(f"{made_of.seed}:{number}")  # noqa: S311 - repeatable, not secret
    target = dice.choice(made_of.targets)
    surface = dice.choice(target.surfaces)
    asked = Asked(
        model=target.model,
        turns=_turns(number, dice),
        stream=dice.random() < made_of.stream_share,
        max_tokens=dice.choice((150, 400, 1000)) if dice.random() < 0.5 else None,
        include_usage=dice.random() < 0.5,
    )
    path, body = written(surface, asked)
    leaves = not sound and dice.random() < made_of.leave_share
    faults: list[NamedFault] = []
    if not sound and made_of.groups and dice.random() < made_of.fault_share:
        faults = [_fault(dice, made_of.groups, asked.stream) for _ in range(dice.choice((1, 1, 1, 2, 3)))]
    scripts = [_script(dice, fault, made_of.bill) for fault in faults]
    if not scripts or dice.random() < 0.7:
        scripts.append(_script(dice, None, made_of.bill))
    if target.paced:
        scripts = [replace(script, gap_s=max(script.gap_s, 0.004)) for script in scripts]
    return Planned(
        number=number,
        surface=surface,
        path=path,
        body=body,
        leave=_leave(dice) if leaves else None,
        scripts=tuple(scripts),
        faults=tuple([fault.name for fault in faults]),
    )


def _turns(number: int, dice: random.Random) -> tuple[Turn, ...]:
    mark = f" [#{number}]"
    first = words(dice, dice.randint(500, 2500))
    if dice.random() < 0.4:
        return ("user", first), ("assistant", words(dice, 60)), ("user", f"And then?{mark}")
    return (("user", first + mark),)


def _leave(dice: random.Random) -> Leave:
    if dice.random() < 0.4:
        return Leave(after_s=dice.uniform(0.0, 0.15), reset=dice.random() < 0.5)
    return Leave(after_bytes=dice.randint(1, 3000), reset=dice.random() < 0.5)


def _fault(dice: random.Random, groups: Sequence[Group], stream: bool) -> NamedFault:
    """A kind first, so that rare kinds are met as often as those with many faults."""
    group = dice.choice([group for group in groups if stream or group != "stream"] or list(groups))
    rare = dice.random()
    heavy, waits = rare < HEAVY_SHARE, HEAVY_SHARE <= rare < HEAVY_SHARE + WAITING_SHARE
    among = [fault for fault in FAULTS.values() if fault.group == group]
    chosen = [fault for fault in among if (fault.heavy, fault.waits) == (heavy, waits)]
    return dice.choice(chosen or [fault for fault in among if not fault.heavy and not fault.waits])


def _script(dice: random.Random, fault: NamedFault | None, bill: Bill) -> Script:
    sound = Script(
        text=words(dice, dice.randint(40, 140)),
        gap_s=dice.choice((0.0, 0.001, 0.004)),
        ttft_s=dice.choice((0.0, 0.02, 0.1)),
        cached_tokens=dice.choice((0, 0, 12)),
        cache_write_5m_tokens=dice.choice((0, 0, 7)),
        reasoning_tokens=dice.choice((0, 0, 0, 25)) if fault is None and bill != "full" else 0,
        fault_after=dice.randint(10, 35),
        bill=bill,
    )
    if fault is None:
        return sound
    wanted = fault.script
    return replace(
        sound,
        status=wanted.status,
        retry_after=wanted.retry_after,
        headers=wanted.headers,
        error_code=wanted.error_code,
        fault=wanted.fault,
        usage_fault=wanted.usage_fault,
        response_id=wanted.response_id,
    )


class Provided:
    """Chooses each attempt's script by the number in its prompt."""

    def __init__(self, traffic: Sequence[Planned]) -> None:
        self._scripts = {str(one.number): one.scripts for one in traffic}
        self._tries: dict[str, int] = defaultdict(int)

    def __call__(self, request: ProviderRequest) -> Script:
        match = MARK.search(json.dumps(request.raw_body))
        if match is None:
            return Script()  # somebody else's request: answered, and counted
        scripts = self._scripts[match.group(1)]
        tried = self._tries[match.group(1)]
        self._tries[match.group(1)] += 1
        return scripts[min(tried, len(scripts) - 1)]


def nothing() -> None:
    """Nobody wants to know."""


async def drive(
    urls: str | Sequence[str],
    traffic: Sequence[Planned],
    *,
    over_s: float = 0.0,
    key: str = "any",
    tags: Sequence[str] = (),
    at_once: int = 1_000,
    timeout_s: float = 90.0,
    advance: Callable[[], None] = nothing,
) -> list[Seen]:
    """Send all of it, at most `at_once` together, or spread evenly over some seconds; to several gateways in turn.
    `advance` is called for each that is over."""
    addresses = [urls] if isinstance(urls, str) else list(urls)
    room = asyncio.Semaphore(at_once)

    async def one(place: int, request: Planned) -> Seen:
        await asyncio.sleep(over_s * place / max(1, len(traffic)))
        headers = {"x-bascule-tag": ",".join([f"n={request.number}", *tags]), "authorization": f"Bearer {key}"}
        url = addresses[place % len(addresses)]
        async with room:
            seen = await post(url, request.path, request.body, headers, leave=request.leave, timeout_s=timeout_s)
        advance()
        return seen

    return await asyncio.gather(*(one(place, request) for place, request in enumerate(traffic)))
