"""Pairs of months whose difference has known causes: what a bridge between two bills must find again.

A month is made from a few numbers (`World`); a cause is a change of one of them. Which part of the difference each
cause has is found without any formula: the second month is made again with every subset of the causes, and a cause's
part is its mean effect over all orders in which the causes can happen (its Shapley value in that game). That is slow
and says nothing about how bills work inside, which is what makes it a second opinion.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import combinations
from math import factorial

from msgspec import Struct, structs

from bascule.decide.price import price_with
from bascule.model.money import Rates
from bascule.model.row import AttemptRow
from bascule.model.usage import Usage

USD_PER_MTOK = 1_000_000
"""In pico-USD per token."""


class World(Struct, frozen=True, kw_only=True):
    """What makes a month's bill. Every session uses every model, in the proportions of `mix`."""

    users: int
    sessions_per_user: int
    tokens_in: int
    """Billed input of a session, on the mean; sessions differ by a factor of some twenty."""
    tokens_out: int
    mix: dict[str, int]
    """Per mille of a session's tokens that go to each model; 0 is a model not used."""
    cached: dict[str, int]
    """Per mille of a model's billed input that is read from the cache."""
    written: int
    """Per mille of billed input that is written to the cache."""
    rates: dict[str, Rates]
    wasted: int
    """Per mille of an attempt's tokens that were paid a first time, for an attempt that failed."""
    unpriced: tuple[str, ...] = ()
    """Models whose price nobody has told: their attempts have tokens and no cost."""
    adjusted_nanousd: int
    """An invoice's correction, of no particular request's making."""


class Pair(Struct, frozen=True, kw_only=True):
    """Two months and why they differ."""

    name: str
    before: World
    causes: dict[str, dict[str, object]]
    """By cause (named as a bridge names it): which fields of the world it changes, to what."""

    def after(self, causes: frozenset[str] | None = None) -> World:
        """The second month's world, with all causes or with some."""
        world = self.before
        for name, changes in self.causes.items():
            if causes is None or name in causes:
                world = structs.replace(world, **changes)
        return world

    def parts(self) -> dict[str, float]:
        """Nano-USD of the difference that each cause is answerable for."""
        names = sorted(self.causes)
        bills = {
            frozenset(chosen): sum(row.cost_nanousd or 0 for row in rows(self.after(frozenset(chosen)), 2026, 10))
            for size in range(len(names) + 1)
            for chosen in combinations(names, size)
        }
        return {name: _shapley(name, names, bills) for name in names}


def _shapley(name: str, names: list[str], bills: Mapping[frozenset[str], int]) -> float:
    found = 0.0
    for chosen, bill in bills.items():
        if name not in chosen:
            share = factorial(len(chosen)) * factorial(len(names) - len(chosen) - 1) / factorial(len(names))
            found += share * (bills[chosen | {name}] - bill)
    return found


def rows(world: World, year: int, month: int) -> Iterator[AttemptRow]:
    """The month's ledger rows, every attempt priced and rounded as the ledger does."""
    start_ms = int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000)
    sessions = world.users * world.sessions_per_user
    for number, permille in enumerate(_sizes(sessions)):
        who = {
            "user": f"user-{number // world.sessions_per_user:03d}",
            "session_id": f"{year}-{month:02d}-session-{number:05d}",
            "ts_start_ms": start_ms + number * 2_000_000_000 // sessions,
        }
        for model, share in world.mix.items():
            if share:
                usage = _usage(world, model, permille * share)
                request = f"{who['session_id']}-{model}"
                rates = None if model in world.unpriced else world.rates[model]
                if world.wasted:
                    part = _part(usage, world.wasted)
                    yield _row(request, 1, model, part, rates, who, error_class="overloaded", status=529)
                yield _row(request, 2, model, usage, rates, who, status=200)
    if world.adjusted_nanousd:
        yield AttemptRow(
            kind="settle",
            attempt_id=f"{year}-{month:02d}-correction",
            request_id=f"{year}-{month:02d}-correction",
            session_id=f"{year}-{month:02d}-session-00000",
            user="user-000",
            attempt_no=1,
            ts_start_ms=start_ms,
            ts_end_ms=start_ms,
            cost_nanousd=world.adjusted_nanousd,
            adjusted_nanousd=world.adjusted_nanousd,
            usage_source="none",
            chain="",
        )


def _row(
    request: str,
    number: int,
    model: str,
    usage: Usage,
    rates: Rates | None,
    who: Mapping[str, object],
    **changes: object,
) -> AttemptRow:
    row = AttemptRow(
        kind="settle",
        attempt_id=f"{request}-{number}",
        request_id=request,
        attempt_no=number,
        model=model,
        provider="sim",
        ts_start_ms=0,
        usage_source="reported",
        tokens_in=usage.tokens_in,
        tokens_cache_read=usage.tokens_cache_read,
        tokens_cache_write_5m=usage.tokens_cache_write_5m,
        tokens_out=usage.tokens_out,
        cost_nanousd=None if rates is None else price_with(usage, rates),
        rates=rates,
        chain="",
    )
    return structs.replace(row, ts_end_ms=who["ts_start_ms"], **who, **changes)


