"""A provider that reports more than it was asked for: the row says what the invoice will, and that it is too much."""

import pytest
from tests.playbooks.engine.conftest import Begin, budget, strict
from tests.playbooks.engine.wire import answered, chat

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
