"""Allowances: whatever comes in whatever order, dear requests stay within burst + share x n."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.dear import ONE, after_dear, after_request, allows, opening
from bascule.model.policy import DearCap


@given(
    wishes=st.lists(st.booleans(), max_size=300),
    share=st.floats(0.01, 0.99),
    burst=st.integers(1, 20),
)
def test_no_run_of_requests_has_more_dear_ones_than_its_burst_and_share(
    wishes: list[bool], share: float, burst: int
) -> None:
    cap = DearCap(key_share=share, burst=burst)
    left = opening(cap)
    granted: list[bool] = []
    for wish in wishes:
        dear = wish and allows(left)
        left = after_request(after_dear(left) if dear else left, share, cap)
        granted.append(dear)
    for start in range(0, len(granted), 7):
        window = granted[start:]
        # `round` in parts per million adds at most half a millionth a request.
        assert sum(window) <= burst + (share + 1e-6) * len(window)


def test_who_asks_for_little_is_refused_nothing_and_a_debt_is_worked_off() -> None:
    cap = DearCap(key_share=0.25, burst=1)
    left = after_dear(after_dear(opening(cap)))
    assert left == -ONE
    for _ in range(7):
        assert not allows(left)
        left = after_request(left, 0.25, cap)
    assert allows(after_request(left, 0.25, cap))
