"""What contracts cost against list price, how much of them was used, and until when they last."""

from fractions import Fraction

from tests.unit.offline.spending import USD, Ledger, Spent, at, spent

from bascule.config.shape import Contract
from bascule.offline.contract_state import ContractState, contract_states
from bascule.offline.paid import paid_report

NOW = at("2026-11-11")


def states(
    contracts: list[Contract], attempts: list[Spent], since: str = "2026-10-01", until: str = "2026-11-11"
) -> tuple[ContractState, ...]:
    ledger = Ledger(attempts)
    made = paid_report(ledger.costs, contracts, (), since_ms=at(since), until_ms=at(until), now_ms=NOW)
    return contract_states(ledger.costs, contracts, made, NOW)


def test_seats_against_what_their_use_would_have_cost() -> None:
    contract = Contract(provider="anthropic", seats=4, seat_month_nanousd=100 * USD, covers=("claude-code",))
    seen = {"provider": "anthropic", "client": "claude-code"}
    attempts = [spent("2026-10-02", 500, user="ann", **seen), spent("2026-10-03", 20, user="bob", **seen)]
    (found,) = states([contract], attempts, until="2026-11-01")
    assert (found.cost_nanousd, found.list_nanousd, found.saved_nanousd) == (400 * USD, 520 * USD, 120 * USD)
    assert found.idle_nanousd == 200 * USD
    assert found.seat_use == Fraction(1, 2)
    assert found.people_seats == ((at("2026-10-01"), 2),)
    assert found.fee_use == Fraction(520, 400)


def test_a_discount_saves_its_share() -> None:
    (found,) = states([Contract(provider="openai", discount=0.1)], [spent("2026-10-02", 50)])
    assert (found.cost_nanousd, found.list_nanousd, found.fee_use) == (45 * USD, 50 * USD, None)


def test_a_commitment_runs_out_at_the_pace_of_the_last_thirty_days() -> None:
    contract = Contract(
        provider="openai", commitment_nanousd=1000 * USD, discount=0.5, from_ms=at("2026-09-01"), to_ms=at("2026-12-31")
    )
    attempts = [spent("2026-09-05", 200), spent("2026-10-20", 600), spent("2026-11-05", 600)]
    (found,) = states([contract], attempts)
    (pot,) = found.pots
    assert pot.drawn_nanousd == 700 * USD  # half of 1,400, from its first day on
    assert (pot.pace_days, pot.pace_nanousd) == (Fraction(30), 600 * USD)
    assert pot.left_nanousd == 300 * USD
    assert pot.runs_out_ms == at("2026-11-26")
    assert pot.unused_at_end_nanousd is None
    assert (found.cost_nanousd, found.list_nanousd) == (600 * USD, 1200 * USD)  # of the period


def test_a_commitment_that_will_not_be_used_up_tells_what_is_left_at_its_end() -> None:
    contract = Contract(
        provider="openai", commitment_nanousd=1000 * USD, from_ms=at("2026-09-01"), to_ms=at("2026-11-30")
    )
    (pot,) = states([contract], [spent("2026-10-20", 60)])[0].pots
    assert pot.runs_out_ms is None
    assert pot.unused_at_end_nanousd == 1000 * USD - 60 * USD - 40 * USD  # 2 a day for 20 days more


def test_an_empty_pot_lets_the_next_one_have_a_pace() -> None:
    first = Contract(provider="openai", commitment_nanousd=10 * USD, from_ms=at("2026-09-01"), to_ms=at("2026-12-31"))
    second = Contract(provider="openai", credit_nanousd=100 * USD, from_ms=at("2026-11-01"))
    both = states([first, second], [spent("2026-09-20", 60), spent("2026-11-10", 10)])
    assert both[0].pots[0].runs_out_ms == NOW
    (credit,) = both[1].pots
    assert (credit.drawn_nanousd, credit.pace_nanousd, credit.pace_days) == (10 * USD, 10 * USD, Fraction(10))
    assert credit.runs_out_ms == at("2027-02-09")
    assert both[1].cost_nanousd == 0


def test_nothing_drawn_never_runs_out() -> None:
    (found,) = states([Contract(provider="openai", credit_nanousd=5 * USD, from_ms=at("2026-09-01"))], [])
    assert found.pots[0].runs_out_ms is None
    assert found.pots[0].unused_at_end_nanousd is None


def test_what_has_ended_or_not_begun_says_so() -> None:
    ended = Contract(provider="openai", commitment_nanousd=USD, from_ms=at("2026-09-01"), to_ms=at("2026-10-15"))
    later = Contract(provider="openai", discount=0.1, from_ms=at("2026-12-01"))
    found = states([ended, later], [])
    assert [one.state for one in found] == ["ended", "begins later"]
    assert found[0].cost_nanousd == USD  # nothing of it was used
    assert found[0].pots[0].unused_at_end_nanousd is None


def test_idle_capacity_is_a_cost() -> None:
    contract = Contract(provider="azure", provisioned_units=2, unit_hour_nanousd=USD)
    (found,) = states([contract], [spent("2026-11-02", 100, provider="azure")])
    assert found.cost_nanousd == 2 * 24 * 41 * USD
    assert found.idle_nanousd == 2 * 24 * 31 * USD
    assert found.list_nanousd == 100 * USD
