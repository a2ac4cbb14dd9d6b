"""When a session's prompt cache has silently stopped, and what explains that it was not used."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.cache_watch import CacheHistory, CollapsePolicy, PromptUse, Verdict, watch

POLICY = CollapsePolicy(warm_requests=3, cold_requests=2, least_tokens=1_000, lifetime_s=300)
WARM, COLD, PARTLY = 0.9, 0.0, 0.3


def seen(*uses: tuple[float, float] | tuple[float, float, dict[str, Any]]) -> list[Verdict]:
    """Verdicts on requests of (seconds since the one before, share cached, what else is different)."""
    history: CacheHistory | None = None
    now_ms = 1_000_000
    found: list[Verdict] = []
    for after_s, share, *more in uses:
        now_ms += int(after_s * 1_000)
        given: dict[str, Any] = {"endpoint": "a/m", "input_tokens": 10_000, **(more[0] if more else {})}
        cached = int(share * given["input_tokens"])
        history, verdict = watch(history, PromptUse(started_ms=now_ms, cached_tokens=cached, **given), POLICY)
        found.append(verdict)
    return found


STARTED = [(0.0, COLD), (9.0, WARM), (9.0, WARM), (9.0, WARM)]


def test_a_session_that_was_cached_and_is_no_more_is_told_once() -> None:
    assert seen(*STARTED, *[(9.0, COLD)] * 4) == ["first", "warm", "warm", "warm", "cold", "collapsed", "cold", "cold"]


def test_it_is_told_again_after_it_was_well_again() -> None:
    again = seen(*STARTED, (9, COLD), (9, COLD), (9, WARM), (9, COLD), (9, COLD))
    assert again[-5:] == ["cold", "collapsed", "warm", "cold", "collapsed"]


@pytest.mark.parametrize(
    ("uses", "last"),
    [
        ([(0, COLD), *[(9, COLD)] * 9], "cold"),  # never cached: a new session, or no cache at all
        ([*STARTED[:3], *[(9, COLD)] * 9], "cold"),  # not cached for long enough
        ([*STARTED, (9, COLD), (9, WARM), (9, COLD), (9, WARM), (9, COLD)], "cold"),  # not in a row
        ([*STARTED, (9, COLD), (9, PARTLY), (9, COLD)], "cold"),
        ([*STARTED, *[(301, COLD)] * 9], "pause"),  # each time the cache was gone
        ([*STARTED, (9, COLD), (301, COLD), (9, COLD)], "cold"),  # a pause in between
        ([*STARTED, *[(9, COLD, {"input_tokens": 999})] * 9], "small"),
        ([*STARTED, (9, COLD, {"endpoint": "b/m"}), *[(9, COLD, {"endpoint": "b/m"})] * 9], "cold"),
        ([*STARTED, *[(9, COLD, {"endpoint": f"{at}/m"}) for at in range(9)]], "moved"),
    ],
)
def test_what_is_explained_or_too_little_is_not_told(uses: list[Any], last: Verdict) -> None:
    found = seen(*uses)
    assert "collapsed" not in found
    assert found[-1] == last


def test_a_cold_request_after_a_pause_is_explained_once() -> None:
    found = seen(*STARTED, (301, COLD), (9, COLD), (9, COLD))
    assert found[-3:] == ["pause", "cold", "collapsed"], "it should have been cached anew"


def test_small_requests_between_change_nothing() -> None:
    small = (1, COLD, {"input_tokens": 10})
    found = seen(*STARTED, (9, COLD), small, (9, COLD))
    assert found[-3:] == ["cold", "small", "collapsed"]


def test_an_answer_that_comes_late_is_no_pause_back_in_time() -> None:
    assert seen(*STARTED, (9, COLD), (-400, COLD))[-1] == "collapsed"


@given(st.lists(st.tuples(st.floats(0, 400), st.sampled_from([WARM, COLD, PARTLY])), max_size=30))
def test_between_two_alerts_there_is_a_warm_request(uses: list[tuple[float, float]]) -> None:
    found = seen(*uses)
    told = [at for at, verdict in enumerate(found) if verdict == "collapsed"]
    for before, after in zip([-1, *told], told, strict=False):
        assert "warm" in found[before + 1 : after]
