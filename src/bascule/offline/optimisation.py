"""What optimisations save together, without counting anything twice. Pure and exact.

Each acts on a share of its own: an answer from a cache of ours (`response_cache`, `semantic_cache`) removes calls;
`routing` sends a share of those that are left to another model; `prompt_cache` prices a share of their input tokens at
the provider's multiples for reading and writing its cache; `batch` discounts the share that can wait. The shares are
taken to be independent of each other, so factors multiply, and the order in which the optimisations are written down
cannot matter. `saves` states a share of the bill instead, as somebody else has published it.

The bill is linear in each share, so the ends of a range lie at ends of the shares: all corners are tried.
What each contributes to the sum is its Shapley value (L. S. Shapley, A value for n-person games, 1953): its saving
averaged over all orders in which they might be introduced. Parts sum to the whole; what each saves alone does not.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import factorial
from typing import Literal, get_args

from msgspec import Struct

from bascule.model.errors import BasculeError
from bascule.offline.quantity import ENDS, ZERO, End, Span
from bascule.offline.workloads import ModelPrice, PriceOf, Workload, call_tokens, call_usd, model_of, rate, usd_per_call

Kind = Literal["response_cache", "semantic_cache", "routing", "prompt_cache", "batch"]
KINDS: tuple[Kind, ...] = get_args(Kind)
BATCH_DISCOUNT = Fraction(1, 2)
"""What providers' batch interfaces take off."""
MOST = 10
"""Optimisations, and shares that are ranges: work doubles with each."""


class Optimisation(Struct, frozen=True, kw_only=True):
    kind: Kind
    share: Span | None = None
    """Of calls; with `prompt_cache` of the input tokens, those that are read from the cache."""
    saves: Span | None = None
    """Stated share of the bill, instead of `share`."""
    to: str | None = None
    """With `routing`: the model."""
    write_share: Span = ZERO
    """With `prompt_cache`: the input tokens that are written to the cache."""
    read: Fraction | None = None
    """With `prompt_cache`: price of reading as a multiple of the input price; None takes the model's own price."""
    write: Fraction | None = None
    discount: Fraction = BATCH_DISCOUNT
    tasks: tuple[str, ...] = ()
    """On which it acts; none named: on all."""

    @property
    def name(self) -> str:
        return self.kind if self.to is None else f"{self.kind} to {self.to}"


class Fixed(Struct, frozen=True):
    """An optimisation with its shares decided."""

    of: Optimisation
    share: Fraction
    write_share: Fraction


class Part(Struct, frozen=True, kw_only=True):
    """What one optimisation contributes, in dollars a month."""

    of: Optimisation
    alone_usd: Fraction
    """Its saving if it were the only one."""
    part_usd: Fraction
    """Its part of the saving of all; parts sum to it."""


class Case(Struct, frozen=True, kw_only=True):
    """One end of the range: the lowest bill or the highest."""

    before_usd: Fraction
    after_usd: Fraction
    parts: tuple[Part, ...]

    @property
    def saving(self) -> Fraction | None:
        """As a share of the bill before."""
        return 1 - self.after_usd / self.before_usd if self.before_usd else None


class Combined(Struct, frozen=True):
    low: Case
    high: Case

    @property
    def exact(self) -> bool:
        return self.low == self.high


def combine(workloads: Sequence[Workload], optimisations: Sequence[Optimisation], price_of: PriceOf) -> Combined:
    """The bill with all optimisations at its lowest and its highest, and what each contributes there.

    Raises BasculeError where shares overlap (more than all calls routed), where there are too many of them, or where a
    price that matters is not known.
    """
    _check(optimisations)
    splits = (Fraction(0), Fraction(1)) if any(one.unsplit for one in workloads) else (Fraction(0),)
    found: dict[End, Case] = {}
    for end in ENDS:
        tried = [
            (_bill(workloads, corner, end, split, price_of), index, split)
            for split in splits
            for index, corner in enumerate(_corners(optimisations))
        ]
        _, index, split = min(tried) if end == "low" else max(tried)
        found[end] = _case(workloads, list(_corners(optimisations))[index], end, split, price_of)
    return Combined(found["low"], found["high"])


def optimised_usd(
    workload: Workload, fixed: Sequence[Fixed], end: End, output_cost_share: Fraction, price_of: PriceOf
) -> Fraction:
    """Dollars a month of one task under optimisations with decided shares."""
    calls = workload.calls.at(end)
    factor = Fraction(1)
    caches: list[Fixed] = []
    routed: list[Fixed] = []
    for one in fixed:
        if one.of.tasks and workload.task not in one.of.tasks:
            continue
        if one.of.saves is not None:
            factor *= 1 - one.share
        elif one.of.kind == "routing":
            routed.append(one)
        elif one.of.kind == "prompt_cache":
            caches.append(one)
        elif one.of.kind == "batch":
            factor *= 1 - one.share * one.of.discount
        else:
            calls *= 1 - one.share

    def on(model: str | None) -> Fraction:
        return _call(workload, model, caches, end, output_cost_share, price_of)

    per_call = on(None) * (1 - sum([one.share for one in routed]))
    per_call += sum([on(one.of.to) * one.share for one in routed])
    return calls * per_call * factor


