"""List, effective and marginal cost; what is paid is what effective costs and fixed lines sum to."""

from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bascule.config.shape import Contract
from bascule.offline.contracts import Cost, Fixed, Piece, Use, apply, boundaries, earliest

USD = 1_000_000_000


def day(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


SEPTEMBER = (day("2026-09-01"), day("2026-10-01"))
OCTOBER = (day("2026-10-01"), day("2026-11-01"))


def use(usd: int, *, provider: str = "anthropic", **named: object) -> Use:
    return Use(provider=provider, list_nanousd=usd * USD, **named)  # type: ignore[arg-type]


def test_without_contracts_all_three_are_the_list_price() -> None:
    applied = apply([], [Piece(*OCTOBER, (use(3),))])
    assert applied.costs == ((Cost(3 * USD, 3 * USD, 3 * USD),),)
    assert applied.fixed == ()


def test_a_discount_takes_its_share_of_its_provider_only() -> None:
    contract = Contract(provider="openai", discount=Fraction(12, 100))  # type: ignore[arg-type]
    applied = apply([contract], [Piece(*OCTOBER, (use(100, provider="openai"), use(100)))])
    assert applied.costs[0] == (Cost(100 * USD, 88 * USD, 88 * USD), Cost(100 * USD, 100 * USD, 100 * USD))


def test_a_seat_costs_its_fee_whatever_its_user_does_and_one_more_token_costs_nothing() -> None:
    contract = Contract(provider="anthropic", seats=3, seat_month_nanousd=100 * USD, covers=("claude-code",))
    uses = (
        use(900, client="claude-code", user="ann"),
        use(100, client="claude-code", user="ann"),
        use(1, client="claude-code", user="bob"),
        use(7, client="my-app", user="ann"),
    )
    applied = apply([contract], [Piece(*OCTOBER, uses)])
    assert applied.costs[0] == (
        Cost(900 * USD, 90 * USD, 0, 90 * USD),
        Cost(100 * USD, 10 * USD, 0, 10 * USD),
        Cost(1 * USD, 100 * USD, 0, 100 * USD),
        Cost(7 * USD, 7 * USD, 7 * USD),
    )
    assert applied.fixed == (Fixed(0, "idle seats", OCTOBER[0], 100 * USD),)


def test_more_people_than_seats_share_what_is_paid_and_are_named() -> None:
    contract = Contract(provider="anthropic", seats=1, seat_month_nanousd=100 * USD)
    applied = apply([contract], [Piece(*OCTOBER, (use(5, user="ann"), use(5, user="bob")))])
    assert [cost.effective_nanousd for cost in applied.costs[0]] == [50 * USD, 50 * USD]
    assert applied.warnings == ("contracts[0]: 2 people used 1 seat, from 2026-10-01 on",)


def test_use_on_a_plan_that_no_contract_names_is_not_billed_as_if_metered() -> None:
    applied = apply([], [Piece(*OCTOBER, (use(40, client="codex", provider="openai", on_plan=True),))])
    assert applied.costs == ((Cost(40 * USD, None, 0),),)


def test_a_commitment_is_drawn_down_and_what_is_left_at_its_end_is_paid_for_nothing() -> None:
    contract = Contract(
        provider="openai", commitment_nanousd=150 * USD, from_ms=SEPTEMBER[0], to_ms=OCTOBER[1] - 86_400_000
    )
    months = [Piece(*SEPTEMBER, (use(100, provider="openai"),)), Piece(*OCTOBER, (use(20, provider="openai"),))]
    applied = apply([contract], months)
    assert applied.costs == ((Cost(100 * USD, 100 * USD, 0),), (Cost(20 * USD, 20 * USD, 0),))
    assert applied.fixed == (Fixed(0, "unused commitment", OCTOBER[0], 30 * USD),)
    spent = [Piece(*SEPTEMBER, (use(100, provider="openai"),)), Piece(*OCTOBER, (use(80, provider="openai"),))]
    over = apply([contract], spent)
    assert over.costs[1] == (Cost(80 * USD, 80 * USD, 80 * USD),)
    assert over.fixed == ()


def test_a_credit_pays_until_it_is_used_up() -> None:
    contract = Contract(provider="openai", credit_nanousd=50 * USD, from_ms=SEPTEMBER[0])
    months = [Piece(*SEPTEMBER, (use(30, provider="openai"),)), Piece(*OCTOBER, (use(40, provider="openai"),))]
    assert apply([contract], months).costs == (
        (Cost(30 * USD, 0, 0),),
        (Cost(40 * USD, 20 * USD, 40 * USD),),
    )


def test_capacity_costs_its_hours_used_or_not() -> None:
    contract = Contract(provider="azure", provisioned_units=2, unit_hour_nanousd=USD, covers=("big",))
    applied = apply([contract], [Piece(*OCTOBER, (use(10, provider="azure", model="big"),)), Piece(*OCTOBER)])
    assert applied.costs[0] == (Cost(10 * USD, 2 * 744 * USD, 0, 2 * 744 * USD),)
    assert applied.fixed == (Fixed(0, "idle capacity", OCTOBER[0], 2 * 744 * USD),)


def test_a_period_is_cut_at_months_and_where_contracts_begin_and_end() -> None:
    contract = Contract(provider="openai", from_ms=day("2026-09-10"), to_ms=day("2026-10-04"), credit_nanousd=1)
    assert boundaries([contract], day("2026-08-20"), day("2026-10-20")) == [
        (day("2026-08-20"), day("2026-09-01")),
        (day("2026-09-01"), day("2026-09-10")),
        (day("2026-09-10"), day("2026-10-01")),
        (day("2026-10-01"), day("2026-10-05")),
        (day("2026-10-05"), day("2026-10-20")),
    ]
    assert earliest([contract], day("2026-10-01")) == day("2026-09-10")


def test_half_a_month_of_a_seat_costs_half() -> None:
    contract = Contract(provider="anthropic", seats=1, seat_month_nanousd=30 * USD)
    half = Piece(day("2026-09-01"), day("2026-09-16"), (use(1, user="ann"),))
    assert apply([contract], [half]).costs == ((Cost(USD, 15 * USD, 0, 15 * USD),),)


_USES = st.builds(
    Use,
    provider=st.sampled_from(["a", "b"]),
    client=st.sampled_from(["claude-code", None]),
    user=st.sampled_from(["ann", "bob", None]),
    list_nanousd=st.integers(0, 10**13),
)


@given(
    st.lists(_USES, max_size=8),
    st.integers(0, 5),
    st.integers(0, 10**12),
    st.fractions(0, 1, max_denominator=100),
    st.integers(0, 10**13),
)
def test_effective_costs_and_fixed_lines_sum_to_what_is_paid(
    uses: list[Use], seats: int, fee: int, discount: Fraction, credit: int
) -> None:
    contracts = [
        Contract(provider="a", seats=seats, seat_month_nanousd=fee, covers=("claude-code",)),
        Contract(provider="b", discount=discount),  # type: ignore[arg-type]
        Contract(provider="b", credit_nanousd=credit),
    ]
    applied = apply(contracts, [Piece(*OCTOBER, tuple(uses))])
    seen = sum(cost.effective_nanousd or 0 for cost in applied.costs[0]) + sum(line.nanousd for line in applied.fixed)
    covered = [u for u in uses if u.provider == "a" and u.client == "claude-code"]
    metered_a = sum(u.list_nanousd for u in uses if u.provider == "a") - sum(u.list_nanousd for u in covered)
    metered_b = round(sum(u.list_nanousd for u in uses if u.provider == "b") * (1 - discount))
    assert seen == seats * fee + metered_a + max(metered_b - credit, 0)
