import pytest

from bascule.decide.health import HEALTHY, observe, status


def after(*outcomes: str, now_s: float = 0.0):
    state = HEALTHY
    for outcome in outcomes:
        state = observe(state, outcome, now_s)
    return state


def test_opens_after_five_failures_in_a_row_and_lets_try_again():
    assert status(after(*["server_error"] * 4), 0.0) == "ok"
    state = after("reset", "timeout_idle", "overloaded", "protocol", "connect")
    assert status(state, 9.9) == "open"
    assert status(state, 10.0) == "ok"
    assert status(observe(state, "server_error", 10.0), 19.9) == "open"
    assert observe(state, "ok", 10.0) == HEALTHY


def test_a_success_in_between_starts_anew():
    assert status(after(*["reset"] * 4, "ok", *["reset"] * 4), 0.0) == "ok"


@pytest.mark.parametrize("outcome", ["bad_request", "content_filter", "context_length", "client_gone", "not_found"])
def test_a_clients_mistakes_open_nothing(outcome):
    assert after(*[outcome] * 100) == HEALTHY


def test_429_cools_as_long_as_asked_and_no_longer_than_a_minute():
    assert status(observe(HEALTHY, "rate_limited", 0.0, 5.0), 4.9) == "cooling"
    assert status(observe(HEALTHY, "rate_limited", 0.0, 5.0), 5.0) == "ok"
    assert status(observe(HEALTHY, "rate_limited", 0.0, 1e9), 60.0) == "ok"
    assert status(observe(HEALTHY, "rate_limited", 0.0), 1.9) == "cooling"
    assert status(observe(HEALTHY, "quota_exhausted", 0.0), 59.0) == "cooling"


def test_a_shorter_pause_does_not_cut_a_longer_one():
    state = observe(observe(HEALTHY, "rate_limited", 0.0, 30.0), "rate_limited", 1.0, 1.0)
    assert status(state, 29.0) == "cooling"


def test_429s_do_not_open():
    assert status(after(*["rate_limited"] * 20), 100.0) == "ok"