def _call(
    workload: Workload,
    model: str | None,
    caches: Sequence[Fixed],
    end: End,
    output_cost_share: Fraction,
    price_of: PriceOf,
) -> Fraction:
    """Dollars of one call on its own model (None) or another, with the provider's cache."""
    if not caches and model in (None, workload.model):
        return usd_per_call(workload, price_of).at(end)
    tokens_in, tokens_out = call_tokens(workload, end, output_cost_share, price_of)
    price = price_of(model or model_of(workload), workload.priced_as(tokens_in))
    multiple = Fraction(1)
    for one in caches:
        if one.share:
            multiple += one.share * (_multiple(price, one.of.read, "cache_read") - 1)
        if one.write_share:
            multiple += one.write_share * (_multiple(price, one.of.write, "cache_write") - 1)
    return call_usd(price, tokens_in * multiple, tokens_out)


def _multiple(price: ModelPrice, stated: Fraction | None, name: str) -> Fraction:
    """The price of a cached input token as a multiple of a plain one. Raises BasculeError where neither is known."""
    if stated is not None:
        return stated
    if getattr(price, name) is None:
        word = name.removeprefix("cache_")
        raise BasculeError(
            f"what {price.model!r} charges for a cache {word} is not known; give `{word}` as a multiple of its input "
            f"price, or `{name}` under `prices`"
        )
    plain = rate(price, "input")
    return rate(price, name) / plain if plain else Fraction(1)


def _bill(
    workloads: Sequence[Workload], fixed: Sequence[Fixed], end: End, output_cost_share: Fraction, price_of: PriceOf
) -> Fraction:
    costs = [optimised_usd(one, fixed, end, output_cost_share, price_of) for one in workloads]
    return sum(costs, Fraction(0))


def _corners(optimisations: Sequence[Optimisation]) -> Iterator[tuple[Fixed, ...]]:
    """Every way to take each share that is a range at one of its ends."""
    choices = [
        [Fixed(one, share, written) for share in _share(one).ends for written in one.write_share.ends]
        for one in optimisations
    ]
    return product(*choices)


def _share(one: Optimisation) -> Span:
    share = one.share if one.saves is None else one.saves
    assert share is not None  # `_check` has looked
    return share


def _case(
    workloads: Sequence[Workload],
    fixed: Sequence[Fixed],
    end: End,
    output_cost_share: Fraction,
    price_of: PriceOf,
) -> Case:
    """The bill at one corner, and the Shapley value of each optimisation there."""
    count = len(fixed)
    bills = [
        _bill(workloads, [one for bit, one in enumerate(fixed) if chosen >> bit & 1], end, output_cost_share, price_of)
        for chosen in range(1 << count)
    ]
    weights = [Fraction(factorial(size) * factorial(count - size - 1), factorial(count)) for size in range(count)]
    parts = []
    for bit, one in enumerate(fixed):
        without = [chosen for chosen in range(1 << count) if not chosen >> bit & 1]
        part = sum([weights[chosen.bit_count()] * (bills[chosen] - bills[chosen | 1 << bit]) for chosen in without])
        parts.append(Part(of=one.of, alone_usd=bills[0] - bills[1 << bit], part_usd=Fraction(part)))
    return Case(before_usd=bills[0], after_usd=bills[-1], parts=tuple(parts))


def mistake(one: Optimisation) -> tuple[str, str] | None:
    """What is wrong with an optimisation by itself and how to mend it, or None."""
    if (one.share is None) == (one.saves is None):
        return "has not one of `share` and `saves`", "Give `share`, what it acts on, or `saves`, a stated saving"
    if one.kind == "routing" and one.saves is None and one.to is None:
        return "says not where calls are routed", "Name the model: `to: …`"
    if one.kind != "routing" and one.to is not None:
        return "routes nothing", "Leave out `to`, or make it `routing`"
    if _share(one).low < 0 or one.write_share.low < 0 or not 0 <= one.discount <= 1:
        return "has a share below 0 or a discount that is none", "Write shares and discounts from 0 to 1"
    if _share(one).high + one.write_share.high > 1:
        return "has shares of more than 1 together", "Write shares from 0 to 1; those read and written are disjoint"
    return None


def _check(optimisations: Sequence[Optimisation]) -> None:
    """Raises BasculeError."""
    for one in optimisations:
        wrong = mistake(one)
        if wrong is not None:
            raise BasculeError(f"{one.name} {wrong[0]}. {wrong[1]}")
    ranged = sum([len(_share(one).ends) + len(one.write_share.ends) - 2 for one in optimisations])
    if len(optimisations) > MOST or ranged > MOST:
        raise BasculeError(f"at most {MOST} optimisations with {MOST} ranges can be combined: leave some out")
    for kind in ("routing", "prompt_cache"):
        same = [one for one in optimisations if one.kind == kind and one.saves is None]
        for task in {task for one in same for task in one.tasks} or {""}:
            acting = [one for one in same if not one.tasks or task in one.tasks]
            if sum([_share(one).high + one.write_share.high for one in acting]) > 1:
                raise BasculeError(f"{kind}: the shares of {task or 'all tasks'} sum to more than 1; they are disjoint")
