from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.retry_budget import RetryBudget, RetryBudgetPolicy, earn, left, take

POLICY = RetryBudgetPolicy()
FULL = RetryBudget(3.0)


def taken(budget: RetryBudget, now_s: float) -> tuple[RetryBudget, int]:
    count = 0
    while (after := take(budget, now_s, POLICY)) is not None:
        budget, count = after, count + 1
    return budget, count


def test_three_are_there_for_whoever_is_asked_rarely() -> None:
    budget, count = taken(FULL, 100.0)
    assert count == 3
    assert take(budget, 109.0, POLICY) is None
    assert left(budget, 110.0, POLICY) == 3.0


def test_a_fifth_of_what_is_asked_is_earned_and_fades() -> None:
    budget = FULL
    for _ in range(51):
        budget = earn(budget, 100.0, POLICY)
    assert taken(budget, 100.0)[1] == 13
    assert taken(budget, 105.0)[1] == 8
    assert taken(budget, 110.0)[1] == 3


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 0.5)), max_size=300))
def test_however_retries_come_an_outage_costs_a_fifth_and_three(events: list[tuple[bool, float]]) -> None:
    """While retries are wanted without a pause of ten seconds between those made."""
    budget, now_s, first, again, last_s = RetryBudget(3.0, taken_s=100.0), 100.0, 0, 0, 100.0
    for is_first, pause_s in events:
        now_s += pause_s
        if is_first:
            budget, first = earn(budget, now_s, POLICY), first + 1
        elif now_s - last_s < POLICY.window_s and (after := take(budget, now_s, POLICY)) is not None:
            budget, again, last_s = after, again + 1, now_s
    assert again <= POLICY.share * first + POLICY.reserve
