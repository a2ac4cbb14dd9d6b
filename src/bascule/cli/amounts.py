"""Exact amounts for people: as many places as they need, ranges as ranges. JSON has all of their digits."""

from fractions import Fraction

from bascule.offline.quantity import Span, number_text, rounded

SIGNIFICANT = 4


def dollars(usd: Fraction | None) -> str | None:
    """`$1,234.50`; below a dollar four digits that count; `$0.00` is nothing at all. None stays None."""
    if usd is None:
        return None
    return f"{'-' if usd < 0 else ''}${_digits(abs(usd), 2)}"


def dollars_span(span: Span | None) -> str | None:
    """`$1.50`, or `$1.50 to $2.00`."""
    if span is None:
        return None
    return _joined(dollars(span.low), dollars(span.high))


def count(value: Fraction | None) -> str | None:
    """`1,000,000`; with decimals only where it is not whole."""
    if value is None:
        return None
    return f"{'-' if value < 0 else ''}{_digits(abs(value), 0)}"


def count_span(span: Span | None) -> str | None:
    return None if span is None else _joined(count(span.low), count(span.high))


def percent(share: Fraction | None) -> str | None:
    """`62.8 %`, `40 %`."""
    return None if share is None else f"{_percent(share)} %"


def percent_span(span: Span | None) -> str | None:
    if span is None:
        return None
    low, high = percent(span.low), percent(span.high)
    return low if low == high else f"{_percent(span.low)} to {high}"


def multiple_span(span: Span) -> str:
    """`5.5x`, or `5 to 30x`."""
    return _joined(figure(span.low), figure(span.high)) + "x"


def _joined(low: str | None, high: str | None) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def _percent(share: Fraction) -> str:
    return f"{rounded(share * 100, 1)}".removesuffix(".0")


def figure(value: Fraction) -> str:
    """`0.25`, `4000`: at most four places, none that says nothing."""
    return number_text(Fraction(rounded(value, SIGNIFICANT))) or ""


def _digits(size: Fraction, least: int) -> str:
    """Rounded to `least` places, or below 1 to as many as show `SIGNIFICANT` digits; no zeros that say nothing."""
    if size >= 1 or not size:
        places = least if size == int(size) or size >= 1000 else max(least, 2)
        return f"{rounded(size, places):,}"
    places = SIGNIFICANT
    while places < 15 and size * 10**places < 10 ** (SIGNIFICANT - 1):
        places += 1
    text = f"{rounded(size, places):f}"
    while text.endswith("0") and len(text.partition(".")[2]) > max(least, 1):
        text = text[:-1]
    return text
