"""Claims that a text makes and sources do not: figures, days and quotations that stand in none of them. Pure.

Only what can be looked up is looked up. A figure is supported where a source has that number, also written otherwise (a
percentage as a share, millions in full), or one that rounds to it. What the text computes from sources is in none of
them, and is told: list it in `allowed`. What is claimed without figures or quotation marks is for a judge.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

SMALL = Decimal(10)
"""Whole numbers up to it count things in the text itself (`three reasons`), unless a unit makes them figures."""
MIN_QUOTED_WORDS = 3
MAX_CLAIMS = 2_000
_FIGURE = re.compile(
    r"(?P<money>[$€£¥]\s?)?(?<![\w.,])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d{1,30})?|\d{1,30}(?:\.\d{1,30})?)(?![.,]?\d)"
    r"(?P<unit>\s?%|\s?percent\b|\s?(?:k|thousand|million|billion|trillion|bn|m)\b)?",
    re.IGNORECASE,
)
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_QUOTED = re.compile('["“„«]([^"”“»\n]{8,600})["”“»]')
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_LISTED = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*])\s+")
_TIMES = {"k": 10**3, "thousand": 10**3, "million": 10**6, "m": 10**6, "billion": 10**9, "bn": 10**9,
          "trillion": 10**12}  # fmt: skip


class Claim(Struct, frozen=True):
    """Something that no source has."""

    what: str
    """The figure, day or quotation."""
    sentence: str


def unsupported(text: str, sources: Sequence[str], *, allowed: Iterable[str] = ()) -> list[Claim]:
    """The claims of `text` that stand in none of `sources`, in their order. `allowed`: as if a source had them."""
    known = _Sources([*sources, *allowed])
    found: list[Claim] = []
    for sentence in _SENTENCE.split(text):
        plain = _LISTED.sub("", sentence)
        found += [Claim(what, " ".join(plain.split())) for what in known.lacking(plain)]
        if len(found) >= MAX_CLAIMS:
            break
    return found[:MAX_CLAIMS]


class _Sources:
    """What is known, to be looked up."""

    def __init__(self, texts: Sequence[str]) -> None:
        joined = "\n".join(texts)
        self._text = _folded(joined)
        figures = _FIGURE.finditer(_DAY.sub(" ", joined))
        self._numbers = sorted({value for figure in figures for value, _ in _readings(figure)})

    def lacking(self, sentence: str) -> list[str]:
        """Days, quotations and figures of a sentence that are nowhere."""
        days = _DAY.findall(sentence)
        rest = _DAY.sub(" ", sentence)
        quotes = [quote for quote in _QUOTED.findall(rest) if len(quote.split()) >= MIN_QUOTED_WORDS]
        rest = _QUOTED.sub(" ", rest)
        figures = [figure for figure in _FIGURE.finditer(rest) if _is_figure(figure)]
        return [
            *[text for text in (*days, *quotes) if _folded(text) not in self._text],
            *[figure.group().strip() for figure in figures if not self._has(figure)],
        ]

    def _has(self, figure: re.Match[str]) -> bool:
        return any(self._has_number(value, step) for value, step in _readings(figure))

    def _has_number(self, value: Decimal, step: Decimal) -> bool:
        """Itself, or, where it is written with decimal places or a unit, one that rounds to it there."""
        within = step / 2 if step != 1 else Decimal(0)
        place = bisect_left(self._numbers, value - within)
        return place < len(self._numbers) and self._numbers[place] <= value + within


def _is_figure(figure: re.Match[str]) -> bool:
    if figure["money"] or figure["unit"]:
        return True
    value = _value(figure)
    return value > SMALL or value != value.to_integral_value()


def _value(figure: re.Match[str]) -> Decimal:
    return Decimal(figure["number"].replace(",", ""))


def _readings(figure: re.Match[str]) -> list[tuple[Decimal, Decimal]]:
    """What a figure may mean, each with the step of its last written place."""
    value = _value(figure)
    exponent = value.as_tuple().exponent
    step = Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(1)
    unit = (figure["unit"] or "").strip().lower()
    readings = [(value, step)]
    if unit in ("%", "percent"):
        readings.append((value / 100, step / 100))
    elif unit in _TIMES:
        times = Decimal(_TIMES[unit])
        readings.append((value * times, step * times))
    return readings


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
