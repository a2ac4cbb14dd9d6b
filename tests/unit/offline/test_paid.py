"""Contracts over a period: three costs by any dimension, whose parts sum to what is paid."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.offline.spending import USD, Ledger, Spent, at, spent

from bascule.config.shape import Contract
from bascule.offline.contracts import Fixed
from bascule.offline.paid import Paid, PaidReport, paid_report

NOW = at("2026-11-21")
SEATS = Contract(provider="anthropic", seats=3, seat_month_nanousd=100 * USD, covers=("claude-code",))


def logged(when: str, usd: float | None, user: str | None, **seen: Any) -> Spent:
    made = {"origin": "claude-code", "client": "claude-code", "provider": "anthropic", "user": user} | seen
    return spent(when, usd, **made)


def october(attempts: list[Spent], contracts: list[Contract], *by: str) -> PaidReport:
    ledger = Ledger(attempts)
    since, until = at("2026-10-01"), at("2026-11-01")
    return paid_report(ledger.costs, contracts, by, since_ms=since, until_ms=until, now_ms=NOW)


def test_seats_are_shared_out_over_what_was_asked_for() -> None:
    found = october(
        [
            logged("2026-10-05", 30, "ann", project="web"),
            logged("2026-10-06", 10, "ann", project="api"),
            logged("2026-10-07", 1, "bob", project="api"),
            spent("2026-10-08", 5, project="api"),
            logged("2026-09-30", 99, "cem", project="web"),
        ],
        [SEATS],
        "project",
    )
    assert found.groups == {
        ("web",): Paid(list_nanousd=30 * USD, effective_nanousd=75 * USD, marginal_nanousd=0, fee_nanousd=75 * USD),
        ("api",): Paid(
            list_nanousd=16 * USD, effective_nanousd=130 * USD, marginal_nanousd=5 * USD, fee_nanousd=125 * USD
        ),
    }
    assert found.fixed == (Fixed(0, "idle seats", at("2026-10-01"), 100 * USD),)
    assert found.paid_nanousd == 305 * USD


def test_contracts_of_one_provider_do_not_cut_the_months_of_anothers_seats() -> None:
    attempts = [logged("2026-10-02", 1, "ann"), logged("2026-10-20", 1, "bob"), spent("2026-10-20", 10)]
    discount = Contract(provider="openai", discount=0.5, from_ms=at("2026-10-10"))
    found = october(attempts, [SEATS, discount], "user")
    assert found.groups[("ann",)].effective_nanousd == 100 * USD
    assert found.groups[("bob",)].effective_nanousd == 100 * USD
    assert found.groups[(None,)].effective_nanousd == 5 * USD


def test_a_discount_begins_on_its_day_in_the_middle_of_a_month() -> None:
    contract = Contract(provider="openai", discount=0.25, from_ms=at("2026-10-10"), to_ms=at("2026-10-11"))
    attempts = [
        spent("2026-10-09T23:59", 4),
        spent("2026-10-10", 4),
        spent("2026-10-11T23:59", 4),
        spent("2026-10-12", 4),
    ]
    assert october(attempts, [contract]).total.effective_nanousd == 14 * USD


def test_a_commitment_is_followed_from_its_first_day_though_the_period_begins_later() -> None:
    contract = Contract(
        provider="openai", commitment_nanousd=100 * USD, from_ms=at("2026-08-01"), to_ms=at("2026-10-31")
    )
    found = october([spent("2026-08-03", 60), spent("2026-10-03", 25)], [contract], "provider")
    assert found.total == Paid(list_nanousd=25 * USD, effective_nanousd=25 * USD, marginal_nanousd=0)
    assert found.fixed == (Fixed(0, "unused commitment", at("2026-10-01"), 15 * USD),)
    assert found.paid_nanousd == 40 * USD
    assert sum(term.committed_nanousd for term in found.terms) == 85 * USD


def test_use_on_a_plan_is_unknown_without_a_contract_and_not_metered() -> None:
    attempts = [
        logged("2026-10-02", 40, "ann", origin="codex", client="codex", provider="openai", tag_plan="pro"),
        logged("2026-10-02", 2, "bob", origin="codex", client="codex", provider="openai"),
    ]
    found = october(attempts, [], "user")
    assert found.groups[("ann",)] == Paid(list_nanousd=40 * USD, marginal_nanousd=0, on_plan_nanousd=40 * USD)
    assert found.groups[("bob",)].effective_nanousd == 2 * USD


def test_a_customers_plan_is_no_subscription_of_ours() -> None:
    found = october([spent("2026-10-02", 40, tag_plan="pro")], [], "tag:plan")
    assert found.groups[("pro",)].effective_nanousd == 40 * USD


def test_what_has_no_price_stays_unknown_unless_a_fee_covers_it() -> None:
    attempts = [spent("2026-10-02", None, model="odd"), logged("2026-10-02", None, "ann")]
    found = october(attempts, [SEATS], "provider")
    assert found.groups[("openai",)] == Paid(unpriced_attempts=1)
    assert found.groups[("anthropic",)] == Paid(
        effective_nanousd=100 * USD, marginal_nanousd=0, fee_nanousd=100 * USD, unpriced_attempts=1
    )


def test_without_a_beginning_fees_count_from_the_first_month_with_use_up_to_today() -> None:
    ledger = Ledger([logged("2026-10-05", 30, "ann")])
    found = paid_report(ledger.costs, [SEATS], [], since_ms=None, until_ms=None, now_ms=at("2026-11-15T13:00"))
    assert (found.since_ms, found.until_ms) == (at("2026-10-01"), at("2026-11-16"))
    assert found.total.effective_nanousd == 100 * USD
    assert found.fixed_nanousd == 200 * USD + 150 * USD


def test_nothing_used_is_still_paid_for() -> None:
    found = october([], [SEATS])
    assert found.total == Paid()
    assert found.paid_nanousd == 300 * USD


def test_a_period_is_asked_for_at_once_unless_contracts_begin_within_a_month() -> None:
    ledger = Ledger([spent("2026-10-02", 1)])
    whole = Contract(provider="openai", discount=0.5, from_ms=at("2026-09-01"))
    within = Contract(provider="openai", discount=0.5, from_ms=at("2026-09-10"), to_ms=at("2026-09-30"))
    for contracts, spans in (([whole], 1), ([within], 2)):
        ledger.asked.clear()
        paid_report(ledger.costs, contracts, ["team"], since_ms=at("2026-08-01"), until_ms=None, now_ms=NOW)
        assert [by for by, _ in ledger.asked] == [("team", "month")] * spans


_NAMES = st.sampled_from(["ann", "bob", None])
_ATTEMPTS = st.lists(
    st.builds(
        Spent,
        ts_ms=st.integers(at("2026-08-15"), at("2026-11-20")),
        cost_nanousd=st.one_of(st.none(), st.integers(0, 10**12)),
        seen=st.fixed_dictionaries(
            {
                "provider": st.sampled_from(["openai", "anthropic"]),
                "origin": st.sampled_from(["gateway", "claude-code"]),
                "client": st.sampled_from(["claude-code", None]),
                "user": _NAMES,
                "team": _NAMES,
            }
        ),
    ),
    max_size=12,
)
_CONTRACTS = [
    SEATS,
    Contract(provider="anthropic", discount=0.07, from_ms=at("2026-09-20")),
    Contract(provider="openai", discount=0.125, from_ms=at("2026-01-01"), to_ms=at("2026-10-10")),
    Contract(provider="openai", commitment_nanousd=10**12, from_ms=at("2026-08-20"), to_ms=at("2026-10-20")),
    Contract(provider="openai", credit_nanousd=10**11, from_ms=at("2026-09-05")),
]


@given(_ATTEMPTS, st.sampled_from([(), ("team",), ("team", "user"), ("provider", "month")]))
def test_the_total_is_the_same_by_whatever_it_is_broken_down(attempts: list[Spent], by: tuple[str, ...]) -> None:
    found = october(attempts, _CONTRACTS, *by)
    whole = october(attempts, _CONTRACTS)
    assert found.total == whole.total
    assert found.fixed == whole.fixed
    inside = [one for one in attempts if at("2026-10-01") <= one.ts_ms < at("2026-11-01")]
    known = [one.cost_nanousd for one in inside if one.cost_nanousd is not None]
    assert found.total.list_nanousd == (sum(known) if known else None)


@pytest.mark.parametrize("share", ["0.1", "0.3", "0.07"])
def test_a_discount_is_the_decimal_that_was_written(share: str) -> None:
    contract = Contract(provider="openai", discount=float(share))
    found = october([spent("2026-10-02", 1000)], [contract])
    assert found.total.effective_nanousd == 1000 * USD * (1 - Fraction(share))
