from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.model.errors import BasculeError
from bascule.offline.optimisation import Kind, Optimisation, combine
from bascule.offline.plan_payload import printed_parts
from bascule.offline.quantity import PLACES, Span, rounded
from bascule.offline.workloads import ModelPrice, Workload

F = Fraction
PRICES = {
    "big": ModelPrice(model="big", input=F(10), output=F(50), cache_read=F(1), cache_write=F("12.5")),
    "small": ModelPrice(model="small", input=F(1), output=F(4)),
}


def price_of(model: str, tokens_in: Fraction) -> ModelPrice:
    return PRICES[model]


def at(value: str) -> Span:
    low, _, high = value.partition("..")
    return Span(F(low), F(high or low))


def one(kind: Kind, share: str | None = None, **more: object) -> Optimisation:
    return Optimisation(kind=kind, share=None if share is None else at(share), **more)


WORK = Workload(task="t", calls=at("1000"), model="big", tokens_in=at("10000"), tokens_out=at("1000"))
"""0.10 for input and 0.05 for output: 150 dollars a month."""


@pytest.mark.parametrize(
    ("optimisations", "after"),
    [
        ([], 150),
        ([one("response_cache", "0.2")], 120),
        ([one("response_cache", "0.2"), one("semantic_cache", "0.5")], 60),  # half of what is left
        ([one("batch", "1")], 75),
        ([one("batch", "0.4", discount=F(1, 4))], 135),
        ([one("routing", "0.5", to="small")], 75 + 500 * F("0.014")),
        ([one("prompt_cache", "0.8")], 50 + 100 * (F("0.2") + F("0.8") / 10)),
        ([one("prompt_cache", "0.8", write_share=at("0.1"))], 50 + 100 * (F("0.1") + F("0.08") + F("0.125"))),
        ([one("prompt_cache", "0.8", read=F(1, 2), write=F(1))], 50 + 60),
        ([one("routing", saves=at("0.4")), one("batch", saves=at("0.5"))], 45),
        ([one("batch", "1", tasks=("another",))], 150),
    ],
)
def test_each_acts_on_its_own_share(optimisations: list[Optimisation], after: Fraction) -> None:
    found = combine([WORK], optimisations, price_of)
    assert found.exact
    assert [found.low.before_usd, found.low.after_usd] == [150, after]


ALL = [
    one("response_cache", "0.1..0.3"),
    one("semantic_cache", "0.2..0.5"),
    one("routing", "0.4..0.7", to="small"),
    one("prompt_cache", "0.2..0.6", read=F("0.1"), write=F("1.25"), write_share=at("0.05")),
    one("batch", "0.5"),
]


def test_the_order_in_which_they_are_written_does_not_matter() -> None:
    bills = {
        (found.low.after_usd, found.high.after_usd)
        for order in permutations(ALL)
        for found in [combine([WORK], order[:4], price_of)]
        if set(order[:4]) == set(ALL[:4])
    }
    assert len(bills) == 1


def test_parts_sum_to_the_whole_and_single_savings_do_not() -> None:
    found = combine([WORK], ALL, price_of)
    for case in (found.low, found.high):
        saved = case.before_usd - case.after_usd
        assert sum(part.part_usd for part in case.parts) == saved
        assert sum(part.alone_usd for part in case.parts) > saved
        assert all(0 < part.part_usd < part.alone_usd for part in case.parts)
        assert sum(printed_parts(case.parts, saved)) == F(rounded(saved, PLACES))


def test_the_ends_of_a_range_are_the_bills_at_the_ends_of_the_shares() -> None:
    found = combine([WORK], ALL, price_of)
    most = combine([WORK], [one("response_cache", "0.3"), one("semantic_cache", "0.5"),
                            one("routing", "0.7", to="small"), one("prompt_cache", "0.6", read=F("0.1"),
                            write=F("1.25"), write_share=at("0.05")), one("batch", "0.5")], price_of)  # fmt: skip
    assert found.low.after_usd == most.low.after_usd


def test_a_cache_that_costs_more_than_it_saves_raises_the_bill() -> None:
    """The end with the larger share is then the dearer one."""
    writes = one("prompt_cache", "0", write_share=at("0.1..0.8"))
    found = combine([WORK], [writes], price_of)
    assert found.low.after_usd == 150 + 100 * F("0.1") / 4
    assert found.high.after_usd == 150 + 100 * F("0.8") / 4
    assert found.high.parts[0].part_usd < 0


def test_a_stated_cost_splits_between_input_and_output_in_an_unknown_way() -> None:
    stated = Workload(task="t", calls=at("100"), model="big", usd_per_call=at("1"))
    found = combine([stated], [one("routing", "1", to="small")], price_of)
    assert [found.low.after_usd, found.high.after_usd] == [8, 10]  # output at 4 / 50, input at 1 / 10
    known = Workload(task="t", calls=at("100"), model="big", usd_per_call=at("1"), output_cost_share=F(1, 2))
    found = combine([known], [one("routing", "1", to="small")], price_of)
    assert [found.low.after_usd, found.high.after_usd] == [9, 9]


shares = st.fractions(0, 1, max_denominator=20)


@given(shares, shares, shares, shares)
def test_more_of_a_saving_never_costs_more(
    response: Fraction, routed: Fraction, read: Fraction, waits: Fraction
) -> None:
    def bill(more: Fraction) -> Fraction:
        up = [min(F(1), share + more) for share in (response, routed, read, waits)]
        spans = [Span(share, share) for share in up]
        chosen = [
            Optimisation(kind="response_cache", share=spans[0]),
            Optimisation(kind="routing", share=spans[1], to="small"),
            Optimisation(kind="prompt_cache", share=spans[2], read=F(1, 10)),
            Optimisation(kind="batch", share=spans[3]),
        ]
        return combine([WORK], chosen, price_of).low.after_usd

    assert 0 <= bill(F(1, 10)) <= bill(F(0)) <= 150


@pytest.mark.parametrize(
    ("optimisations", "said"),
    [
        ([one("routing", "0.6", to="small"), one("routing", "0.5", to="big")], "sum to more than 1"),
        ([one("routing", "0.5")], "where calls are routed"),
        ([one("batch")], "`share` and `saves`"),
        ([one("prompt_cache", "0.8", write_share=at("0.3"))], "more than 1"),
        ([one("batch", "0.1")] * 11, "at most 10"),
        ([one("routing", "0.5", to="small"), one("prompt_cache", "0.1")], "cache read is not known"),
    ],
)
def test_what_cannot_be_combined_is_refused(optimisations: list[Optimisation], said: str) -> None:
    with pytest.raises(BasculeError, match=said):
        combine([WORK], optimisations, price_of)
