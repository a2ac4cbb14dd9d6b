import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.admit import IDLE, drained, finish, give_back, key_problem, take
from bascule.model.errors import Refusal
from bascule.model.policy import KeyPolicy, RateLimit


def refused(outcome) -> Refusal:
    assert isinstance(outcome, Refusal)
    return outcome


def test_rpm_lets_exactly_the_limit_in_at_once_and_says_when_the_next_fits():
    limit, state = RateLimit(rpm=600), IDLE
    for _ in range(600):
        state = take(limit, state, 0, 10.0)
        assert not isinstance(state, Refusal)
    refusal = refused(take(limit, state, 0, 10.0))
    assert refusal.http_status == 429
    assert refusal.retry_after_s == pytest.approx(0.1)
    assert not isinstance(take(limit, state, 0, 10.0 + refusal.retry_after_s), Refusal)
    assert isinstance(take(limit, state, 0, 10.0 + refusal.retry_after_s * 0.9), Refusal)


def test_refused_requests_do_not_eat_the_limit():
    limit = RateLimit(rpm=1)
    state = take(limit, IDLE, 0, 0.0)
    for tenth in range(1, 600):
        refused(take(limit, state, 0, tenth / 10))
    assert not isinstance(take(limit, state, 0, 60.0), Refusal)


def test_a_request_refused_later_is_given_back():
    limit = RateLimit(rpm=1, tpm=100, in_flight=1)
    state = take(limit, IDLE, 80, 0.0)
    assert give_back(limit, state, 80, 0.0) == IDLE


def test_in_flight_counts_until_the_end():
    limit = RateLimit(in_flight=2)
    state = take(limit, take(limit, IDLE, 0, 0.0), 0, 0.0)
    assert refused(take(limit, state, 0, 99.0)).retry_after_s == 1.0
    assert not isinstance(take(limit, finish(limit, state, 0, None, 99.0), 0, 99.0), Refusal)


def test_tokens_are_counted_on_entry_and_corrected_at_the_end():
    limit = RateLimit(tpm=1_000)
    state = take(limit, IDLE, 600, 0.0)
    assert refused(take(limit, state, 600, 0.0)).retry_after_s == pytest.approx(12.0)
    less = finish(limit, state, 600, 100, 0.0)
    assert not isinstance(take(limit, less, 600, 0.0), Refusal)
    more = finish(limit, state, 600, 2_000, 0.0)
    assert refused(take(limit, more, 600, 0.0)).retry_after_s == pytest.approx(96.0)


def test_a_request_larger_than_a_minute_waits_for_an_empty_bucket_and_is_then_served():
    limit = RateLimit(tpm=1_000)
    state = take(limit, IDLE, 5_000, 0.0)
    assert not isinstance(state, Refusal)
    assert refused(take(limit, state, 5_000, 0.0)).retry_after_s == pytest.approx(300.0)
    assert not isinstance(take(limit, state, 5_000, 300.0), Refusal)


@pytest.mark.parametrize("limit", [RateLimit(rpm=0), RateLimit(tpm=0), RateLimit(in_flight=0)])
def test_a_limit_of_zero_lets_nothing_in(limit):
    assert refused(take(limit, IDLE, 10, 0.0)).retry_after_s


def test_a_clock_that_goes_back_drains_nothing():
    limit = RateLimit(rpm=1)
    state = take(limit, IDLE, 0, 100.0)
    assert drained(limit, state, 50.0) is state


@given(st.lists(st.floats(0, 5, allow_nan=False), max_size=200), st.integers(1, 30))
def test_no_minute_sees_more_than_twice_the_limit(gaps, rpm):
    limit, state, now_s, let_in = RateLimit(rpm=rpm), IDLE, 0.0, []
    for gap in gaps:
        now_s += gap
        after = take(limit, state, 0, now_s)
        if not isinstance(after, Refusal):
            state = after
            let_in.append(now_s)
    for at in let_in:
        assert sum(at <= other < at + 60 for other in let_in) <= 2 * rpm


def test_a_key_ends_at_its_expiry():
    assert key_problem(KeyPolicy(name="a"), 10**15) is None
    assert key_problem(KeyPolicy(name="a", expires_ms=1_000), 999) is None
    refusal = refused(key_problem(KeyPolicy(name="a", expires_ms=1_000), 1_000))
    assert refusal.http_status == 401
