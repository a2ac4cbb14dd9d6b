"""How slots are shared, who may wait, and how their number follows the event loop's lag."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.shed import LimitPolicy, SharePolicy, may_enter, may_wait, next_limit

POLICY = SharePolicy(max_tenant_share=0.9, max_queued=5, max_queued_per_tenant=2)
LIMIT = LimitPolicy(ceiling=100, floor=10, lag_target_s=0.1)


def settled(tenants: int, limit: int, share: float) -> list[int]:
    """What greedy tenants hold in the end, each asking in turn for as much as it can get."""
    held = [0] * tenants
    while True:
        before = list(held)
        for tenant in range(tenants):
            if may_enter(held[tenant], sum(held), limit, share):
                held[tenant] += 1
        if held == before:
            return held


@pytest.mark.parametrize(
    ("tenants", "limit", "share", "held"),
    [
        (1, 100, 0.9, [90]),
        (1, 100, 1.0, [100]),
        (1, 1, 0.9, [1]),
        (1, 2, 0.9, [2]),
        (2, 94, 0.9, [45, 45]),
        (3, 56, 0.9, [18, 18, 18]),
        (5, 3, 0.1, [1, 1, 1, 0, 0]),
        (2, 0, 0.9, [0, 0]),
    ],
)
def test_greedy_tenants_get_the_same(tenants: int, limit: int, share: float, held: list[int]) -> None:
    assert settled(tenants, limit, share) == held


@given(st.integers(1, 8), st.integers(20, 200), st.floats(0.1, 0.9))
def test_a_newcomer_finds_a_slot_where_not_all_are_taken_by_many(tenants: int, limit: int, share: float) -> None:
    held = settled(tenants, limit, share)
    assert max(held) - min(held) <= 1
    assert sum(held) <= limit
    if limit >= 2 * tenants / (1 - share):
        assert may_enter(0, sum(held), limit, share)


@pytest.mark.parametrize(
    ("held", "queued", "in_all", "tenants", "may"),
    [
        (0, 0, 0, 2, True),
        (44, 0, 0, 2, True),
        (45, 0, 0, 2, False),  # it has its half of nine tenths
        (90, 0, 0, 1, False),  # alone with all that it can have
        (0, 2, 2, 2, False),
        (0, 0, 5, 2, False),
    ],
)
def test_who_may_wait(held: int, queued: int, in_all: int, tenants: int, may: bool) -> None:
    assert may_wait(held, queued, in_all, tenants, 100, POLICY) is may


@pytest.mark.parametrize(
    ("limit", "in_flight", "lag_s", "then"),
    [
        (100, 50, 0.11, 45),
        (100, 5, 0.11, 10),
        (10, 200, 0.11, 10),  # streams that were let in before
        (50, 80, 0.11, 45),
        (50, 80, 0.1, 52),
        (99, 0, 0.0, 100),
        (100, 0, 0.0, 100),
        (150, 0, 0.0, 100),  # a lower ceiling was configured
    ],
)
def test_the_limit_falls_by_a_tenth_of_what_is_used_and_rises_slowly(
    limit: int, in_flight: int, lag_s: float, then: int
) -> None:
    assert next_limit(limit, in_flight, lag_s, LIMIT) == then
