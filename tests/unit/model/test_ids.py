"""Identifiers: those that count up are the very ULIDs that would be made one by one."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.model.ids import Ulids, ulid

LAST = (1 << 80) - 1
moments = st.lists(st.integers(0, (1 << 48) - 1), min_size=1, max_size=8)
starts = st.integers(0, LAST) | st.sampled_from([LAST, LAST - 1, (1 << 20) - 1, (1 << 40) - 2, 0])


@given(starts, moments)
def test_counting_up_is_making_each_anew(start: int, at: list[int]) -> None:
    ulids = Ulids(start)
    found = [ulids.next(now_ms) for now_ms in at]
    assert found == [ulid(now_ms, (start + 1 + step) & LAST) for step, now_ms in enumerate(at)]


def test_identifiers_of_one_process_sort_by_their_millisecond() -> None:
    ulids = Ulids(LAST)
    found = [ulids.next(now_ms) for now_ms in (1, 2, 1_795_262_400_000)]
    assert found == sorted(found)
    assert {len(each) for each in found} == {26}
