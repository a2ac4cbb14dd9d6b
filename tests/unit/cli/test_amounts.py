from fractions import Fraction

import pytest

from bascule.cli.amounts import count, dollars, dollars_span, figure, multiple_span, percent, percent_span
from bascule.offline.quantity import Span

F = Fraction


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0.00"), ("1234.5", "$1,234.50"), ("88400", "$88,400.00"), ("5/3", "$1.67"), ("0.0884", "$0.0884"),
        ("0.05", "$0.05"), ("0.001", "$0.001"), ("1/3", "$0.3333"), ("0.000012345", "$0.00001235"), ("-0.5", "$-0.50"),
    ],
)  # fmt: skip
def test_dollars_show_as_many_places_as_count(usd: str, text: str) -> None:
    assert dollars(F(usd)) == text.replace("$-", "-$")


def test_the_rest() -> None:
    assert (dollars(None), count(None), percent(None), percent_span(None)) == (None, None, None, None)
    assert (count(F(1_000_000)), count(F("12.5")), count(F(10_043)), count(F("0.4"))) == (
        "1,000,000",
        "12.50",
        "10,043",
        "0.4",
    )
    assert (percent(F("0.62777")), percent(F("0.4"))) == ("62.8 %", "40 %")
    assert percent_span(Span(F("0.4"), F("0.645"))) == "40 to 64.5 %"
    assert dollars_span(Span(F(1), F(2))) == "$1.00 to $2.00"
    assert (multiple_span(Span(F("5.5"), F("5.5"))), multiple_span(Span(F(5), F(30)))) == ("5.5x", "5 to 30x")
    assert (figure(F(4000)), figure(F("0.25")), figure(F(1, 3))) == ("4000", "0.25", "0.3333")
