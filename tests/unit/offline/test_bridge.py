"""The bridge finds the causes that the months were made with."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bascule.decide.price import BUCKETS
from bascule.model.billed import BilledCell, BilledPeriod
from bascule.model.money import Rates
from bascule.model.row import AttemptRow
from bascule.offline.bridge import CAUSES, PAID_CAUSES, bridge
from bascule.offline.bridge_paid import Charged
from bascule.offline.bridge_payload import in_cents
from bascule.testing.months import pair, rows

CENT = 10_000_000


def tokens_of(row: AttemptRow) -> dict[str, int]:
    return {name: getattr(row, name) or 0 for name in BUCKETS}


def side_of(found: Iterable[AttemptRow]) -> BilledPeriod:
    kept = list(found)
    return BilledPeriod(
        users=len({row.user for row in kept}),
        sessions=len({row.session_id for row in kept}),
        cells=tuple(
            BilledCell(
                provider=row.provider,
                model=row.model,
                answers=row.error_class is None,
                rates=row.rates if row.rates is not None else Rates(),
                tokens=tokens_of(row) if row.cost_nanousd is not None else {},
                cost_nanousd=row.cost_nanousd or 0,
                unknown=int(row.cost_nanousd is None),
                unknown_tokens=tokens_of(row) if row.cost_nanousd is None else {},
            )
            for row in kept
        ),
    )


@pytest.mark.parametrize("seed", range(1, 21))
def test_every_cause_of_a_seeded_pair_is_recovered(seed: int) -> None:
    months = pair(seed)
    known = months.parts()
    found = bridge(side_of(rows(months.before, 2026, 9)), side_of(rows(months.after(), 2026, 10)))
    parts = {part.cause: part.nanousd for part in found.parts}
    assert sum(parts.values()) == found.change_nanousd
    largest = max(abs(amount) for amount in known.values())
    for cause in CAUSES:
        if cause in known:
            assert parts[cause] == pytest.approx(known[cause], rel=0.01), (months.name, cause)
        else:
            assert abs(parts[cause]) <= max(CENT, largest * 0.001), (months.name, cause)


def test_every_cause_is_among_the_seeded_pairs_alone_and_with_others() -> None:
    pairs = [pair(seed) for seed in range(1, 21)]
    assert {name for found in pairs if len(found.causes) == 1 for name in found.causes} == set(CAUSES)
    assert {name for found in pairs if len(found.causes) > 1 for name in found.causes} == set(CAUSES)
    assert all(abs(part) > 50 * CENT for found in pairs for part in found.parts().values())


_RATES = st.builds(
    Rates,
    input=st.integers(0, 30_000_000),
    output=st.integers(0, 90_000_000),
    cache_read=st.none() | st.integers(0, 3_000_000),
    cache_write_5m=st.none() | st.integers(0, 40_000_000),
)
_CELLS = st.builds(
    BilledCell,
    provider=st.sampled_from(["one", "two"]),
    model=st.sampled_from(["big", "small", None]),
    answers=st.booleans(),
    rates=st.none() | _RATES,
    tokens=st.dictionaries(st.sampled_from(BUCKETS), st.integers(0, 10**9)),
    cost_nanousd=st.integers(-(10**12), 10**15),
    unknown_tokens=st.dictionaries(st.sampled_from(BUCKETS), st.integers(0, 10**9)),
)
_SIDES = st.builds(
    BilledPeriod, users=st.integers(0, 50), sessions=st.integers(0, 500), cells=st.lists(_CELLS, max_size=6).map(tuple)
)


@given(_SIDES, _SIDES)
def test_parts_sum_to_the_change_whatever_the_months(before: BilledPeriod, after: BilledPeriod) -> None:
    found = bridge(before, after)
    assert [part.cause for part in found.parts] == list(CAUSES)
    assert sum(part.nanousd for part in found.parts) == after.cost_nanousd - before.cost_nanousd


@given(_SIDES, _SIDES)
def test_backwards_every_part_has_the_other_sign(before: BilledPeriod, after: BilledPeriod) -> None:
    there, back = bridge(before, after), bridge(after, before)
    for one, other in zip(there.parts, back.parts, strict=True):
        assert abs(one.nanousd + other.nanousd) <= 1, one.cause


@given(_SIDES)
def test_a_month_like_the_one_before_has_no_causes(side: BilledPeriod) -> None:
    assert {part.nanousd for part in bridge(side, side).parts} == {0}


def test_a_first_month_is_all_users() -> None:
    months = pair(9)
    empty, full = (
        BilledPeriod(users=0, sessions=0, cells=()),
        side_of(rows(structs.replace(months.before, wasted=0), 2026, 9)),
    )
    parts = {part.cause: part.nanousd for part in bridge(empty, full).parts if part.nanousd}
    assert set(parts) == {"users", "residual"}
    assert sum(parts.values()) == full.cost_nanousd


def test_a_new_model_is_a_change_of_mix_not_of_price() -> None:
    def side(*shares: tuple[str, int, int]) -> BilledPeriod:
        cells = tuple(
            BilledCell(
                provider="p", model=model, answers=True, rates=Rates(input=rate, output=rate),
                tokens={"tokens_in": tokens}, cost_nanousd=tokens * rate // 1000,
            )
            for model, tokens, rate in shares
        )  # fmt: skip
        return BilledPeriod(users=1, sessions=1, cells=cells)

    found = bridge(side(("old", 1000, 10_000)), side(("old", 400, 10_000), ("new", 600, 1_000)))
    assert {part.cause: part.nanousd for part in found.parts if part.nanousd} == {"model_mix": -5_400}


def test_a_cost_without_rates_spreads_over_its_tokens() -> None:
    def side(tokens: int, cost: int) -> BilledPeriod:
        cell = BilledCell(
            provider="p", model="m", answers=True, rates=None, tokens={"tokens_in": tokens}, cost_nanousd=cost
        )
        return BilledPeriod(users=1, sessions=1, cells=(cell,))

    found = bridge(side(100, 1000), side(100, 3000))
    assert {part.cause: part.nanousd for part in found.parts if part.nanousd} == {"price": 2000}


@given(_SIDES, _SIDES)
def test_the_cents_that_are_printed_sum_too(before: BilledPeriod, after: BilledPeriod) -> None:
    found = bridge(before, after)
    first, parts, last = in_cents(found)
    assert first + sum(parts) == last
    assert abs(first * CENT - before.cost_nanousd) <= CENT / 2
    assert abs(last * CENT - after.cost_nanousd) <= CENT / 2
    for cents, part in zip(parts, found.parts, strict=True):
        assert abs(cents * CENT - part.nanousd) < 2 * CENT


def test_a_price_that_was_not_known_is_no_change_of_use() -> None:
    tokens = {"tokens_in": 1000}

    def side(known: int) -> BilledPeriod:
        cells = [
            BilledCell(
                provider="p", model="m", answers=True, rates=Rates(input=1_000), tokens=tokens, cost_nanousd=1_000
            )
        ] * known
        cells += [
            BilledCell(
                provider="p", model="m", answers=True, rates=None, tokens={}, cost_nanousd=0, unknown=1,
                unknown_tokens=tokens,
            )
        ] * (2 - known)  # fmt: skip
        return BilledPeriod(users=2, sessions=2, cells=tuple(cells), attempts=2)

    for known in (0, 1):
        found = bridge(side(known), side(2))
        moved = {part.cause: part.nanousd for part in found.parts if part.nanousd}
        assert moved == {"known_prices": 1_000 * (2 - known)}


_METERED = st.dictionaries(
    st.tuples(st.sampled_from(["one", "two"]), st.sampled_from(["big", "small", None])),
    st.fractions(0, 1).map(lambda part: Decimal(part.numerator) / part.denominator),
)
_CHARGED = st.builds(
    Charged,
    metered=_METERED,
    metered_nanousd=st.integers(0, 10**15),
    fees_nanousd=st.integers(0, 10**13),
    unused_nanousd=st.integers(0, 10**13),
    on_plan_nanousd=st.just(0),
)


@given(_SIDES, _SIDES, _CHARGED, _CHARGED)
def test_parts_of_what_is_paid_sum_to_its_change(
    before: BilledPeriod, after: BilledPeriod, first: Charged, second: Charged
) -> None:
    found = bridge(before, after, (first, second))
    assert [part.cause for part in found.parts] == list(PAID_CAUSES)
    assert sum(part.nanousd for part in found.parts) == second.paid_nanousd - first.paid_nanousd
    fees = {part.cause: part.nanousd for part in found.parts}["fees"]
    assert abs(fees - (second.fees_nanousd - first.fees_nanousd)) <= 1
    cents_before, parts, cents_after = in_cents(found)
    assert cents_before + sum(parts) == cents_after


@given(_SIDES, _SIDES)
def test_without_terms_what_is_paid_has_the_causes_of_the_list_price(before: BilledPeriod, after: BilledPeriod) -> None:
    def as_listed(side: BilledPeriod) -> Charged:
        return Charged(
            metered={}, metered_nanousd=side.cost_nanousd, fees_nanousd=0, unused_nanousd=0, on_plan_nanousd=0
        )

    paid = bridge(before, after, (as_listed(before), as_listed(after)))
    parts = {part.cause: part.nanousd for part in paid.parts}
    for part in bridge(before, after).parts:
        assert abs(part.nanousd - parts.pop(part.cause)) <= 1
    assert set(parts.values()) == {0}


def test_a_discount_moves_the_terms_alone_and_use_on_a_seat_moves_nothing() -> None:
    def side(metered_tokens: int, seated_tokens: int) -> BilledPeriod:
        cells = [
            BilledCell(
                provider="p", model=model, answers=True, rates=Rates(input=1_000), tokens={"tokens_in": tokens},
                cost_nanousd=tokens,
            )
            for model, tokens in (("metered", metered_tokens), ("seated", seated_tokens))
        ]  # fmt: skip
        return BilledPeriod(users=1, sessions=1, cells=tuple(cells))

    def charged(discount: str, metered_tokens: int, fees: int) -> Charged:
        left = 1 - Decimal(discount)
        return Charged(
            metered={("p", "metered"): left, ("p", "seated"): Decimal(0)},
            metered_nanousd=round(metered_tokens * left), fees_nanousd=fees, unused_nanousd=0, on_plan_nanousd=0,
        )  # fmt: skip

    same = side(1_000, 500)
    found = bridge(same, same, (charged("0", 1_000, 70), charged("0.2", 1_000, 90)))
    assert {part.cause: part.nanousd for part in found.parts if part.nanousd} == {"contract_terms": -200, "fees": 20}
    busier = bridge(side(0, 500), side(0, 5_000), (charged("0", 0, 70), charged("0", 0, 70)))
    assert {part.nanousd for part in busier.parts} == {0}
