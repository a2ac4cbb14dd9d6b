"""Which assumption moves a result most: each at its low and its high end in turn, all others at their base. Pure."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct

Values = Mapping[str, Fraction]
"""Assumptions by name."""


class Assumption(Struct, frozen=True, kw_only=True):
    name: str
    low: Fraction
    base: Fraction
    high: Fraction
    source: str

    @property
    def known(self) -> bool:
        """Not a range at all."""
        return self.low == self.high


class Bar(Struct, frozen=True, kw_only=True):
    """The result with one assumption at either end."""

    assumption: Assumption
    at_low: Fraction
    at_high: Fraction

    @property
    def swing(self) -> Fraction:
        return abs(self.at_high - self.at_low)


def base_values(assumptions: Sequence[Assumption]) -> dict[str, Fraction]:
    return {one.name: one.base for one in assumptions}


def tornado(assumptions: Sequence[Assumption], result: Callable[[Values], Fraction]) -> tuple[Bar, ...]:
    """The widest bar first; equal ones in the order of the assumptions."""
    base = base_values(assumptions)
    bars = [
        Bar(
            assumption=one,
            at_low=result({**base, one.name: one.low}),
            at_high=result({**base, one.name: one.high}),
        )
        for one in assumptions
        if not one.known
    ]
    return tuple(sorted(bars, key=lambda bar: bar.swing, reverse=True))
