from typing import Any

import pytest

from bascule.decide.breaker import CLOSED, Breaker, BreakerPolicy, cooled, observe, status, wait_s, with_probe

POLICY = BreakerPolicy()


def after(*verdicts: str, now_s: float = 100.0, breaker: Breaker = CLOSED, **how: Any) -> Breaker:
    for verdict in verdicts:
        breaker = observe(breaker, verdict, **{"began_s": now_s, "now_s": now_s, "policy": POLICY, **how})
    return breaker


OPEN = after(*["failure"] * 5)


def test_it_opens_after_five_failures_in_a_row() -> None:
    assert status(after(*["failure"] * 4), 100.0) == "ok"
    assert status(OPEN, 100.9) == "open"
    assert wait_s(OPEN, 100.5) == 0.5
    assert status(OPEN, 101.0) == "half_open"


def test_a_success_in_between_starts_anew_and_soon_nothing_is_remembered() -> None:
    breaker = after(*["failure"] * 4, "ok", *["failure"] * 4)
    assert status(breaker, 100.0) == "ok"
    assert after("failure", "ok", now_s=100.0).failures == 0
    assert after("ok", now_s=120.0, breaker=after("failure")) is CLOSED


def test_it_opens_for_half_of_twenty_too_but_not_for_less() -> None:
    flaky = after(*["failure", "ok"] * 9, "failure")
    assert status(flaky, 100.0) == "ok"
    assert status(after("failure", breaker=flaky), 100.0) == "open"
    assert status(after(*["ok", "failure", "ok"] * 50), 100.0) == "ok"


def test_what_tells_nothing_changes_nothing() -> None:
    assert after(*["neutral"] * 100) is CLOSED
    breaker = after("failure")
    assert after("neutral", breaker=breaker) is breaker


def test_one_probe_at_a_time() -> None:
    probing = with_probe(OPEN, 101.0, POLICY)
    assert status(probing, 101.1) == "open"
    assert wait_s(probing, 102.0) == 4.0
    assert status(probing, 106.0) == "half_open"
    assert after("ok", breaker=probing, now_s=102.0) is CLOSED
    assert status(after("neutral", breaker=probing, now_s=102.0), 102.0) == "half_open"


def test_it_stays_open_longer_with_every_probe_that_fails_up_to_its_bound() -> None:
    breaker, now_s, waits = OPEN, 100.0, []
    for _ in range(5):
        waits.append(wait_s(breaker, now_s))
        now_s += waits[-1]
        breaker = after("failure", breaker=with_probe(breaker, now_s, POLICY), now_s=now_s)
    assert waits == [1.0, 2.0, 4.0, 5.0, 5.0]


@pytest.mark.parametrize("verdict", ["ok", "failure", "neutral"])
def test_what_began_before_it_opened_says_nothing(verdict: str) -> None:
    assert after(verdict, breaker=OPEN, now_s=103.0, began_s=99.0) is OPEN


def test_failures_at_one_place_alone_do_not_open_where_two_are_needed() -> None:
    breaker = after(*["failure"] * 50, place="a", least_places=2)
    assert status(breaker, 100.0) == "ok"
    assert status(after("failure", breaker=breaker, place="b", least_places=2), 100.0) == "open"


def test_a_pause_is_kept_whatever_else_happens_and_never_cut() -> None:
    breaker = cooled(cooled(CLOSED, 130.0), 110.0)
    assert status(breaker, 129.0) == "cooling"
    assert status(after("ok", breaker=breaker), 129.0) == "cooling"
    assert status(after("failure", breaker=breaker), 129.0) == "cooling"
    assert status(breaker, 130.0) == "ok"
