"""Who meets whom where a judge picks the best of several answers: two at a time, the better of each pair goes on."""

from collections.abc import Sequence

from bascule.decide.judge import Preference, Unreadable


def pairs(left: Sequence[int]) -> list[tuple[int, int]]:
    """The comparisons of the next round between those that are left; one that has no partner goes on without."""
    return [(left[at], left[at + 1]) for at in range(0, len(left) - 1, 2)]


def survivors(left: Sequence[int], found: Sequence[Preference | Unreadable]) -> list[int]:
    """Those that go on, given what the judge said of each of `pairs(left)`. A tie, and a judge that says nothing, leave
    the earlier one: `comparisons` is then all that it has cost."""
    kept = [b if _is_b(one) else a for (a, b), one in zip(pairs(left), found, strict=True)]
    return kept + list(left[len(left) - len(left) % 2 :])


def comparisons(answers: int) -> int:
    """How many pairs are compared until one of so many answers is left."""
    return max(0, answers - 1)


def _is_b(found: Preference | Unreadable) -> bool:
    return not isinstance(found, Unreadable) and found.winner == "b"
