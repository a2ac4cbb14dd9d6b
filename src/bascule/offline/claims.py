"""What follows from a published claim's own inputs, beside what it says. Pure.

Nothing here corrects an article by outside knowledge: a fold is the ratio of the two prices that the claim gives, a
yearly fold takes the dates that it gives, and what a price is the price *of* is looked up in the same file's tables.
"""

import math
import re
from decimal import Decimal

from msgspec import Struct

from bascule.prices.calendar import Span, span_between
from bascule.prices.published import CATALOG_YEAR, Claim, ListedModel, PriceAt, Published

_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_NUMBER = r"[0-9][0-9,]*(?:\.[0-9]+)?"
_FOLD = re.compile(rf"(over |more than |up to |about )?(?:({_NUMBER}) to )?({_NUMBER})(?:x\b|-fold| times)")
_LENGTH = re.compile(rf"(?:in |over |within )(about )?({_NUMBER}|{'|'.join(_WORDS)}) (month|year)s?\b")
_ABOUT = 0.1
"""`about 18 months` may be off by a tenth."""


class Said(Struct, frozen=True, kw_only=True):
    """A fold in an article's words: exactly, about, at least, at most, or within a range."""

    text: str
    low: float | None
    high: float | None

    def admits(self, fold: float) -> bool:
        return (self.low is None or fold >= self.low) and (self.high is None or fold <= self.high)


class Judged(Struct, frozen=True, kw_only=True):
    """A claim worked out. Folds are how many times cheaper; None where the inputs do not say."""

    claim: Claim
    folds: dict[str, float]
    """`fold`, or `input_fold` and `output_fold`."""
    span: Span | None = None
    per_year: float | None = None
    per_year_low: float | None = None
    per_year_high: float | None = None
    """The bounds that bare years leave; None where the dates are months or days."""
    like_for_like: dict[str, float] = {}
    """The same comparison, input with input and output with output."""
    differences: tuple[str, ...] = ()
    """Each way in which what is published does not follow, or compares what is not alike."""
    not_computed: str | None = None


def judge(claim: Claim, published: Published) -> Judged:
    """What the claim's inputs give, and where its words differ from that."""
    if claim.start is not None and claim.end is not None:
        return _over_time(claim, claim.start, claim.end, published)
    if claim.dearest is not None and claim.cheapest is not None:
        return _spread(claim, claim.dearest, claim.cheapest, published)
    if " against " in claim.what:
        return _pair(claim, published)
    why = "a list of others' rates" if claim.rates else "the file gives no inputs for it"
    return Judged(claim=claim, folds={}, not_computed=why)


def said_folds(published: object) -> tuple[Said, ...]:
    """The folds that a text names."""
    if not isinstance(published, str):
        return ()
    found = []
    for match in _FOLD.finditer(published):
        hedge, first, last = (match[1] or "").strip(), match[2], match[3]
        value, half = _value(last), _half_unit(last)
        low: float | None = value - half
        high: float | None = value + half
        if first is not None:
            low = _value(first) - _half_unit(first)
        elif hedge in ("over", "more than"):
            low, high = value, None
        elif hedge == "up to":
            low, high = None, value + half
        elif hedge == "about":
            low, high = value * (1 - _ABOUT), value * (1 + _ABOUT)
        found.append(Said(text=match[0].strip(), low=low, high=high))
    return tuple(found)


def said_months(published: object) -> tuple[float, bool] | None:
    """The length of time that a text names, in months, and whether it only says `about`."""
    match = _LENGTH.search(published) if isinstance(published, str) else None
    if match is None:
        return None
    count = float(_WORDS[match[2]]) if match[2] in _WORDS else _value(match[2])
    return count * (12 if match[3] == "year" else 1), match[1] is not None


def yearly(fold: float, months: float) -> float | None:
    """The fold of one year of a fold over so many months; None where there is no time between."""
    return math.pow(fold, 12 / months) if months > 0 else None


def _over_time(claim: Claim, start: PriceAt, end: PriceAt, published: Published) -> Judged:
    fold = float(start.price / end.price)
    span = span_between(start.date, end.date)
    per_year = yearly(fold, span.months)
    differences = [*_fold_differences(claim, {"fold": fold}), *_stated_differences(claim, fold, span.months, per_year)]
    if span.months <= 0:
        differences.append("its dates do not follow each other, so no yearly rate follows")
    said = said_months(claim.published)
    if said is not None and per_year is not None and not _same_months(said, span):
        words = yearly(fold, said[0])
        differences.append(
            f"its own dates are {_short(span.months)} months apart, not {_short(said[0])}: {_short(per_year)}x a year, "
            f"where {_short(said[0])} months would make it {_short(words or 0)}x"
        )
    alike, unlike = _like_for_like(claim, start, end, published)
    bounds = sorted([rate for months in (span.least, span.most) if (rate := yearly(fold, months)) is not None])
    return Judged(
        claim=claim,
        folds={"fold": fold},
        span=span,
        per_year=per_year,
        per_year_low=bounds[0] if len(bounds) == 2 and span.least != span.most else None,
        per_year_high=bounds[1] if len(bounds) == 2 and span.least != span.most else None,
        like_for_like=alike,
        differences=(*differences, *unlike),
    )


