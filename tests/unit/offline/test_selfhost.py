from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bascule.offline.quantity import MILLION, Span
from bascule.offline.selfhost import (
    Cheaper,
    Fleet,
    at_volume,
    blended_usd_per_mtok,
    break_even,
    cheaper_when,
    compounded,
    monthly_volume,
)
from bascule.offline.selfhost_payload import Api, Verdict, Years, month_of

F = Fraction
NODE = Fleet(usd_per_hour=F(10), tokens_per_second=F(1000))
"""7,300 dollars a month; 2.628 billion tokens."""


def test_the_price_of_a_token_is_the_hour_over_what_is_made_in_it() -> None:
    assert NODE.usd_per_mtok(F(1)) == F(10) / 3600 / 1000 * MILLION
    assert NODE.usd_per_mtok(F(1, 2)) == 2 * NODE.usd_per_mtok(F(1))
    planned = Fleet(usd_per_hour=F(10), tokens_per_second=F(500), speedup=F(2), utilisation=F(1, 2), redundancy=1)
    assert planned.usd_per_mtok(F(1)) == 2 * NODE.usd_per_mtok(F(1))
    more = Fleet(usd_per_hour=F(10), tokens_per_second=F(1000), replicas=3, redundancy=1)
    assert more.usd_per_mtok(F(1)) == NODE.usd_per_mtok(F(1)) * 4 / 3


def test_a_break_even_is_what_the_node_costs_over_the_price() -> None:
    found = break_even(NODE, F(10))
    assert found is not None
    assert (found.tokens, found.nodes) == (F(730 * MILLION), 1)  # type: ignore[comparison-overlap]
    assert break_even(NODE, F(2)) is None  # 2.78 at full load
    assert break_even(NODE, F(0)) is None
    exactly = break_even(NODE, NODE.usd_per_mtok(F(1)))
    assert exactly is not None
    assert exactly.tokens == NODE.node_tokens


costs = st.fractions(F(1, 10), 100, max_denominator=10)


@given(costs, costs, st.integers(1, 3), st.integers(0, 3), st.fractions(F(1, 10), 1, max_denominator=10))
def test_a_break_even_is_the_least_volume_that_pays(
    usd: Fraction, price: Fraction, replicas: int, redundancy: int, utilisation: Fraction
) -> None:
    fleet = Fleet(
        usd_per_hour=usd, tokens_per_second=F(500), utilisation=utilisation, replicas=replicas, redundancy=redundancy
    )

    def pays(tokens: Fraction) -> bool:
        return at_volume(fleet, tokens, None).usd <= tokens * price / MILLION

    found = break_even(fleet, price)
    if found is None:
        assert not any(pays(fleet.node_tokens * nodes) for nodes in range(1, 200))
        return
    assert pays(found.tokens)
    assert fleet.nodes(found.tokens) == found.nodes
    assume(found.nodes < 300)
    fuller = [fleet.node_tokens * nodes for nodes in range(1, found.nodes)]
    below = [tokens for tokens in fuller if tokens < found.tokens]
    assert not any(pays(tokens) for tokens in [*below, found.tokens * F(999_999, MILLION)])


def test_nodes_are_added_as_the_volume_needs_them() -> None:
    fleet = Fleet(usd_per_hour=F(10), tokens_per_second=F(1000), utilisation=F(1, 2), redundancy=1)
    assert [fleet.nodes(fleet.node_tokens * F(share)) for share in ("0.1", "1", "1.1", "2.5")] == [1, 1, 2, 3]
    found = at_volume(fleet, fleet.node_tokens * 3 / 2, Span(F(1), F(2)))
    assert (found.nodes, found.usd, found.utilisation) == (2, 3 * F(7300), F(3, 8))
    assert found.api_usd == Span(found.tokens / MILLION, 2 * found.tokens / MILLION)


def test_a_blend_of_unknown_share_is_a_range() -> None:
    assert blended_usd_per_mtok(F(3), F(15), None) == Span(F(3), F(15))
    assert blended_usd_per_mtok(F(3), F(15), Span(F(1, 4), F(1, 2))) == Span(F(6), F(9))


@pytest.mark.parametrize(
    ("price", "growth", "change", "expected"),
    [
        (10, 0, 0, Cheaper(None, None)),  # 3,650 against 7,300 a month, for ever
        (20, 0, 0, Cheaper(0, None)),
        (10, 1, 0, Cheaper(12, None)),  # twice the volume after a year
        (10, 3, F(-1, 2), Cheaper(12, 18)),  # then it takes a second node, and the price has fallen
        (40, 0, F(-1, 2), Cheaper(0, 13)),  # 14,600 now; half of it exactly after a year still pays
    ],
)
def test_the_month_from_which_own_hours_pay(price: int, growth: int, change: Fraction, expected: Cheaper) -> None:
    tokens = F(365 * MILLION)
    found = cheaper_when(NODE, tokens, F(price), F(growth), F(change))
    assert found == expected


def test_what_is_compounded_is_exact_after_whole_years() -> None:
    assert compounded(F(1, 3), 24) == F(16, 9)
    assert compounded(F(-1), 0) == 1
    assert [compounded(F(-1), month) for month in (1, 12, 30)] == [0, 0, 0]
    assert abs(compounded(F(3), 6) - 2) < F(1, 10**35)
    assert abs(compounded(F(1), 1) ** 12 - 2) < F(1, 10**35)


def test_a_month_of_what_was_counted() -> None:
    found = monthly_volume(750, 250, F(10))
    assert (found.tokens, found.output_share) == (F(1000) * 73 / 24, F(1, 4))
    assert monthly_volume(0, 0, F(1)).output_share is None


def test_a_date_needs_all_that_it_hangs_on() -> None:
    api = Api(name="a", price_input=F(10), price_output=F(10))
    verdict = Verdict(fleet=NODE, utilisation=None, api=api, tokens=F(1))
    assert verdict.cheaper is None
    assert len(verdict.unknown) == 2
    full = Verdict(
        fleet=NODE, utilisation=None, api=api, tokens=F(365 * MILLION),
        years=Years(volume_growth=Span(F(0), F(1)), price_change=Span(F(0), F(0))),
    )  # fmt: skip
    assert full.unknown == ()
    assert full.cheaper == (Cheaper(12, None), Cheaper(None, None))
    assert [month_of((2026, 11), ahead) for ahead in (0, 1, 2, 14)] == ["2026-11", "2026-12", "2027-01", "2028-01"]
