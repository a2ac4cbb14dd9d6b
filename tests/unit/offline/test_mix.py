from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.model.errors import BasculeError
from bascule.offline.mix import against, mix
from bascule.offline.quantity import Span
from bascule.offline.workloads import ModelPrice, Workload

F = Fraction


def price_of(model: str, tokens_in: Fraction) -> ModelPrice:
    if model == "tiered":
        return ModelPrice(model=model, input=F(10 if tokens_in > 200_000 else 5), output=F(20))
    prices = {"big": (15, 75), "small": (1, 4), "free": (0, 0), "half": (3, None)}
    given, out = prices[model]
    return ModelPrice(model=model, input=F(given), output=None if out is None else F(out))


def span(low: int, high: int | None = None) -> Span:
    return Span(F(low), F(low if high is None else high))


def test_a_range_of_calls_does_not_widen_the_saving() -> None:
    work = Workload(task="t", calls=span(100, 900), model="small", tokens_in=span(1000), tokens_out=span(0))
    found = mix([work], price_of, "big")
    assert found.usd == Span(F("0.1"), F("0.9"))
    assert found.like_for_like is not None
    assert found.like_for_like.usd == Span(F("1.5"), F("13.5"))
    assert found.like_for_like.saving == Span(F(14, 15), F(14, 15))
    assert found.usd_per_call is None


counts = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: Span(F(min(pair)), F(max(pair))))
costs = st.fractions(F(1, 50), 10, max_denominator=50).map(lambda cost: Span(cost, cost))


@given(st.lists(st.tuples(counts, costs, costs), min_size=1, max_size=4), st.data())
def test_the_range_of_a_saving_holds_every_choice_of_calls_and_is_reached(
    tasks: list[tuple[Span, Span, Span]], data: st.DataObject
) -> None:
    found = against([task[0] for task in tasks], [task[1] for task in tasks], [task[2] for task in tasks])
    if found.saving is None:
        return
    corners: list[list[Fraction]] = [[]]
    for task in tasks:
        corners = [[*corner, end] for corner in corners for end in (task[0].low, task[0].high)]

    def saving(chosen: list[Fraction]) -> Fraction | None:
        theirs = sum([calls * task[2].low for calls, task in zip(chosen, tasks, strict=True)])
        mine = sum([calls * task[1].low for calls, task in zip(chosen, tasks, strict=True)])
        return 1 - F(mine) / theirs if theirs else None

    reached = [made for corner in corners if (made := saving(corner)) is not None]
    assert found.saving == Span(min(reached), max(reached))


def test_long_calls_have_the_price_of_long_calls() -> None:
    def cost(tokens: int) -> Fraction:
        return mix([Workload(task="t", calls=span(1), model="tiered", tokens_in=span(tokens))], price_of).usd.low

    assert [cost(200_000), cost(300_000)] == [1, 3]


def test_what_has_no_price_is_refused_only_where_it_matters() -> None:
    with pytest.raises(BasculeError, match="output price of 'half'"):
        mix([Workload(task="t", calls=span(1), model="half", tokens_in=span(1), tokens_out=span(1))], price_of)
    assert mix([Workload(task="t", calls=span(1), model="half", tokens_in=span(10**6))], price_of).usd == span(3)
    stated = Workload(task="t", calls=span(1), model="free", usd_per_call=span(1))
    with pytest.raises(BasculeError, match="whose price is 0"):
        mix([stated], price_of, "big")
    free = mix([Workload(task="t", calls=span(1), model="big", tokens_in=span(1))], price_of, "free").like_for_like
    assert free is not None
    assert free.saving is None