def _usage(world: World, model: str, permyriad: int) -> Usage:
    """What a model consumes in a session of `permyriad` / 1,000,000 of the mean."""
    billed = world.tokens_in * permyriad // 1_000_000
    read, write = billed * world.cached[model] // 1000, billed * world.written // 1000
    return Usage(
        tokens_in=billed - read - write,
        tokens_cache_read=read,
        tokens_cache_write_5m=write,
        tokens_out=world.tokens_out * permyriad // 1_000_000,
        source="reported",
    )


def _part(usage: Usage, permille: int) -> Usage:
    return Usage(
        tokens_in=(usage.tokens_in or 0) * permille // 1000,
        tokens_cache_read=(usage.tokens_cache_read or 0) * permille // 1000,
        tokens_cache_write_5m=(usage.tokens_cache_write_5m or 0) * permille // 1000,
        tokens_out=(usage.tokens_out or 0) * permille // 1000,
        source="reported",
    )


def _sizes(sessions: int) -> list[int]:
    """Per mille of the mean session, each one's, heavy-tailed; they average 1000 however many there are."""
    raw = [0.08 + 1 / (1.2 - (place + 0.5) / sessions) for place in range(sessions)]
    scale = 1000 * sessions / sum(raw)
    sizes = [round(size * scale) for size in raw]
    sizes[-1] += 1000 * sessions - sum(sizes)
    random.Random(sessions).shuffle(sizes)  # noqa: S311 (the same months every time)
    return sizes


def pair(seed: int) -> Pair:
    """A pair of months with one to nine causes, the first nine seeds with one cause each."""
    dice = random.Random(f"bascule-months-{seed}")  # noqa: S311
    before = World(
        users=dice.randint(6, 14),
        sessions_per_user=dice.randint(3, 8),
        tokens_in=dice.randint(400_000, 1_500_000),
        tokens_out=dice.randint(30_000, 120_000),
        mix={"frontier": dice.randint(250, 450), "mid": 300, "small": 200, "new": 0},
        cached={"frontier": dice.randint(300, 500), "mid": dice.randint(200, 400), "small": 100, "new": 150},
        written=dice.randint(20, 80),
        rates={
            "frontier": _rates(15.0, 75.0, read=0.1, write=1.25),
            "mid": _rates(3.0, 15.0, read=0.1, write=1.25),
            "small": _rates(0.25, 2.0, read=0.25, write=1.0),
            "new": _rates(1.0, 4.0, read=0.5, write=1.0),
        },
        wasted=dice.randint(10, 60),
        adjusted_nanousd=-dice.randint(1, 9) * 1_000_000_000,
    )
    causes = _causes(before, dice)
    names = sorted(causes)
    chosen = [names[seed - 1]] if seed <= len(names) else dice.sample(names, dice.randint(2, len(names)))
    return Pair(
        name=f"{seed}: {', '.join(sorted(chosen))}", before=before, causes={name: causes[name] for name in chosen}
    )


def _causes(before: World, dice: random.Random) -> dict[str, dict[str, object]]:
    """Each a change large enough to matter, up or down."""
    down = dice.random() < 0.5
    frontier = before.rates["frontier"]
    cheaper = dice.uniform(0.5, 0.8) if down else dice.uniform(1.2, 1.6)
    moved = dice.randint(80, 200)
    return {
        "price": {"rates": before.rates | {"frontier": _scaled(frontier, cheaper)}},
        "users": {"users": before.users + dice.randint(2, 6) * (-1 if dice.random() < 0.3 else 1)},
        "sessions_per_user": {"sessions_per_user": before.sessions_per_user + dice.randint(1, 4)},
        "tokens_per_session": {
            "tokens_in": round(before.tokens_in * dice.uniform(1.3, 3.0)),
            "tokens_out": round(before.tokens_out * dice.uniform(0.8, 1.5)),
        },
        "model_mix": {"mix": before.mix | {"frontier": before.mix["frontier"] - moved, "new": moved}},
        "cache_share": {"cached": before.cached | {"frontier": dice.randint(600, 850), "mid": dice.randint(500, 700)}},
        "retries": {"wasted": before.wasted + dice.randint(100, 250)},
        "known_prices": {"unpriced": ("small",)},
        "residual": {"adjusted_nanousd": before.adjusted_nanousd + dice.randint(3, 30) * 1_000_000_000},
    }


def _rates(input_usd: float, output_usd: float, *, read: float, write: float) -> Rates:
    input_ = round(input_usd * USD_PER_MTOK)
    return Rates(
        input=input_,
        output=round(output_usd * USD_PER_MTOK),
        cache_read=round(input_ * read),
        cache_write_5m=round(input_ * write),
    )


def _scaled(rates: Rates, factor: float) -> Rates:
    return Rates(
        input=round((rates.input or 0) * factor),
        output=round((rates.output or 0) * factor),
        cache_read=round((rates.cache_read or 0) * factor),
        cache_write_5m=round((rates.cache_write_5m or 0) * factor),
    )