def _spread(claim: Claim, dearest: Decimal, cheapest: Decimal, published: Published) -> Judged:
    fold = float(dearest / cheapest)
    differences = [*_fold_differences(claim, {"fold": fold}), *_stated_differences(claim, fold, None, None)]
    top = max(published.catalog, key=lambda one: one.input, default=None)
    if top is not None and _usd(top.input) > dearest:
        wider = float(_usd(top.input) / cheapest)
        differences.append(f"the same file lists {top.model} at {_usd(top.input):.2f} input: {_short(wider)}x with it")
    return Judged(claim=claim, folds={"fold": fold}, differences=tuple(differences))


def _pair(claim: Claim, published: Published) -> Judged:
    by_name = {one.model: one for one in published.catalog}
    cheap_name, dear_name = [name.strip() for name in claim.what.split(" against ", 1)]
    cheap, dear = by_name.get(cheap_name), by_name.get(dear_name)
    if cheap is None or dear is None:
        missing = cheap_name if cheap is None else dear_name
        return Judged(claim=claim, folds={}, not_computed=f"the file's catalog has no {missing!r}")
    folds = {"input_fold": dear.input / cheap.input}
    if dear.output is not None and cheap.output is not None:
        folds["output_fold"] = dear.output / cheap.output
    differences = list(_fold_differences(claim, folds))
    for name, stated in claim.computed.items():
        if name in folds and not _rounds_to(folds[name], stated):
            differences.append(f"the file says {name} {stated}, its prices give {_short(folds[name])}")
    return Judged(claim=claim, folds=folds, differences=tuple(differences))


def _fold_differences(claim: Claim, folds: dict[str, float]) -> list[str]:
    found = []
    for said in said_folds(claim.published):
        outside = [f"{_side(name)}{_short(fold)}x" for name, fold in folds.items() if not said.admits(fold)]
        if outside:
            found.append(f"published {said.text!r}, its inputs give {' and '.join(outside)}")
    return found


def _stated_differences(claim: Claim, fold: float, months: float | None, per_year: float | None) -> list[str]:
    ours = {"fold": fold, "months": months, "per_year": per_year}
    return [
        f"the file says {name} {stated}, its inputs give {_short(value)}"
        for name, stated in claim.computed.items()
        if (value := ours.get(name)) is not None and not _rounds_to(value, stated)
    ]


def _like_for_like(
    claim: Claim, start: PriceAt, end: PriceAt, published: Published
) -> tuple[dict[str, float], list[str]]:
    """Whether both prices are of the same side (input or output), by the file's own tables."""
    first = _owner(claim, start, published)
    last = _owner(claim, end, published)
    if first is None or last is None or first[1] == last[1]:
        return {}, []
    (before, before_side), (after, after_side) = first, last
    alike = {"input_fold": before.input / after.input}
    if before.output is not None and after.output is not None:
        alike["output_fold"] = before.output / after.output
    told = "; ".join([f"{side.removesuffix('_fold')} with {side.removesuffix('_fold')} "
                      f"{_usd_text(before, side)} to {_usd_text(after, side)}, {_short(fold)}x"
                      for side, fold in alike.items()])  # fmt: skip
    what = f"compares the {before_side} price of {before.model} with the {after_side} price of {after.model}; {told}"
    return alike, [what]


def _owner(claim: Claim, given: PriceAt, published: Published) -> tuple[ListedModel, str] | None:
    """The model that has this price in this year, and on which side. Where several do, the dearest of them for a
    claim about the dearest, else the cheapest."""
    rows = [ListedModel(model=p.model, input=p.input, output=p.output) for p in published.history
            if p.date.year == given.date.year]  # fmt: skip
    if given.date.year == CATALOG_YEAR:
        rows += published.catalog
    owners = [
        (row, side)
        for row in rows
        for side, rate in (("input", row.input), ("output", row.output))
        if rate is not None and _usd(rate) == given.price
    ]
    if not owners:
        return None
    dearest = "dearest" in claim.what.lower()
    return (max if dearest else min)(owners, key=lambda owner: owner[0].output or owner[0].input)


def _same_months(said: tuple[float, bool], span: Span) -> bool:
    months, about = said
    slack = months * _ABOUT if about else 0.5
    return span.least - slack <= months <= span.most + slack


def _rounds_to(value: float, stated: Decimal) -> bool:
    """Whether `value` is what `stated` says, to the places that it is written with."""
    places = -int(stated.as_tuple().exponent)
    return abs(value - float(stated)) <= 0.5 * 10.0**-places * (1 + 1e-9)


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _half_unit(text: str) -> float:
    """Half of the last place that a number is written with; of round ones (1,000; 280) that of their last digit."""
    _, _, fraction = text.partition(".")
    return 0.5 * 10.0 ** -len(fraction)


def _usd(rate: int) -> Decimal:
    return Decimal(rate).scaleb(-6)


def _usd_text(model: ListedModel, side: str) -> str:
    rate = model.input if side == "input_fold" else model.output
    return "unknown" if rate is None else f"{_usd(rate):.2f}"


def _side(name: str) -> str:
    return f"{name.removesuffix('_fold')} " if name != "fold" else ""


def _short(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")
