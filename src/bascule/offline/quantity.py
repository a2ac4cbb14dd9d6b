"""Exact numbers of calculators: fractions, ranges that stay ranges, and their text. Nothing here is a float."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from msgspec import Struct

from bascule.config.scalars import Unreadable, decimal, number
from bascule.offline.amounts import at_least_nano, plain

MILLION = 1_000_000
PLACES = 12
"""Decimal places of a number that no decimal is exact for, such as 5/3."""

End = Literal["low", "high"]
ENDS: tuple[End, End] = ("low", "high")


class Span(Struct, frozen=True):
    """A number that lies between two; both the same where it is known."""

    low: Fraction
    high: Fraction

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"a range begins with its lower end: {float(self.low):g} is above {float(self.high):g}")

    @property
    def exact(self) -> bool:
        return self.low == self.high

    def at(self, end: End) -> Fraction:
        return self.low if end == "low" else self.high

    @property
    def ends(self) -> tuple[Fraction, ...]:
        """The values to try: one where it is known."""
        return (self.low,) if self.exact else (self.low, self.high)

    def __add__(self, other: "Span") -> "Span":
        return Span(self.low + other.low, self.high + other.high)

    def times(self, other: "Span") -> "Span":
        """The product of two that are not negative."""
        return Span(self.low * other.low, self.high * other.high)


ZERO = Span(Fraction(0), Fraction(0))


def span(value: "int | Decimal | Fraction | tuple[Decimal, ...]") -> Span:
    """A number, or a pair of them. Raises ValueError where there are not two or the first is the larger."""
    if not isinstance(value, tuple):
        return Span(Fraction(value), Fraction(value))
    if len(value) != 2:
        raise ValueError(f"a range has two ends, not {len(value)}: write [low, high]")
    return Span(Fraction(value[0]), Fraction(value[1]))


def hull(spans: Iterable[Span]) -> Span:
    """The smallest range around all."""
    found = list(spans)
    return Span(min([one.low for one in found]), max([one.high for one in found]))


def read_span(text: str) -> Span:
    """`0.4`, `40%` or a range `0.4..0.7`. Raises ValueError."""
    low, dots, high = text.partition("..")
    try:
        return Span(_fraction(low), _fraction(high if dots else low))
    except Unreadable as error:
        raise ValueError(f"{text!r} is {error.what}; write e.g. 0.4, 40% or 0.4..0.7") from error


def read_change(text: str) -> Span:
    """A change as a share of what was before: `1000%` or `10` is ten times as much on top, `-50%` half of it gone;
    `11x` names the multiple instead. A range joins two of them by `..`. Raises ValueError."""
    low, dots, high = text.partition("..")
    try:
        return Span(_change(low), _change(high if dots else low))
    except Unreadable as error:
        raise ValueError(f"{text!r} is {error.what}; write e.g. 1000%, -50% or 5x, or a range 5x..30x") from error


def _change(word: str) -> Fraction:
    multiple = word.strip().removesuffix("x")
    change = Fraction(decimal(multiple)) - 1 if multiple != word.strip() else _fraction(word)
    if change < -1:
        raise Unreadable("a loss of more than everything", "Write at least -100%")
    return change


def _fraction(word: str) -> Fraction:
    return Fraction(number(word.strip()))


def terminating(value: Fraction) -> Decimal | None:
    """The decimal that is exactly this, or None where there is none."""
    twos = fives = 0
    rest = value.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    places = max(twos, fives)
    digits = value.numerator * 10**places // value.denominator
    return Decimal((int(digits < 0), tuple(map(int, str(abs(digits)))), -places))


def rounded(value: Fraction, places: int) -> Decimal:
    """Rounded half up, away from zero."""
    scaled = abs(value) * 10**places
    digits = int(scaled + Fraction(1, 2))
    return Decimal((int(value < 0 and digits > 0), tuple(map(int, str(digits))), -places))


def number_text(value: Fraction | None) -> str | None:
    """For JSON: exact, or rounded to `PLACES` where no decimal is; None stays None."""
    if value is None:
        return None
    exact = terminating(value)
    return plain(rounded(value, PLACES) if exact is None else exact)


def usd_text_of(usd: Fraction | None) -> str | None:
    """Dollars for JSON: exact with at least nine places, or rounded to `PLACES` where no decimal is exact."""
    if usd is None:
        return None
    exact = terminating(usd)
    return at_least_nano(rounded(usd, PLACES) if exact is None else exact)


def span_payload(name: str, value: Span | None, unit: str = "_usd") -> dict[str, Any]:
    """Three keys: the number where it is known (else null) and its two ends; in dollars, or plain without a unit."""
    text = usd_text_of if unit == "_usd" else number_text
    if value is None:
        return {f"{name}{unit}": None, f"{name}_low{unit}": None, f"{name}_high{unit}": None}
    return {
        f"{name}{unit}": text(value.low) if value.exact else None,
        f"{name}_low{unit}": text(value.low),
        f"{name}_high{unit}": text(value.high),
    }
