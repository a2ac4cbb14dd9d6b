from bascule.model.errors import Refusal
from bascule.model.policy import RateLimit
from bascule.storage.memory.rate import RateLimiter


def test_keys_do_not_share_their_limits():
    limiter, limit = RateLimiter(), RateLimit(rpm=1)
    assert limiter.take("a", limit, 0, 0.0) is None
    assert limiter.take("b", limit, 0, 0.0) is None
    refusal = limiter.take("a", limit, 0, 15.0)
    assert isinstance(refusal, Refusal)
    assert refusal.retry_after_s == 45.0


def test_in_flight_returns_to_zero():
    limiter, limit = RateLimiter(), RateLimit(in_flight=1)
    assert limiter.take("a", limit, 5, 0.0) is None
    assert limiter.in_flight("a") == 1
    assert limiter.take("a", limit, 5, 0.0) is not None
    limiter.finish("a", limit, 5, 7, 1.0)
    assert limiter.in_flight("a") == 0
    assert limiter.take("a", limit, 5, 1.0) is None
    limiter.give_back("a", limit, 5, 1.0)
    assert limiter.in_flight("a") == 0


def test_a_key_without_limits_leaves_no_trace():
    limiter = RateLimiter()
    assert limiter.take("a", RateLimit(), 5, 0.0) is None
    limiter.finish("a", RateLimit(), 5, 7, 1.0)
    assert limiter._states == {}


def test_idle_keys_are_forgotten_when_there_are_too_many():
    limiter, limit = RateLimiter(max_keys=10), RateLimit(rpm=10)
    for number in range(10):
        limiter.take(f"k{number}", limit, 0, 0.0)
        if number:
            limiter.finish(f"k{number}", limit, 0, None, 0.0)
    limiter.take("late", limit, 0, 61.0)
    assert set(limiter._states) == {"k0", "late"}
