"""A developer's months on a plan and by the meter."""

from fractions import Fraction

import pytest
from tests.unit.offline.spending import USD, at

from bascule.config.shape import Contract
from bascule.offline.plan_or_metered import Client, Month, compare, discounts_only

FEE = {"claude-code": 100 * USD}
PERIOD = (at("2026-10-01"), at("2026-12-01"))


def month(user: str | None, usd: int, when: str = "2026-10", **named: object) -> Month:
    given = {"client": "claude-code", "sessions": 4, "tokens": 1_000} | named
    return Month(user=user, month=when, metered_nanousd=usd * USD, list_nanousd=usd * USD, **given)  # type: ignore[arg-type]


def client(*months: Month, period: tuple[int, int] = PERIOD) -> Client:
    (found,) = compare(months, FEE, *period)
    return found


@pytest.mark.parametrize(("used", "cheaper"), [(150, "plan"), (100, "same"), (20, "metered")])
def test_which_is_cheaper(used: int, cheaper: str) -> None:
    (line,) = client(month("ann", used)).lines
    assert line.compared.cheaper == cheaper
    assert line.compared.break_even == Fraction(100, used)


def test_break_even_is_in_sessions_and_tokens_of_ones_own_mix() -> None:
    (line,) = client(month("ann", 50)).lines
    assert line.compared.break_even_sessions == 8
    assert line.compared.break_even_tokens == 2_000
    (free,) = client(month("bob", 0)).lines
    assert free.compared.break_even_sessions is None
    assert free.compared.cheaper == "metered"


def test_best_of_both_is_a_choice_for_each_person_not_for_each_month() -> None:
    found = client(
        month("ann", 300), month("ann", 20, "2026-11"), month("bob", 30), month("cem", 150), month("cem", 10, "2026-11")
    )
    assert found.all_metered_nanousd == 510 * USD
    assert found.all_plan_nanousd == 500 * USD
    assert found.best_nanousd == (200 + 30 + 160) * USD
    assert found.cheapest == "both"
    assert [line.user for line in found.lines] == ["ann", "ann", "cem", "cem", "bob"]


def test_of_a_month_that_the_period_cuts_the_fee_counts_in_part() -> None:
    (line,) = client(month("ann", 60, "2026-11"), period=(at("2026-11-01"), at("2026-11-16"))).lines
    assert (line.part, line.compared.plan_nanousd, line.compared.cheaper) == (Fraction(1, 2), 50 * USD, "plan")


def test_clients_without_a_fee_and_other_months_are_left_out() -> None:
    assert compare([month("ann", 9, client="codex"), month("ann", 9, "2026-09")], FEE, *PERIOD) == ()


def test_by_the_meter_only_discounts_hold() -> None:
    contract = Contract(provider="openai", discount=0.1, commitment_nanousd=5, from_ms=0, to_ms=0, seats=2)
    (found,) = discounts_only([contract, Contract(provider="openai", seats=1, seat_month_nanousd=1)])
    assert (found.discount, found.commitment_nanousd, found.seats) == (0.1, None, None)
