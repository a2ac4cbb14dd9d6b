from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.offline.quantity import (
    Span,
    hull,
    number_text,
    read_change,
    read_span,
    rounded,
    span,
    span_payload,
    terminating,
    usd_text_of,
)

F = Fraction


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0.4", F(2, 5), F(2, 5)),
        ("40%", F(2, 5), F(2, 5)),
        ("0.1..30 %", F(1, 10), F(3, 10)),
        ("1e3", F(1000), F(1000)),
    ],
)
def test_a_span_is_read_exactly(text: str, low: Fraction, high: Fraction) -> None:
    assert read_span(text) == Span(low, high)


@pytest.mark.parametrize("text", ["", "x", "0.7..0.4", "1..2..3", "nan", "1/2", "1,5", "%"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError):
        read_span(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1000%", 10, 10), ("10", 10, 10), ("11x", 10, 10), ("-50%", F(-1, 2), F(-1, 2)), ("5x..30x", 4, 29),
        ("0.5x", F(-1, 2), F(-1, 2)),
    ],
)  # fmt: skip
def test_a_change_is_a_share_of_what_was_or_a_multiple(text: str, low: Fraction, high: Fraction) -> None:
    assert read_change(text) == Span(F(low), F(high))


@pytest.mark.parametrize("text", ["-101%", "-2x", "x", "two"])
def test_what_is_no_change(text: str) -> None:
    with pytest.raises(ValueError):
        read_change(text)


def test_a_range_has_two_ends_in_order() -> None:
    assert span((Decimal("0.1"), Decimal("0.2"))) == Span(F(1, 10), F(1, 5))
    for wrong in [(Decimal(1),), (Decimal(1), Decimal(2), Decimal(3)), (Decimal(2), Decimal(1))]:
        with pytest.raises(ValueError):
            span(wrong)
    assert hull([span(3), span((Decimal(1), Decimal(2)))]) == Span(F(1), F(3))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=15))
def test_a_decimal_is_found_again_whatever_its_length(value: Decimal) -> None:
    found = terminating(F(value))
    assert found is not None
    assert F(found) == F(value)
    assert F(number_text(F(value))) == F(value)


@given(st.fractions(), st.integers(0, 20))
def test_rounding_is_to_the_nearest(value: Fraction, places: int) -> None:
    assert abs(F(rounded(value, places)) - value) <= F(1, 2 * 10**places)


def test_text() -> None:
    assert number_text(F(5, 3)) == "1.666666666667"
    assert (usd_text_of(F(5, 3)), usd_text_of(F(1, 2)), usd_text_of(None)) == ("1.666666666667", "0.500000000", None)
    assert usd_text_of(F(1, 10**15)) == "0.000000000000001"
    assert number_text(F(-1, 3)) == "-0.333333333333"
    assert rounded(F(-1, 10**9), 2) == 0
    assert span_payload("cost", Span(F(1), F(2))) == {
        "cost_usd": None, "cost_low_usd": "1.000000000", "cost_high_usd": "2.000000000",
    }  # fmt: skip
    assert span_payload("share", span(1), "") == {"share": "1", "share_low": "1", "share_high": "1"}
    assert set(span_payload("cost", None).values()) == {None}
