"""Assumptions of a total cost of ownership from YAML, with everything that is wrong with them by line and remedy."""

from fractions import Fraction

from msgspec import Struct

from bascule.config.decode import decode
from bascule.config.document import parse
from bascule.config.places import Path as Place
from bascule.config.places import Places
from bascule.config.scalars import Number, Unreadable, number
from bascule.config.suggest import nearest
from bascule.model.errors import ConfigError, Problem
from bascule.offline.tco import HEADS, Choice, Item, Per, Tco, Term
from bascule.offline.tornado import Assumption

NO_SOURCE = "assumption, no source"
"""What stands as the source of what somebody has only assumed."""
MOST_YEARS = 30
_LEAST = {"usd": 0, "times": 0, "growth": -1, "price_change": -1}


class SpreadShape(Struct, frozen=True, kw_only=True):
    low: Number
    base: Number
    high: Number
    source: str | None = None


TermShape = str | SpreadShape
"""A number, the name of a shared assumption, or one of its own."""


class ItemShape(Struct, frozen=True, kw_only=True):
    item: str
    usd: TermShape
    per: Per = "month"
    times: str | tuple[str, ...] | SpreadShape = ()
    """One factor or several."""
    growth: TermShape = "0"
    price_change: TermShape = "0"
    from_year: int = 1
    source: str | None = None


Items = tuple[ItemShape, ...]


class ChoiceShape(Struct, frozen=True, kw_only=True):
    title: str | None = None
    tokens: Items = ()
    redundancy: Items = ()
    orchestration: Items = ()
    security: Items = ()
    integration: Items = ()
    people: Items = ()
    oversight: Items = ()
    governance: Items = ()
    switching: Items = ()


class TcoShape(Struct, frozen=True, kw_only=True):
    years: int = 3
    assumptions: dict[str, SpreadShape] = {}
    """Shared by name."""
    options: dict[str, ChoiceShape] = {}


def read_tco(text: str, file: str) -> Tco:
    """Raises ConfigError with every mistake, each with its place and its remedy."""
    places = Places(file)
    node, syntax = parse(text, file)
    shape, problems = decode(node, TcoShape, places)
    reader = _Reader(shape, places)
    found = reader.tco()
    problems = (*syntax, *problems, *reader.problems)
    if not problems and not found.choices:
        mend = "Add `options: {buy: {tokens: [...]}}`; `bascule tco --example` prints a whole file"
        problems = (Problem(file, "has no options to cost", mend),)
    if problems:
        raise ConfigError(problems)
    return found


class _Reader:
    def __init__(self, shape: TcoShape, places: Places) -> None:
        self.shape = shape
        self.places = places
        self.problems: list[Problem] = []
        self.assumptions: dict[str, Assumption] = {}

    def wrong(self, place: Place, what: str, mend: str) -> None:
        self.problems.append(self.places.problem(place, what, mend))

    def tco(self) -> Tco:
        if not 1 <= self.shape.years <= MOST_YEARS:
            self.wrong(("years",), f"`years` is {self.shape.years}", f"Write a whole number from 1 to {MOST_YEARS}")
        for name, spread in self.shape.assumptions.items():
            self.spread(spread, name, ("assumptions", name), None, -1)
        choices = [
            Choice(name=name, title=choice.title or name, items=tuple(self.items(name, choice)))
            for name, choice in self.shape.options.items()
        ]
        return Tco(years=self.shape.years, assumptions=tuple(self.assumptions.values()), choices=tuple(choices))

    def items(self, name: str, choice: ChoiceShape) -> list[Item]:
        found = []
        for head in HEADS:
            shapes: Items = getattr(choice, head)
            for index, shape in enumerate(shapes):
                place: Place = ("options", name, head, index)
                called = f"{name}, {shape.item}"
                terms = {
                    field: self.term(getattr(shape, field), field, f"{called}: {field}", (*place, field), shape.source)
                    for field in ("usd", "growth", "price_change")
                }
                factors = shape.times if isinstance(shape.times, tuple) else (shape.times,)
                times = [
                    self.term(factor, "times", f"{called}: times", (*place, "times"), shape.source)
                    for factor in factors
                ]
                if shape.source is None and self.states_numbers(shape):
                    self.wrong(place, f"`{shape.item}` has no source", f'Add `source: …`, or `source: "{NO_SOURCE}"`')
                if shape.from_year < 1:
                    self.wrong((*place, "from_year"), "`from_year` is before the first year", "Count years from 1")
                found.append(
                    Item(
                        head=head,
                        item=shape.item,
                        per=shape.per,
                        from_year=shape.from_year,
                        times=tuple(times),
                        **terms,
                    )
                )
        return found

    def states_numbers(self, shape: ItemShape) -> bool:
        """Plain numbers beside what holds where nothing is said: they come from somewhere too."""
        factors = shape.times if isinstance(shape.times, tuple) else (shape.times,)
        changes = [term for term in (shape.growth, shape.price_change) if term != "0"]
        return any(isinstance(term, str) and not self.is_name(term) for term in (shape.usd, *factors, *changes))

    def is_name(self, term: TermShape) -> bool:
        return isinstance(term, str) and term in self.shape.assumptions

    def term(self, term: TermShape, field: str, name: str, where: Place, source: str | None) -> Term:
        if isinstance(term, SpreadShape):
            self.spread(term, name, where, source, _LEAST[field])
            return name
        if self.is_name(term):
            if term in self.assumptions and self.assumptions[term].low < _LEAST[field]:
                self.wrong(where, f"`{term}` may fall below {_LEAST[field]}, as `{field}` must not", "Raise its `low`")
            return term
        try:
            value = Fraction(number(term))
        except Unreadable:
            near = nearest(term, self.shape.assumptions)
            mend = (
                f"Did you mean `{near}`?" if near else "Write a number, {low, base, high, source}, or a name of those"
            )
            self.wrong(where, f"`{term}` is neither a number nor one of the `assumptions`", mend)
            return Fraction(0)
        if value < _LEAST[field]:
            self.wrong(where, f"`{field}` is below {_LEAST[field]}", f"Write a number from {_LEAST[field]} up")
        return value

    def spread(self, spread: SpreadShape, name: str, place: Place, source: str | None, least: int) -> None:
        made = Assumption(
            name=name,
            low=Fraction(spread.low),
            base=Fraction(spread.base),
            high=Fraction(spread.high),
            source=spread.source or source or "",
        )
        if not made.low <= made.base <= made.high:
            self.wrong(place, f"`{name}` is not in order", "Write low, base and high from the least to the most")
        if made.low < least:
            self.wrong((*place, "low"), f"`{name}` goes below {least}", f"Write numbers from {least} up")
        if not made.source.strip():
            mend = f'Say where it is from: `source: …`, or `source: "{NO_SOURCE}"`'
            self.wrong(place, f"`{name}` has no source", mend)
        if name in self.assumptions:
            self.wrong(place, f"`{name}` stands there twice", "Give one of the two items another name")
        self.assumptions[name] = made
