"""Contracts that cannot be meant are mistakes of the file, each with its place and a remedy."""

import pytest

from bascule.config.load import load_text


def mistakes(*contracts: str) -> list[tuple[str, str]]:
    text = "contracts:\n" + "".join([f"  - {{{contract}}}\n" for contract in contracts])
    problems = load_text(text, "f.yaml").problems
    assert all(problem.remedy for problem in problems)
    return [(problem.where, problem.what) for problem in problems]


COLUMN = 5
"""Where a contract begins."""


def value_of(key: str, contract: str) -> int:
    return contract.index(f"{key}: ") + len(key) + 2


@pytest.mark.parametrize(
    "contract",
    [
        "provider: openai, discount: 0.12, from: 2026-01-01",
        "provider: anthropic, seats: 40, usd_per_seat_month: 100, covers: [claude-code]",
        "provider: azure, provisioned_units: 2, usd_per_unit_hour: 1.5",
        "provider: openai, commitment_usd: 1000, discount: 0.1, from: 2026-01-01, to: 2026-12-31",
        "provider: openai, credit_usd: 1000, from: 2026-01-01",
        "provider: openai, discount: 0.1, from: 2026-01-01, to: 2026-01-01",
        "provider: openai, seats: 3, usd_per_seat_month: 0",
    ],
)
def test_what_can_be_meant_is_no_mistake(contract: str) -> None:
    assert mistakes(contract) == []


@pytest.mark.parametrize(
    ("contract", "at", "what"),
    [
        ("provider: openai, from: 2026-01-01", None, "says nothing"),
        ("provider: openai, seats: 4", "seats", "`seats` without `usd_per_seat_month`"),
        ("provider: openai, usd_per_seat_month: 4", "usd_per_seat_month", "`usd_per_seat_month` without `seats`"),
        ("provider: openai, provisioned_units: 4", "provisioned_units", "without `usd_per_unit_hour`"),
        ("provider: openai, usd_per_unit_hour: 4", "usd_per_unit_hour", "without `provisioned_units`"),
        ("provider: openai, commitment_usd: 4, from: 2026-01-01", "commitment_usd", "without its first and last day"),
        ("provider: openai, commitment_usd: 4, to: 2026-01-01", "commitment_usd", "without its first and last day"),
        ("provider: openai, credit_usd: 4, to: 2026-01-01", "credit_usd", "without its first day"),
        ("provider: openai, discount: 0, from: 2026-01-02, to: 2026-01-01", "to", "`to` is before `from`"),
    ],
)
def test_a_contract_that_cannot_be_meant(contract: str, at: str | None, what: str) -> None:
    ((where, found_what),) = mistakes(contract)
    assert where == f"f.yaml:2:{COLUMN if at is None else COLUMN + 1 + value_of(at, contract)}"
    assert what in found_what


FIRST = "provider: openai, discount: 0.1, to: 2026-06-30"


@pytest.mark.parametrize(
    ("second", "wrong"),
    [
        ("provider: openai, discount: 0.2", True),
        ("provider: openai, discount: 0.2, from: 2026-06-30", True),
        ("provider: openai, discount: 0.2, from: 2026-07-01", False),
        ("provider: azure, discount: 0.2", False),
        ("provider: openai, discount: 0.2, covers: [gpt-5]", True),
        ("provider: openai, credit_usd: 5, from: 2026-01-01", False),
    ],
)
def test_two_discounts_of_the_same_at_the_same_time(second: str, wrong: bool) -> None:
    found = mistakes(FIRST, second)
    assert [where for where, _ in found] == ([f"f.yaml:3:{COLUMN + 1 + value_of('discount', second)}"] if wrong else [])
    assert all("f.yaml:2:5" in what for _, what in found)


def test_the_discount_of_a_model_may_come_before_that_of_all() -> None:
    assert mistakes("provider: openai, discount: 0.2, covers: [gpt-5]", FIRST) == []
    same = "provider: openai, discount: 0.2, covers: [b, a]"
    assert len(mistakes("provider: openai, discount: 0.3, covers: [a, b]", same)) == 1


SEATS = "provider: anthropic, seats: 3, usd_per_seat_month: 20, covers: [claude-code], to: 2026-06-30"


@pytest.mark.parametrize(
    ("second", "wrong"),
    [
        ("provider: anthropic, seats: 2, usd_per_seat_month: 100, covers: [claude-code]", True),
        ("provider: anthropic, seats: 2, usd_per_seat_month: 100, covers: [claude-code], from: 2026-07-01", False),
        ("provider: anthropic, seats: 2, usd_per_seat_month: 100, covers: [other]", False),
        ("provider: anthropic, seats: 2, usd_per_seat_month: 100", False),
        ("provider: openai, seats: 2, usd_per_seat_month: 100, covers: [codex]", False),
        ("provider: anthropic, discount: 0.1, covers: [claude-code]", False),
    ],
)
def test_two_seat_plans_of_one_client_at_the_same_time(second: str, wrong: bool) -> None:
    found = mistakes(SEATS, second)
    assert [where for where, _ in found] == ([f"f.yaml:3:{COLUMN + 1 + value_of('seats', second)}"] if wrong else [])
    assert all("f.yaml:2:5" in what for _, what in found)


def test_the_remedy_of_two_seat_plans_is_one_that_costs_the_same() -> None:
    text = f"contracts:\n  - {{{SEATS}}}\n  - {{provider: anthropic, seats: 2, usd_per_seat_month: 100}}\n"
    swapped = "contracts:\n" + "".join([f"{line}\n" for line in text.splitlines()[:0:-1]])
    (problem,) = load_text(swapped, "f.yaml").problems
    assert problem.remedy is not None
    assert "seats: 5, usd_per_seat_month: 52" in problem.remedy  # (3 x 20 + 2 x 100) / 5
