"""A provider that reports more than it was asked for: the row says what the invoice will, and that it is too much."""

import pytest
from tests.playbooks.engine.conftest import Begin, budget, strict
from tests.playbooks.engine.wire import ROLE, answered, chat, completion, streamed, text, used

from bascule.testing.transport import Break, Reply, stream, whole

DEAR = 30_000_000
"""Three thousand tokens of output at `small`, in nano-USD."""


def test_a_bill_above_the_strict_hold_is_believed_counted_and_flagged(begin: Begin) -> None:
    world = begin(answered(tokens_in=0, tokens_out=3_000), more=strict("1"))
    assert world.ask(chat(max_tokens=100)).status == 200
    assert world.row.usage_flags == ("above_bound",)
    assert world.row.hold_nanousd < world.row.cost_nanousd == DEAR
    assert world.budget("key:ci").settled_nanousd == DEAR


@pytest.mark.parametrize("tokens_out", [0, 100])
def test_a_bill_within_the_hold_has_no_flag(begin: Begin, tokens_out: int) -> None:
    world = begin(answered(tokens_in=10, tokens_out=tokens_out), more=strict("1"))
    assert world.ask(chat(max_tokens=100)).status == 200
    assert world.row.usage_flags == ()


def test_an_expected_hold_is_no_bound_that_could_be_exceeded(begin: Begin) -> None:
    world = begin(answered(tokens_in=0, tokens_out=3_000), more=budget("1", "expected"))
    assert world.ask(chat(max_tokens=100)).status == 200
    assert world.row.cost_nanousd == DEAR
    assert world.row.usage_flags == ()


def cut(*parts: bytes) -> Reply:
    """An answer of long words that breaks off within its cap of 100 tokens."""
    return stream(ROLE, *parts, text("incomprehensibilities " * 30), Break("reset"))


def test_what_is_only_guessed_is_worth_no_more_than_what_was_held(begin: Begin) -> None:
    """Its tokens by their usual length are more than the cap allows, which the provider has kept to."""
    limit_usd = "0.001198"
    world = begin(cut(), more=strict(limit_usd))
    world.ask(streamed(max_tokens=100))
    row, budget = world.row, world.budget("key:ci")
    assert row.cost_nanousd == row.hold_nanousd == budget.settled_nanousd
    assert "unknown_bill" in row.usage_flags
    assert (row.tokens_out or 0) > 100
    assert budget.settled_nanousd <= budget.limit_nanousd
    assert world.ask(chat(max_tokens=100)).status == 402


def test_what_was_told_before_a_cut_is_believed_above_what_was_held(begin: Begin) -> None:
    world = begin(cut(used(0, 3_000)), more=strict("1"))
    world.ask(streamed(max_tokens=100))
    assert world.row.cost_nanousd == DEAR
    assert world.row.usage_flags == ("partial", "above_bound")


def test_without_a_strict_budget_a_guess_stands_as_it_is(begin: Begin) -> None:
    world = begin(cut(), more=budget("1", "expected"))
    world.ask(streamed(max_tokens=100))
    assert (world.row.cost_nanousd or 0) > (world.row.hold_nanousd or 0)
    assert "unknown_bill" not in world.row.usage_flags


@pytest.mark.parametrize(("status", "charged"), [(201, True), (202, True), (206, True), (307, False), (400, False)])
def test_what_is_no_error_may_be_billed(begin: Begin, status: int, charged: bool) -> None:
    world = begin(whole(completion(usage=None), status), more=strict("1"))
    assert world.ask(chat()).status in (400, 502)
    assert world.row.cost_nanousd == (world.row.hold_nanousd if charged else 0)
