"""When a session runs away, and when it does not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.runaway import (
    Conversation,
    Finding,
    RunawayPolicy,
    Sight,
    Spending,
    charged,
    noted,
    step_of,
    worst,
)

POLICY = RunawayPolicy()
USD = 1_000_000_000


def after(calls: str, *, tokens: int = 1_000, policy: RunawayPolicy = POLICY) -> Conversation:
    """A conversation with one request for each letter: the call whose result it brings; a dot brings none."""
    conversation = Conversation()
    for number, letter in enumerate(calls):
        call = None if letter == "." else letter.encode()
        conversation = noted(conversation, Sight(2 * number + 1, tokens * 4, call), policy)
    return conversation


def found(conversation: Conversation, *, named: bool = True) -> Finding | None:
    return worst(conversation, None, 0.0, POLICY, named=named)


@pytest.mark.parametrize("calls", ["A" * 10, "AB" * 10, "ABC" * 10, "ABCD" * 10, "XYZ." + "A" * 10, "QRST" + "AB" * 10])
def test_calls_in_a_row_or_in_a_cycle(calls: str) -> None:
    finding = found(after(calls))
    assert finding is not None
    assert (finding.rule, finding.measured) == ("repeated_calls", 10)


@pytest.mark.parametrize(
    "calls",
    [
        "A" * 9,
        "AB" * 9,
        "ABCD" * 9,
        "".join(f"{chr(300 + n)}T" for n in range(50)),
        "A" * 9 + "." + "A" * 9,
        "ABCDE" * 20,
    ],
)
def test_tests_between_edits_and_fewer_times_are_no_loop(calls: str) -> None:
    assert found(after(calls)) is None


def test_a_request_that_is_sent_again_brings_no_new_call() -> None:
    conversation = Conversation()
    for _ in range(15):
        conversation = noted(conversation, Sight(3, 40, b"A", b"same"), POLICY)
    assert found(conversation) is None
    for _ in range(5):
        conversation = noted(conversation, Sight(3, 40, b"A", b"same"), POLICY)
    assert found(conversation) == Finding("identical_requests", 20, 20)
    assert found(conversation, named=False) is None, "a script may ask one thing twenty times"


@given(st.lists(st.sampled_from("ABC."), max_size=60))
def test_what_is_counted_is_what_a_naive_look_counts(calls: list[str]) -> None:
    text = "".join(calls).rpartition(".")[2]
    naive = 0
    for length in range(1, 5):
        run = 0
        for at in range(length, len(text)):
            run = run + 1 if text[at] == text[at - length] else 0
        naive = max(naive, run // length + 1 if run >= length else 0)
    finding = found(after("".join(calls)))
    assert (finding is not None) == (naive >= 10)
    assert finding is None or finding.measured == naive


def test_a_context_that_grows_fast() -> None:
    conversation = Conversation()
    for number in range(11):
        conversation = noted(conversation, Sight(number, number * 60_000, None), POLICY)
    assert found(conversation) == Finding("context_growth", 150_000, 150_000)
    smaller = noted(conversation, Sight(2, 40_000, None), POLICY)
    assert found(smaller) is None, "it was cut down"
    again = noted(smaller, Sight(4, 400_000, None), POLICY)
    assert found(again) is None


def test_requests_of_one_size_that_say_something_else_are_not_identical() -> None:
    conversation = Conversation()
    for number in range(40):
        conversation = noted(conversation, Sight(1, 40, None, b"%d" % number), POLICY)
    assert found(conversation) is None


def spending(*costs: tuple[float, int]) -> Spending:
    made = Spending(first_s=costs[0][0])
    for at_s, nanousd in costs:
        made = charged(made, nanousd, at_s, POLICY)
    return made


def judged(made: Spending, now_s: float) -> Finding | None:
    return worst(None, made, now_s, POLICY, named=True)


def test_a_session_that_spends_too_fast() -> None:
    made = spending(*[(60.0 * minute, 2 * USD) for minute in range(10)])
    finding = judged(made, 599.0)
    assert finding == Finding("spend_rate", 20 * USD, 15 * USD)
    assert judged(made, 599.0 + 600) is None, "it has rested"


def test_a_session_that_spends_ten_times_what_it_did() -> None:
    slow = [(60.0 * minute, 50_000_000) for minute in range(60)]
    assert judged(spending(*slow, (3_600.0, 4 * USD)), 3_601.0) is None, "below what is looked at"
    finding = judged(spending(*slow, (3_600.0, 6 * USD)), 3_601.0)
    assert finding is not None
    assert finding.rule == "spend_jump"
    assert judged(spending((0.0, 50_000_000), (700.0, 6 * USD)), 701.0) is None, "too young to have a usual"


@given(st.lists(st.tuples(st.floats(0, 50_000), st.integers(0, 10**10)), min_size=1, max_size=50))
def test_spending_adds_up_and_stays_small(costs: list[tuple[float, int]]) -> None:
    made = spending(*sorted(costs))
    assert made.spent_nanousd == sum(cost for _, cost in costs)
    assert len(made.bins) <= 10
    assert all(one[0] < other[0] for one, other in pairwise(made.bins))


@pytest.mark.parametrize(
    ("times", "action", "step"),
    [(1.0, "warn", "warn"), (9.0, "warn", "warn"), (1.0, "stop", "warn"), (1.25, "stop", "degrade"),
     (1.5, "stop", "stop"), (1.5, "degrade", "degrade"), (9.0, "off", None)],
)  # fmt: skip
def test_steps_go_as_far_as_policy_lets_them(times: float, action: str, step: str | None) -> None:
    assert step_of(Finding("repeated_calls", 10 * times, 10), action, POLICY) == step  # type: ignore[arg-type]  # a word
