"""Total cost of ownership: nine heads of which tokens are one, by year, from assumptions that are ranges. Pure, exact.

An item costs, in year y counted from 1: usd x times x 12 (per month) or 1 (per year) x (1 + growth)^(y-1) x
(1 + price_change)^(y-1), from `from_year` on; one that falls due once costs usd x times in that year. `times` may be
several factors. Each term is a number or an assumption by name. Nothing is discounted. Costs rise with every term, so
that all assumptions at their low ends give the least total and all at their high ends the most.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from bascule.offline.tornado import Assumption, Bar, Values, base_values, tornado

HEADS: Mapping[str, str] = {
    "tokens": "tokens",
    "redundancy": "redundancy and reliability",
    "orchestration": "orchestration and platform",
    "security": "security and compliance",
    "integration": "integration and customisation",
    "people": "people",
    "oversight": "oversight and review",
    "governance": "data governance",
    "switching": "switching",
}
"""Key in a file, and name."""

Per = Literal["month", "year", "once"]
Term = Fraction | str
"""A number, or the name of an assumption."""
Case = Literal["low", "base", "high"]
CASES: tuple[Case, Case, Case] = ("low", "base", "high")


class Item(Struct, frozen=True, kw_only=True):
    head: str
    item: str
    usd: Term
    per: Per = "month"
    times: tuple[Term, ...] = ()
    """Factors, e.g. a volume and a share of it."""
    growth: Term = Fraction(0)
    price_change: Term = Fraction(0)
    from_year: int = 1

    @property
    def terms(self) -> tuple[Term, ...]:
        return self.usd, *self.times, self.growth, self.price_change


class Choice(Struct, frozen=True, kw_only=True):
    """One way to get the work done: build, buy, route, …"""

    name: str
    title: str
    items: tuple[Item, ...]

    @property
    def missing_heads(self) -> tuple[str, ...]:
        """About which nothing is assumed: unknown, not free."""
        return tuple([head for head in HEADS if all(item.head != head for item in self.items)])


class Tco(Struct, frozen=True, kw_only=True):
    years: int
    assumptions: tuple[Assumption, ...]
    choices: tuple[Choice, ...]

    def choice(self, name: str) -> Choice | None:
        return next((one for one in self.choices if one.name == name), None)

    def used_by(self, choice: Choice) -> tuple[Assumption, ...]:
        named = {term for item in choice.items for term in item.terms if isinstance(term, str)}
        return tuple([one for one in self.assumptions if one.name in named])

    def values(self, case: Case) -> dict[str, Fraction]:
        return {one.name: getattr(one, case) for one in self.assumptions}


class Decisive(Struct, frozen=True, kw_only=True):
    """An assumption on which it hangs which choice is cheapest, all others at their base."""

    assumption: Assumption
    at_low: str
    at_high: str


def item_usd(item: Item, year: int, values: Values) -> Fraction:
    if year < item.from_year or (item.per == "once" and year > item.from_year):
        return Fraction(0)
    usd, *times, growth, price_change = [values[term] if isinstance(term, str) else term for term in item.terms]
    for factor in times:
        usd *= factor
    if item.per == "once":
        return usd
    return usd * (12 if item.per == "month" else 1) * ((1 + growth) * (1 + price_change)) ** (year - 1)


def head_usd(choice: Choice, head: str, years: Sequence[int], values: Values) -> Fraction:
    items = [item for item in choice.items if item.head == head]
    return sum([item_usd(item, year, values) for item in items for year in years], Fraction(0))


def total_usd(choice: Choice, years: int, values: Values) -> Fraction:
    return sum([item_usd(item, year, values) for item in choice.items for year in range(1, years + 1)], Fraction(0))


def token_share(tco: Tco, choice: Choice, case: Case) -> Fraction | None:
    """Of the total; None where the total is nothing, or nothing is assumed about tokens."""
    values = tco.values(case)
    total = total_usd(choice, tco.years, values)
    if not total or "tokens" in choice.missing_heads:
        return None
    return head_usd(choice, "tokens", range(1, tco.years + 1), values) / total


def choice_tornado(tco: Tco, choice: Choice) -> tuple[Bar, ...]:
    return tornado(tco.used_by(choice), lambda values: total_usd(choice, tco.years, values))


def cheapest(tco: Tco, choices: Sequence[Choice], values: Values) -> str:
    """The name of the first of the cheapest."""
    return min(choices, key=lambda one: total_usd(one, tco.years, values)).name


def decisive(tco: Tco, choices: Sequence[Choice]) -> tuple[Decisive, ...]:
    """Assumptions at one of whose ends another choice is cheapest than at their base."""
    base = base_values(tco.assumptions)
    usual = cheapest(tco, choices, base)
    found = []
    for one in tco.assumptions:
        ends = [cheapest(tco, choices, {**base, one.name: end}) for end in (one.low, one.high)]
        if ends != [usual, usual]:
            found.append(Decisive(assumption=one, at_low=ends[0], at_high=ends[1]))
    return tuple(found)
